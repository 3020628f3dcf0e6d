from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import gi
import pytest

from support.coded import Take
from support.frames import counters
from support.segments import write_open
from touchline.ipc.wire import Element, Picture, PipelineSpec
from touchline.worker.pipeline.elements import BuildError, available, set_property
from touchline.worker.pipeline.pipeline import Pipeline

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

DEADLINE_S = 60.0
FPS = 25
ENCODE = (
    Element("videoconvert"),
    Element("capsfilter", {"caps": "video/x-raw,format=I420"}),
    Element(
        "x264enc",
        {
            "speed-preset": "ultrafast",
            "tune": "zerolatency",
            "key-int-max": FPS,
            "option-string": "scenecut=0",
        },
    ),
)
PICTURE = PipelineSpec(
    kind="test", source=(), encode=ENCODE, picture=Picture("Test", 320, 180, FPS)
)


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    Gst.init(None)


def camera(*, leaky: bool = False) -> PipelineSpec:
    """Raw pictures at the pace of a clock, as from a V4L2 camera."""
    queue: tuple[Element, ...] = ()
    if leaky:
        limits = {"max-size-buffers": 2, "max-size-bytes": 0, "max-size-time": 0}
        # An encoder that takes 100 ms for a picture that comes every 40 ms.
        slow = Element("identity", {"sleep-time": 100_000})
        queue = (Element("queue", {"leaky": "downstream", **limits}), slow)
    caps = f"video/x-raw,format=YUY2,width=320,height=180,framerate={FPS}/1"
    return PipelineSpec(
        kind="v4l2",
        source=(Element("videotestsrc", {"is-live": True}), Element("capsfilter", {"caps": caps})),
        encode=(*queue, *ENCODE),
    )


def file_source(path: Path, *, loop: bool = True) -> PipelineSpec:
    return PipelineSpec(
        kind="file",
        source=(Element("filesrc", {"location": str(path)}),),
        encode=ENCODE,
        demux=True,
        loop=loop,
        start_timeout_s=5,
    )


class Run(Take):
    """A pipeline's frames, end and warnings."""

    def __init__(self, spec: PipelineSpec) -> None:
        super().__init__()
        self.ended = threading.Event()
        self.ends: list[str] = []
        self.warnings: list[str] = []
        self.pipeline = Pipeline(
            spec, on_frame=self.push, on_end=self._end, on_warning=self.warnings.append
        )

    def _end(self, reason: str) -> None:
        self.ends.append(reason)
        self.ended.set()

    def wait_for(self, count: int) -> None:
        eventually(lambda: len(self.frames) >= count, f"{count} frames ({self.ends})")


def eventually(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.005)


@contextmanager
def running(spec: PipelineSpec, not_before_ns: int = 0) -> Iterator[Run]:
    run = Run(spec)
    try:
        run.pipeline.start(not_before_ns)
        yield run
    finally:
        run.pipeline.stop()
    assert all(not thread.is_alive() for thread in run.pipeline._threads)


def drawn(path: Path, seconds: float, *codec: str) -> Path:
    """A file made by ffmpeg of one of its own moving pictures."""
    source = f"testsrc=size=320x180:rate={FPS}:duration={seconds}"
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", source]
    subprocess.run([*command, "-pix_fmt", "yuv420p", *codec, str(path)], check=True)
    return path


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2", "-b_strategy", "0")


def interval_ms(run: Run) -> Sequence[int]:
    shown = sorted(frame.pts_ns for frame in run.frames)
    return [round((b - a) / 1e6) for a, b in pairwise(shown)]


# ----------------------------------------------------------- the simulated camera


