"""Network cameras as they are: each misbehaviour costs no frame that was delivered."""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import gi
import pytest

from support.rtsp import camera_in_thread
from touchline.ipc.tee import Frame
from touchline.ipc.wire import Element, PipelineSpec, Rtsp
from touchline.sim.rtsp.ledger import Entry, decodable
from touchline.sim.rtsp.server import CameraServer
from touchline.worker.network.camera import RtspCamera
from touchline.worker.rtsp.errors import CameraRefusal
from touchline.worker.rtsp.session import SessionMemory

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

DEADLINE_S = 20.0
TAIL_NS = 500_000_000
"""Frames that were sent this shortly before the end may be on their way still."""
ENCODE = (
    Element("videoconvert"),
    Element("x264enc", {"speed-preset": "ultrafast", "tune": "zerolatency", "key-int-max": 30}),
)


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    Gst.init(None)


@dataclass
class Run:
    """What one run of a camera brought."""

    camera: RtspCamera = field(init=False)
    frames: list[Frame] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def wait_for(self, count: int) -> None:
        eventually(lambda: len(self.frames) >= count or self.ends, f"{count} frames")
        assert not self.ends, self.ends

    def ended(self) -> str:
        eventually(lambda: self.ends, "the end")
        return self.ends[0]


def eventually(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.01)


@contextmanager
def playing(
    url: str,
    memory: SessionMemory | None = None,
    *,
    force_encode: bool = False,
    not_before_ns: int = 0,
    **rtsp: Any,
) -> Iterator[Run]:
    spec = PipelineSpec(
        kind="rtsp",
        source=(),
        encode=ENCODE,
        demux=True,
        force_encode=force_encode,
        rtsp=Rtsp(url, **rtsp),
    )
    run = Run()
    camera = run.camera = RtspCamera(
        spec,
        memory or SessionMemory(),
        on_frame=run.frames.append,
        on_end=run.ends.append,
        on_warning=run.warnings.append,
    )
    camera.start(not_before_ns)
    try:
        yield run
    finally:
        camera.stop()
    assert not any(thread.name == "rtsp" for thread in threading.enumerate()), "the thread goes on"


def delivered(server: CameraServer, client: int | None = None) -> list[Entry]:
    """The frames that the camera sent whole, the last moment left out."""
    entries = server.ledger.entries()
    until_ns = time.monotonic_ns() - TAIL_NS
    clients = [e["client"] for e in entries if e["event"] == "frame"]
    sent = decodable(entries, client=clients[0] if client is None else client)
    return [entry for entry in sent if entry["at_ns"] < until_ns]


def assert_nothing_missing(run: Run, sent: list[Entry]) -> None:
    keyframes = [frame.keyframe for frame in run.frames]
    assert len(keyframes) >= len(sent), f"{len(sent) - len(keyframes)} frames are missing"
    assert keyframes[: len(sent)] == [entry["keyframe"] for entry in sent]
    decode_times = [frame.dts_ns for frame in run.frames]
    assert decode_times == sorted(set(decode_times))


