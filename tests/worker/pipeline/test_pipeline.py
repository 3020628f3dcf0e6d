"""Pipelines of simulated, raw and H.264 cameras."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gi
import pytest

from support.frames import counters
from support.pipelineruns import (
    DEADLINE_S,
    ENCODE,
    FPS,
    PICTURE,
    Run,
    camera,
    eventually,
    interval_ms,
    running,
)
from support.segments import write_open
from touchline.ipc.wire import Element, PipelineSpec

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


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


SLOW_MS = 80
SLOW = PipelineSpec(
    kind="rtsp",
    source=(Element("jpegparse"),),
    encode=(
        Element("queue", {"max-size-buffers": 2, "max-size-bytes": 0, "max-size-time": 0}),
        Element("identity", {"sleep-time": SLOW_MS * 1000}),
        *ENCODE,
    ),
    demux=True,
)


@pytest.fixture(scope="module")
def jpeg(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("jpeg") / "picture.jpg"
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=320x180"]
    subprocess.run([*command, "-pix_fmt", "yuvj420p", "-frames:v", "1", str(path)], check=True)
    return path.read_bytes()


def push_at_once(run: Run, picture: bytes, frames: int) -> None:
    """Push so many pictures that were held back, 40 ms apart and all in the past."""
    first_ns = time.monotonic_ns() - frames * 40_000_000
    for number in range(frames):
        run.pipeline.push(picture, first_ns + number * 40_000_000, None, keyframe=True)


def test_pictures_that_were_delivered_late_wait_for_a_slow_encoder(jpeg: bytes) -> None:
    with running(SLOW, caps=Gst.Caps.from_string("image/jpeg")) as run:
        push_at_once(run, jpeg, 48)
        run.wait_for(45)  # parser and timeline wait for what comes after a picture
        assert run.pipeline.queue_overruns == 0


def test_an_encoder_that_is_too_slow_drops_counted_pictures_until_it_is_close_again(
    jpeg: bytes,
) -> None:
    with running(SLOW, caps=Gst.Caps.from_string("image/jpeg")) as run:
        push_at_once(run, jpeg, 200)
        eventually(
            lambda: len(run.frames) + run.pipeline.queue_overruns >= 196,
            "all but the last are encoded or counted",
        )
        assert 0 < run.pipeline.queue_overruns < 150