def test_the_simulated_cameras_pictures_come_without_an_uncounted_gap(tmp_path: Path) -> None:
    with running(PICTURE) as run:
        run.wait_for(40)
    assert run.frames[0].keyframe
    path = write_open(tmp_path / "taken.mp4", run.frames)
    found = counters(path)
    missing = found[-1] - found[0] + 1 - len(found)
    assert missing <= run.pipeline.source_skipped, "what a busy machine leaves out is counted"
    period_ns = 1_000_000_000 // FPS
    # Picture n is taken at n periods of the clock: two cameras are in step without a word.
    assert [frame.pts_ns // period_ns for frame in run.frames] == found
    assert run.pipeline.codec is not None
    assert run.pipeline.codec[:2] == (320, 180)
    assert not run.ends
    assert not run.pipeline.transcoded


def test_no_picture_is_taken_before_the_common_start() -> None:
    start_ns = time.monotonic_ns() + 300_000_000
    with running(PICTURE, start_ns) as run:
        run.wait_for(1)
    assert 0 <= run.frames[0].pts_ns - start_ns <= 1_000_000_000 / FPS


def test_a_keyframe_comes_when_it_is_asked_for() -> None:
    long_gop = replace(
        PICTURE, encode=(*ENCODE[:2], replace(ENCODE[2], properties=_without_limit()))
    )
    with running(long_gop) as run:
        run.wait_for(5)
        assert [frame.keyframe for frame in run.frames].count(True) == 1
        run.pipeline.request_keyframe()
        eventually(lambda: sum(f.keyframe for f in run.frames) == 2, "the keyframe")
        asked = len(run.frames)
    assert asked < 5 + FPS


def _without_limit() -> dict[str, Any]:
    return {**ENCODE[2].properties, "key-int-max": 1000}


def test_a_stop_that_was_asked_for_is_no_failure() -> None:
    run = Run(PICTURE)
    run.pipeline.start()
    run.wait_for(1)
    run.pipeline.stop()
    assert not run.ends, "a stop that was asked for is no failure"


# --------------------------------------------------------------- raw cameras


def test_a_raw_camera_is_encoded_on_the_clock_of_the_match() -> None:
    before = time.monotonic_ns()
    with running(camera()) as run:
        run.wait_for(20)
    assert before <= run.frames[0].pts_ns <= time.monotonic_ns()
    assert set(interval_ms(run)) <= {39, 40, 41}
    assert run.pipeline.queue_overruns == 0
    assert run.pipeline.data_seen
    assert run.pipeline.transcoded


def test_pictures_dropped_before_the_encoder_are_counted() -> None:
    with running(camera(leaky=True)) as run:
        run.wait_for(8)
        span = run.frames[7].pts_ns - run.frames[0].pts_ns
        overruns = run.pipeline.queue_overruns
    dropped = round(span / 1e9 * FPS) - 7
    assert dropped > 3
    assert overruns >= dropped


def test_a_camera_that_delivers_h264_is_not_encoded_again() -> None:
    raw = camera()
    spec = replace(raw, source=(*raw.source, *ENCODE), encode=(), delivers_h264=True)
    with running(spec) as run:
        run.wait_for(10)
    assert not run.pipeline.transcoded


def test_a_source_that_ends_is_said_to_have_ended() -> None:
    raw = camera()
    spec = replace(
        raw, source=(Element("videotestsrc", {"is-live": True, "num-buffers": 5}), raw.source[1])
    )
    with running(spec) as run:
        assert run.ended.wait(DEADLINE_S)
    assert run.ends == ["the source ended"]
    assert len(run.frames) == 5


def test_an_error_within_the_pipeline_is_told_once_in_its_own_words() -> None:
    raw = camera()
    spec = replace(raw, source=(*raw.source, Element("identity", {"error-after": 5})))
    with running(spec) as run:
        assert run.ended.wait(DEADLINE_S)
    assert len(run.ends) == 1
    assert "identity" in run.ends[0]


# --------------------------------------------------------------------- files


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_file_is_copied_again_and_again_at_its_own_pace(tmp_path: Path, name: str) -> None:
    path = drawn(tmp_path / name, 1, *H264)
    with running(file_source(path)) as run:
        began = time.monotonic()
        run.wait_for(2 * FPS + 5)
        took_s = time.monotonic() - began
    assert not run.pipeline.transcoded
    assert run.pipeline.source_format == "h264"
    assert not run.ends
    assert took_s > 1.5, "a file is not read faster than it would be filmed"
    decoded = [frame.dts_ns for frame in run.frames]
    assert decoded == sorted(set(decoded))
    first, second = run.frames[:FPS], run.frames[FPS : 2 * FPS]
    assert [len(f.data) for f in first] == [len(f.data) for f in second], "the same file again"
    assert set(interval_ms(run)[:-5]) == {40}, "the seam shows no jump either"


def test_a_file_with_another_codec_is_transcoded_and_says_so(tmp_path: Path) -> None:
    path = drawn(tmp_path / "clip.mp4", 1, "-c:v", "mpeg4")
    with running(file_source(path)) as run:
        run.wait_for(FPS)
    assert run.pipeline.transcoded
    assert run.pipeline.source_format == "mpeg4"


def test_a_file_that_must_be_cropped_is_encoded_again(tmp_path: Path) -> None:
    path = drawn(tmp_path / "clip.mp4", 1, *H264)
    crop = Element("videocrop", {"left": 20})
    spec = replace(file_source(path), force_encode=True, encode=(crop, *ENCODE))
    with running(spec) as run:
        run.wait_for(5)
    assert run.pipeline.transcoded
    assert run.pipeline.source_format == "h264"
    assert run.frames[0].codec.width == 300


def test_a_file_that_is_not_looped_is_played_once_at_its_own_pace(tmp_path: Path) -> None:
    path = drawn(tmp_path / "clip.mp4", 1, *H264)
    began = time.monotonic()
    with running(file_source(path, loop=False)) as run:
        assert run.ended.wait(DEADLINE_S)
        took_s = time.monotonic() - began
    assert run.ends == ["the source ended"]
    assert len(run.frames) == FPS
    assert took_s > 0.7


# ------------------------------------------------------------- what cannot be


def refusal(spec: PipelineSpec) -> str:
    """Why the pipeline cannot be built or started."""
    with pytest.raises(BuildError) as refused, running(spec):
        pass
    return str(refused.value)


def test_a_missing_element_is_named() -> None:
    spec = replace(camera(), source=(Element("nonsensesrc"),))
    with pytest.raises(BuildError, match="the GStreamer element nonsensesrc is not installed"):
        Run(spec)


def test_a_missing_encoder_is_named_though_it_is_needed_only_later(tmp_path: Path) -> None:
    path = drawn(tmp_path / "clip.mp4", 1, "-c:v", "mpeg4")
    spec = replace(file_source(path), encode=(Element("nonsenseenc"),))
    run = Run(spec)
    try:
        with pytest.raises(BuildError, match="nonsenseenc is not installed"):
            run.pipeline.start()
    finally:
        run.pipeline.stop()
    assert not run.frames, "and at once"


@pytest.mark.parametrize(
    ("element", "complaint"),
    [
        (Element("videotestsrc", {"colour": 1}), "videotestsrc has no property colour"),
        (Element("videotestsrc", {"pattern": "tartan"}), "does not take 'tartan' as its pattern"),
        (Element("videotestsrc", {"num-buffers": "many"}), "does not take 'many'"),
        (Element("videotestsrc", {"num-buffers": 1 << 40}), "does not take"),
        (Element("capsfilter", {"caps": "!!,,"}), "capsfilter does not take '!!,,' as its caps"),
    ],
)
def test_a_property_that_cannot_be_set_is_named(element: Element, complaint: str) -> None:
    with pytest.raises(BuildError, match=complaint):
        Run(replace(camera(), source=(element,)))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pattern", "ball", 18),
        ("pattern", "18", 18),
        ("is-live", True, True),
        ("num-buffers", 7, 7),
        ("num-buffers", "7", 7),
    ],
)
def test_properties_are_set_from_plain_values(name: str, text: Any, expected: Any) -> None:
    source = Gst.ElementFactory.make("videotestsrc", None)
    set_property(source, name, text)
    assert source.get_property(name) == expected