HARMLESS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "four slices, each with the marker": {"slices": 4, "markers": "each-slice"},
    "no markers": {"markers": "none"},
    "doubled stamps": {"double_stamp_every": 10},
    "constant stamps": {"constant_stamps": True},
    "a new SSRC with each keyframe": {"ssrc_each_keyframe": True, "gop_s": 0.5},
    "a new SSRC with new stamps": {"ssrc_after": 0.7, "ssrc_new_stamps": True},
    "sequence numbers that jump": {"sequence_jump_after": 0.7},
    "stamps that jump": {"stamp_jump_after": 0.7, "stamp_jump_s": 5000},
    "stamps that jump back": {"stamp_jump_after": 0.7, "stamp_jump_s": -5000},
    "packets held back": {"hold_after": 0.6, "hold_for": 1.2},
    "padding, extensions and sources": {"padding": 8, "extension": "onvif", "csrc": 2},
    "aggregated packets": {"packing": "aggregate"},
    "stray bytes": {"stray_bytes": 40},
    "packets on a channel of nobody": {"stray_channel": True},
    "other channels than asked for": {"channels": "other"},
    "packets before the answer to PLAY": {"media_before_answer": True},
    "answers in many pieces": {"split_answers": 3},
    "lines that end in LF": {"line_end": "lf", "header_case": "lower", "no_reason": True},
    "answers without numbers": {"cseq": "missing"},
    "answers with wrong numbers": {"cseq": "wrong"},
    "no Content-Base": {"content_base": "missing"},
    "a Content-Base without a slash": {"content_base": "no-slash"},
    "a Content-Base of another host": {"content_base": "other-host"},
    "absolute controls": {"control": "absolute"},
    "a path as control": {"control": "path"},
    "a star as control": {"control": "star"},
    "a short Transport header": {"transport_header": "short"},
    "a Session header with spaces": {"session_header": "spaces"},
    "a long Session header": {"session_header": "long"},
    "a plain Session header": {"session_header": "plain"},
    "no Public header": {"public": "missing"},
    "requests to the client": {"ask_client_every": 0.2},
    "parameter sets in the description only": {"parameter_sets": "sdp"},
    "parameter sets in the stream only": {"parameter_sets": "band"},
    "B-frames": {"b_frames": 2, "gop_s": 0.5},
    "sound and metadata beside it": {"audio": True, "metadata_track": True},
    "UDP where TCP was asked for": {"transports": "udp"},
    "MD5 without qop": {"user": "u", "password": "p", "auth": "digest", "qop": "none"},
    "MD5": {"user": "u", "password": "p", "auth": "digest"},
    "SHA-256 only": {"user": "u", "password": "p", "auth": "digest-sha256"},
    "SHA-256 with auth-int": {
        "user": "u", "password": "p", "auth": "digest-sha256", "qop": "auth,auth-int",
    },
    "both algorithms": {"user": "u", "password": "p", "auth": "digest-both"},
    "Basic": {"user": "u", "password": "p", "auth": "basic"},
    "nonces that grow stale": {
        "user": "u", "password": "p", "auth": "digest", "stale_nonce_every": 2,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_no_delivered_frame_is_lost(name: str) -> None:
    options = HARMLESS[name]
    signed = {key: options[key] for key in ("user", "password") if key in options}
    with camera_in_thread(fps=30, **options) as server, playing(server.url, **signed) as run:
        run.wait_for(60 if "hold_for" in options else 30)
        time.sleep(0.3)
        sent = delivered(server)
        eventually(lambda: len(run.frames) >= len(sent) or run.ends, "the frames that were sent")
        assert_nothing_missing(run, sent)
        assert (run.ends, run.camera.lost) == ([], 0)
        assert run.camera.source_format == "h264"
        assert not run.camera.transcoded


@pytest.mark.parametrize("options", [{}, {"reorder_every": 5}, {"duplicate_every": 5}], ids=str)
def test_udp_packets_are_put_in_order_and_none_is_lost(options: dict[str, Any]) -> None:
    with (
        camera_in_thread(fps=30, **options) as server,
        playing(server.url, transport="udp") as run,
    ):
        run.wait_for(40)
        time.sleep(0.3)
        sent = delivered(server)
        eventually(lambda: len(run.frames) >= len(sent), "the frames that were sent")
        assert_nothing_missing(run, sent)
        assert run.camera.lost == 0


def test_frames_that_packets_say_are_lost_are_counted_and_no_others() -> None:
    with (
        camera_in_thread(fps=30, gop_s=0.5, lose_every=97) as server,
        playing(server.url, transport="udp", latency_ms=30) as run,
    ):
        eventually(lambda: run.camera.lost > 0 and len(run.frames) > 40, "a loss")
        first, last = run.frames[0], run.frames[-1]
        span = round((last.pts_ns - first.pts_ns) / (1e9 / 30)) + 1
        assert run.camera.lost == pytest.approx(span - len(run.frames), abs=2)


@pytest.mark.parametrize("transport", ["tcp", "auto"])
def test_a_camera_that_refuses_one_transport_is_asked_for_the_other(transport: str) -> None:
    offered = "udp" if transport == "tcp" else "tcp"
    memory = SessionMemory()
    with (
        camera_in_thread(fps=30, transports=offered) as server,
        playing(server.url, memory, transport=transport) as run,
    ):
        run.wait_for(10)
        refused = "TCP" if transport == "tcp" else "UDP"
        expected = f"the camera refuses {refused}; {offered.upper()} is used"
        assert run.warnings == [expected]
    assert memory.way == offered


@pytest.mark.parametrize("by", ["get_parameter", "options", "requests"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_session_is_kept_alive_by_what_the_camera_answers(by: str, transport: str) -> None:
    options: dict[str, Any] = {"alive_by": by, "session_timeout": 1}
    if by == "options":
        options["refuse"] = "GET_PARAMETER=405"
    with (
        camera_in_thread(fps=30, **options) as server,
        playing(server.url, transport=transport) as run,
    ):
        began = time.monotonic()
        eventually(lambda: time.monotonic() - began > 3 or run.ends, "three timeouts")
        assert run.ends == []
        assert not server.ledger.entries("session_timed_out")
        assert len(run.frames) > 60


def test_a_wrong_password_is_offered_once_in_a_run() -> None:
    with (
        camera_in_thread(user="u", password="right", auth="digest-both") as server,
        playing(server.url, user="u", password="wrong") as run,
    ):
        assert "correct user and password" in run.ended()
        assert run.camera.refusal is CameraRefusal.CREDENTIALS
        wrong = [e for e in server.ledger.entries("sign_in") if e["outcome"] == "wrong"]
        assert len(wrong) == 1


@pytest.mark.parametrize("order", [{}, {"second_first": True}, {"tracks_alternate": True}], ids=str)
def test_the_larger_of_two_tracks_is_played_whatever_their_order(order: dict[str, Any]) -> None:
    memory = SessionMemory()
    with camera_in_thread(fps=30, second_track="160x90", **order) as server:
        for _ in range(2):
            with playing(server.url, memory) as run:
                run.wait_for(3)
                assert run.camera.codec is not None
                assert (run.camera.codec.width, run.camera.codec.height) == (320, 180)


def test_the_setting_names_the_smaller_track() -> None:
    with (
        camera_in_thread(fps=30, second_track="160x90") as server,
        playing(server.url, track=1) as run,
    ):
        run.wait_for(3)
        assert run.camera.codec is not None
        assert (run.camera.codec.width, run.camera.codec.height) == (160, 90)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"close_after": 0.5}, "closed the connection"),
        ({"close_after": 0.5, "close_how": "reset"}, "Connection reset"),
        ({"bye_after": 0.5}, "BYE"),
        ({"refuse": "SETUP=453"}, "no connection left"),
        ({"refuse": "PLAY=500"}, "refuses PLAY"),
        ({"refuse": "DESCRIBE=404"}, "no stream at this path"),
        ({"huge_header": 100_000}, "a header of more than"),
        ({"endless_answer": "headers"}, "a header of more than"),
        ({"endless_answer": "body"}, "an invalid content length|did not answer|not RTSP"),
        ({"huge_sdp": 1_000_000}, "an invalid content length"),
        ({"redirect": "endless"}, "more than 5 times"),
        ({"redirect": "self"}, "more than 5 times"),
    ],
    ids=str,
)
def test_what_ends_a_session_is_said(options: dict[str, Any], complaint: str) -> None:
    with camera_in_thread(fps=30, **options) as server, playing(server.url) as run:
        assert re.search(complaint, run.ended()), run.ends


