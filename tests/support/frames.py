"""What a video file shows, frame by frame: the burnt-in counters, decoded with ffmpeg."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path

from touchline.media.picture.testpicture import counter_bottom, read_counter


def counters(path: Path | str, *, most: int | None = None) -> list[int]:
    """The counter of each frame in the order of presentation; fails at a frame without one.

    With `most` it looks at no more than so many.
    """
    width, height = size(path)
    lines = counter_bottom(height)
    lines += lines % 2
    command = [
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-i", str(path), "-map", "0:v:0"),
        *("-vf", f"crop={width}:{lines}:0:0,format=gray", "-fps_mode", "passthrough"),
        *(("-frames:v", str(most)) if most is not None else ()),
        *("-f", "rawvideo", "-"),
    ]
    found: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ffmpeg:
        assert ffmpeg.stdout is not None
        assert ffmpeg.stderr is not None
        while luma := ffmpeg.stdout.read(width * lines):
            assert len(luma) == width * lines, f"{path}: ffmpeg stopped inside frame {len(found)}"
            counter = read_counter(luma, width, height)
            assert counter is not None, f"{path}: frame {len(found)} shows no readable counter"
            found.append(counter)
        complaint = ffmpeg.stderr.read().decode(errors="replace")
    assert ffmpeg.returncode == 0, f"{path}: ffmpeg failed: {complaint}"
    return found


def assert_gapless(*paths: Path | str) -> list[int]:
    """The counters of the files one after the other, which must rise by one from frame to frame."""
    found = [counter for path in paths for counter in counters(path)]
    assert found, f"no frame at all in {[str(path) for path in paths]}"
    steps = [
        f"frame {n}: {before} -> {after}"
        for n, (before, after) in enumerate(pairwise(found), start=1)
        if after != before + 1
    ]
    assert not steps, f"{len(steps)} gaps in {len(found)} frames: {'; '.join(steps[:10])}"
    return found


def size(path: Path | str) -> tuple[int, int]:
    """Width and height of the first video stream in pixels."""
    stream = probe(path)["streams"][0]
    return int(stream["width"]), int(stream["height"])


def probe(path: Path | str) -> dict[str, list[dict[str, str]]]:
    """The video streams of a file as ffprobe sees them."""
    command = [
        *("ffprobe", "-loglevel", "error", "-select_streams", "v", "-show_streams"),
        *("-of", "json", str(path)),
    ]
    answer = subprocess.run(command, capture_output=True, check=False)
    assert answer.returncode == 0, f"{path}: ffprobe failed: {answer.stderr.decode()}"
    found: dict[str, list[dict[str, str]]] = json.loads(answer.stdout)
    assert found["streams"], f"{path}: no video stream"
    return found