def test_flags_are_set_from_their_names() -> None:
    source = Gst.ElementFactory.make("rtspsrc", None)
    set_property(source, "protocols", "udp+tcp")
    assert set(source.get_property("protocols").value_nicks) - {"unknown"} == {"udp", "tcp"}
    with pytest.raises(BuildError, match="carrier pigeon"):
        set_property(source, "protocols", "carrier pigeon")


def test_elements_that_cannot_be_linked_are_named() -> None:
    spec = replace(camera(), source=(Element("fakesink"), Element("identity")))
    with pytest.raises(BuildError, match="cannot link fakesink to identity"):
        Run(spec)


def test_a_camera_without_a_source_is_refused() -> None:
    with pytest.raises(BuildError, match="no source"):
        Run(replace(camera(), source=()))


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    assert "No such file" in refusal(file_source(tmp_path / "nothing.mp4"))


def test_a_file_without_a_picture_is_refused_in_gstreamers_words(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_bytes(b"these are not the frames you are looking for" * 100)
    assert "decodebin" in refusal(file_source(path)) or "type" in refusal(file_source(path))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert refusal(file_source(tmp_path / "empty.mp4"))


def test_a_transport_stream_cannot_be_looped_and_says_what_can(tmp_path: Path) -> None:
    path = drawn(tmp_path / "clip.ts", 1, *H264)
    assert "use MP4 or Matroska" in refusal(file_source(path))


def test_only_elements_that_are_there_are_called_available() -> None:
    assert available(("x264enc", "nonsenseenc", "videoconvert")) == ["x264enc", "videoconvert"]


def test_what_was_looped_decodes_without_an_error(tmp_path: Path) -> None:
    with running(PICTURE) as run:
        run.wait_for(FPS)
    clip = write_open(tmp_path / "clip.mp4", run.frames[:FPS])
    with running(file_source(clip)) as looped:
        looped.wait_for(2 * FPS)
    taken = counters(write_open(tmp_path / "taken.mp4", looped.frames[: 2 * FPS]))
    first = taken[0]
    assert taken == [*range(first, first + FPS)] * 2


def test_a_file_that_begins_again_may_be_stopped_at_any_moment(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "clip.mp4", 0.2, *H264)
    for number in range(30):
        run = Run(file_source(clip))
        run.pipeline.start()
        run.wait_for(1 + number % 11)
        stopping = threading.Thread(target=run.pipeline.stop, daemon=True)
        stopping.start()
        stopping.join(DEADLINE_S)
        assert not stopping.is_alive(), f"the stop after {len(run.frames)} frames hangs"