def test_times_are_the_cameras_own_when_packets_were_held_back() -> None:
    with (
        camera_in_thread(fps=25, hold_after=0.5, hold_for=1.5) as server,
        playing(server.url) as run,
    ):
        run.wait_for(80)
        steps = {
            round((after.pts_ns - before.pts_ns) / 1e6)
            for before, after in zip(run.frames, run.frames[1:], strict=False)
        }
        assert steps == {40}


@pytest.mark.parametrize(
    ("options", "spec"),
    [
        ({"codec": "h265"}, {}),
        ({"codec": "mjpeg"}, {}),
        ({}, {"force_encode": True}),
        ({"codec": "h265"}, {"transport": "udp"}),
    ],
    ids=str,
)
def test_what_cannot_be_copied_is_encoded_on_the_clock_of_the_match(
    options: dict[str, Any], spec: dict[str, Any]
) -> None:
    with camera_in_thread(fps=25, **options) as server, playing(server.url, **spec) as run:
        run.wait_for(25)
        assert run.camera.transcoded
        assert run.camera.source_format == options.get("codec", "h264")
        steps = [
            round((after.pts_ns - before.pts_ns) / 1e6)
            for before, after in zip(run.frames, run.frames[1:], strict=False)
        ]
        # A busy machine may leave out pictures, and what comes after many that are missing may
        # take its time from the arrival again. Otherwise none is moved.
        assert statistics.multimode(step % 40 for step in steps[5:]) == [0]
        assert 40 in steps
        newest = max(frame.pts_ns for frame in run.frames)
        assert abs(time.monotonic_ns() - newest) < 2e9


