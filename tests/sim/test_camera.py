from __future__ import annotations

import dataclasses
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support.footage import assert_delivered, rising, span
from support.frames import counters, probe, size
from support.rtsp import RtspCamera, rtsp_camera
from touchline.sim.camera import CameraOptions, main

SMALL: dict[str, Any] = {"width": 320, "height": 180, "bitrate": 500}
DEADLINE_S = 60.0


def client(url: str, path: Path, *options: str) -> list[str]:
    """The command of a client that writes what it gets, packet by packet, to a Matroska file."""
    return [
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-rtsp_transport", "tcp", "-i", url),
        *("-c", "copy", "-flush_packets", "1", *options, str(path)),
    ]


def record(url: str, path: Path, seconds: float = 1.5, *options: str) -> Path:
    command = client(url, path, "-t", str(seconds), *options)
    subprocess.run(command, check=True, timeout=DEADLINE_S)
    return path


@contextmanager
def recording(url: str, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A client that runs until it is told to end, or its camera goes."""
    with subprocess.Popen(client(url, path)) as process:
        try:
            wait_until(lambda: bytes_in(path) > 20_000, "the client gets frames")
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(DEADLINE_S)


def bytes_in(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def wait_until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def wait_until_quiet(path: Path, quiet_s: float) -> int:
    """The size of the file once it has not grown for that long."""
    deadline = time.monotonic() + DEADLINE_S
    size_bytes, since = bytes_in(path), time.monotonic()
    while time.monotonic() - since < quiet_s:
        assert time.monotonic() < deadline, f"{path} goes on growing"
        time.sleep(0.02)
        if bytes_in(path) != size_bytes:
            size_bytes, since = bytes_in(path), time.monotonic()
    return size_bytes


def complete(camera: RtspCamera, path: Path) -> list[int]:
    """What a client wrote, which lacks nothing that the camera delivered to anybody."""
    found = rising(path)
    assert_delivered(found, camera.ledger())
    return found


def gaps(found: list[int]) -> list[int]:
    """How many frames are missing at each place where some are."""
    return [after - before - 1 for before, after in pairwise(found) if after != before + 1]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"port": 70000}, "--port must be"),
        ({"path": "a b"}, "--path must be"),
        ({"path": "/cam"}, "--path must be"),
        ({"path": ""}, "--path must be"),
        ({"width": 321}, "--width must be even"),
        ({"height": 40}, "--height must be even"),
        ({"fps": Fraction(0)}, "--fps must be"),
        ({"bitrate_kbps": 0}, "--bitrate must be"),
        ({"gop_s": 0.0}, "--gop-s must be"),
        ({"codec": "mjpeg", "width": 3840, "height": 2160}, "mjpeg reaches 2040 pixels"),
        ({"stall_after_s": -1.0}, "--stall-after must not"),
        ({"stall_for_s": 1.0}, "needs --stall-after"),
        ({"user": "coach"}, "--user and --password go together"),
        ({"user": "a:b", "password": "c"}, "--user must not contain a colon"),
    ],
)
def test_each_impossible_option_is_named(changes: dict[str, Any], fault: str) -> None:
    faults = dataclasses.replace(CameraOptions(), **changes).faults()
    assert len(faults) == 1
    assert fault in faults[0]


def test_the_default_camera_is_possible() -> None:
    assert CameraOptions().faults() == []


def test_a_stall_begins_and_ends_when_it_was_asked_for() -> None:
    assert not CameraOptions().stalled(1e9)
    for_ever = CameraOptions(stall_after_s=2.0)
    assert [for_ever.stalled(s) for s in (0, 1.99, 2, 1e9)] == [False, False, True, True]
    for_a_while = CameraOptions(stall_after_s=2.0, stall_for_s=3.0)
    assert [for_a_while.stalled(s) for s in (1.99, 2, 4.99, 5)] == [False, True, True, False]


def test_wrong_options_are_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--port", "0", "--width", "99", "--stall-for", "1"]) == 2
    complaint = capsys.readouterr().err
    assert "--width must be even" in complaint
    assert "--stall-for" in complaint


def test_a_rate_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--port", "0", "--fps", "1/0"])
    assert "'1/0' is not a rate" in capsys.readouterr().err


def test_a_port_in_use_is_said_plainly() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        answer = subprocess.run(
            [sys.executable, "-m", "touchline.sim.camera", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
    assert answer.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in answer.stderr
    assert answer.stdout == ""


def test_a_client_gets_every_frame(tmp_path: Path) -> None:
    with rtsp_camera(**SMALL, fps=50) as camera:
        path = record(camera.url, tmp_path / "a.mkv", 2)
        assert size(path) == (320, 180)
        assert probe(path)["streams"][0]["codec_name"] == "h264"
        assert span(complete(camera, path)) >= 90


def test_clients_share_one_stream_and_the_counter_runs_on_without_them(tmp_path: Path) -> None:
    with rtsp_camera(**SMALL) as camera:
        with recording(camera.url, tmp_path / "a.mkv"):
            record(camera.url, tmp_path / "b.mkv")
        later = complete(camera, record(camera.url, tmp_path / "c.mkv"))
        first, second = (complete(camera, tmp_path / name) for name in ("a.mkv", "b.mkv"))
    assert first[0] < second[0] < first[-1]
    assert later[0] > first[-1]


def test_a_stalled_camera_is_silent_on_an_open_connection(tmp_path: Path) -> None:
    with rtsp_camera(**SMALL, stall_after=1, stall_for=1.5) as camera:
        path = record(camera.url, tmp_path / "a.mkv", 4)
        found = complete(camera, path)
    assert max(gaps(found)) >= 43  # 1.5 s at 30 frames a second


def test_a_frozen_camera_sends_nothing_until_it_is_thawed(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with rtsp_camera(**SMALL) as camera, recording(camera.url, path) as viewer:
        camera.freeze()
        before = wait_until_quiet(path, 1.0)
        camera.thaw()
        wait_until(lambda: bytes_in(path) > before + 20_000, "frames come again")
        assert viewer.poll() is None
    # A second at 30 frames a second, less what was on its way.
    assert max(gaps(counters(path))) >= 20


def test_a_killed_camera_breaks_its_connections_and_comes_back_at_the_same_url(
    tmp_path: Path,
) -> None:
    with rtsp_camera(**SMALL) as camera:
        url = camera.url
        with recording(url, tmp_path / "a.mkv") as viewer:
            camera.kill()
            viewer.wait(DEADLINE_S)
        assert not camera.running
        camera.start()
        assert camera.url == url
        first_life = len(camera.ledger())
        assert_delivered(rising(record(url, tmp_path / "b.mkv")), camera.ledger()[first_life:])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_even_with_a_client(tmp_path: Path, number: int) -> None:
    with rtsp_camera(**SMALL) as camera, recording(camera.url, tmp_path / "a.mkv") as viewer:
        assert camera.terminate(number) == 0
        viewer.wait(DEADLINE_S)
        assert camera.errors() == ""


def test_credentials_are_asked_for_and_taken(tmp_path: Path) -> None:
    with rtsp_camera(**SMALL, user="coach", password="p@ss") as camera:
        with pytest.raises(subprocess.CalledProcessError):
            record(camera.url, tmp_path / "a.mkv")
        with pytest.raises(subprocess.CalledProcessError):
            record(camera.url.replace("//", "//coach:wrong@"), tmp_path / "b.mkv")
        path = record(camera.url.replace("//", "//coach:p%40ss@"), tmp_path / "c.mkv")
    assert counters(path)


@pytest.mark.parametrize(("codec", "name"), [("h265", "hevc"), ("mjpeg", "mjpeg")])
def test_other_codecs_are_served_too(tmp_path: Path, codec: str, name: str) -> None:
    with rtsp_camera(**SMALL, codec=codec, fps=15) as camera:
        path = record(camera.url, tmp_path / "a.mkv")
        assert probe(path)["streams"][0]["codec_name"] == name
        complete(camera, path)


def test_a_tone_beside_the_picture_is_a_second_stream(tmp_path: Path) -> None:
    with rtsp_camera(**SMALL, audio=True) as camera:
        path = record(camera.url, tmp_path / "a.mkv")
        complete(camera, path)
    shown = subprocess.run(
        ["ffprobe", "-loglevel", "error", "-show_entries", "stream=codec_type", "-of", "csv", path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(shown.stdout.split()) == ["stream,audio", "stream,video"]


def test_a_camera_that_cannot_start_says_why() -> None:
    camera = RtspCamera(width=99)
    with pytest.raises(RuntimeError, match="--width must be even"):
        camera.start()
    assert not camera.running
    camera.close()
