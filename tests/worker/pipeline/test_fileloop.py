"""Files as cameras: played at their own pace, looped by `fileloop`, transcoded, refused."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from support.frames import counters
from support.pipelineruns import (
    DEADLINE_S,
    ENCODE,
    FPS,
    H264,
    PICTURE,
    Run,
    drawn,
    file_source,
    interval_ms,
    running,
)
from support.segments import write_open
from touchline.ipc.wire import Element, PipelineSpec
from touchline.worker.pipeline.elements import BuildError


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


def refusal(spec: PipelineSpec) -> str:
    """Why the pipeline cannot be built or started."""
    with pytest.raises(BuildError) as refused, running(spec):
        pass
    return str(refused.value)


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