MISBEHAVING: dict[str, dict[str, Any]] = {
    "constant stamps, packets twice": {"constant_stamps": True, "duplicate_every": 3},
    "no markers, stamps and numbers that jump": {
        "markers": "none", "stamp_jump_after": 0.7, "stamp_jump_s": -5000,
        "sequence_jump_after": 0.8,
    },
    "doubled stamps, held back, a new SSRC with each keyframe": {
        "double_stamp_every": 10, "ssrc_each_keyframe": True, "gop_s": 0.5,
        "hold_after": 0.6, "hold_for": 0.8,
    },
    "constant stamps without markers": {"constant_stamps": True, "markers": "none"},
}  # fmt: skip


@pytest.mark.parametrize("codec", ["h265", "mjpeg"])
@pytest.mark.parametrize("name", MISBEHAVING)
def test_no_delivered_picture_of_another_codec_is_lost(name: str, codec: str) -> None:
    soon_ns = time.monotonic_ns() + 80_000_000
    with (
        camera_in_thread(fps=25, codec=codec, **MISBEHAVING[name]) as server,
        playing(server.url, not_before_ns=soon_ns) as run,
    ):
        run.wait_for(45)
        time.sleep(0.3)
        sent = [entry for entry in delivered(server) if entry["captured_ns"] > soon_ns]
        eventually(lambda: len(run.frames) >= len(sent) - 2 or run.ends, "the pictures")
        assert len(run.frames) >= len(sent) - 2  # the first ones may count as before the start
        assert (run.ends, run.camera.lost) == ([], 0)
        times = [frame.pts_ns for frame in run.frames]
        assert times == sorted(set(times))
        assert times[0] >= soon_ns
        assert abs(time.monotonic_ns() - times[-1]) < 2e9


def test_no_picture_that_is_encoded_comes_from_before_the_start() -> None:
    start_ns = time.monotonic_ns() + 1_500_000_000
    with (
        camera_in_thread(fps=25, gop_s=0.2) as server,
        playing(server.url, force_encode=True, not_before_ns=start_ns) as run,
    ):
        run.wait_for(10)
        assert run.frames[0].keyframe
        assert start_ns <= run.frames[0].pts_ns < start_ns + 500_000_000


def test_a_camera_is_left_in_order_and_at_once() -> None:
    with camera_in_thread(fps=30) as server, playing(server.url) as run:
        run.wait_for(5)
        began = time.monotonic()
        run.camera.stop()
        assert time.monotonic() - began < 2
        eventually(
            lambda: any(e["method"] == "TEARDOWN" for e in server.ledger.entries("request")),
            "the TEARDOWN",
        )
