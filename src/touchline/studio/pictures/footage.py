"""Recorded pictures of a camera in order, each with its capture time."""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av

from touchline.foreign.files import SEGMENTS_FOLDER, checked_path, regular_entries
from touchline.media import matchfiles
from touchline.media.h264.colour import colour_of
from touchline.media.h264.syntax import Colour
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4 import writer
from touchline.studio.errors import StudioError
from touchline.studio.pictures.pairing import Shot

log = logging.getLogger(__name__)

AHEAD_FRAMES = 6
_POLL_S = 0.2
_CAMERA = re.compile(r"cam\d+")
_SAMPLED_FRAMES = 90


@dataclass(frozen=True)
class SegmentFile:
    """A segment file and the period it covers (Unix nanoseconds)."""

    path: Path
    start_ns: int
    end_ns: int
    width: int
    height: int
    frames: int
    colour: Colour | None
    """Colours according to its stream."""
    codec: writer.Codec


def files_of(folder: Path, camera: str) -> list[Path]:
    """List a camera's segment files, sorted by name; only regular files in real folders count."""
    segments = folder / SEGMENTS_FOLDER
    names = [entry.name for entry in regular_entries(segments)]
    return sorted(segments / name for name in names if matchfiles.is_of(name, camera))


def cameras_in(folder: Path) -> list[str]:
    """List the cameras with video files in a match, by number."""
    names = [entry.name for entry in regular_entries(folder / SEGMENTS_FOLDER)]
    found = {match[0] for name in names if (match := _CAMERA.search(name)) is not None}
    return sorted(
        (c for c in found if any(matchfiles.is_of(name, c) for name in names)),
        key=lambda camera: int(camera.removeprefix("cam")),
    )


def usable_files(folder: Path, camera: str) -> matchfiles.Files:
    """Return a camera's usable files, and the reasons why others are unusable."""
    files = matchfiles.usable(files_of(folder, camera))
    for reason in files.refused.values():
        log.warning("%s", reason)
    return files


def segment_files_in(files: matchfiles.Files) -> list[SegmentFile]:
    """Return a camera's segments in capture order, without unusable files."""
    return [segment_file_of(path, index) for path, index, _ in files.usable]


def left_out(cameras: Iterable[matchfiles.Files]) -> dict[str, dict[str, str]]:
    """Return the part of a verb's result that lists unusable files; empty without any."""
    found = {name: why for files in cameras for name, why in files.refused.items()}
    return {"left_out": found} if found else {}


def segment_file_of(path: Path, index: mp4scan.Indexed) -> SegmentFile:
    """Return the segment of a file, which must contain at least one frame."""
    scan, start_ns = index.scan, index.scan.start_unix_ns or 0
    codec = index.table.codec
    size = scan.width, scan.height
    colour = colour_of(codec.avcc)
    return SegmentFile(
        path, start_ns, start_ns + scan.duration_ns, *size, scan.frames, colour, codec
    )


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a video file that must be a regular one. Raises OSError and `av.FFmpegError`."""
    with checked_path(path) as checked:
        container = av.open(checked)
    with container:
        yield container


def period_ns_of(reels: Sequence[SegmentFile]) -> int:
    """Return the usual interval between two frames."""
    frames = sum(reel.frames for reel in reels)
    lasted_ns = sum(reel.end_ns - reel.start_ns for reel in reels)
    if frames < 2 or lasted_ns <= 0:
        raise StudioError("no_footage", "This camera has no footage")
    longest = max(reels, key=lambda reel: reel.frames)
    with opened(longest.path) as file:
        times = []
        for packet in file.demux(file.streams.video[0]):
            if packet.pts is not None and packet.time_base is not None:
                times.append(int(packet.pts * packet.time_base * 1_000_000_000))
            if len(times) >= _SAMPLED_FRAMES:
                break
    times.sort()
    steps = sorted(b - a for a, b in pairwise(times))
    # The median: lost frames and gaps would distort a mean.
    return steps[len(steps) // 2] if steps else lasted_ns // frames


def fps_of(period_ns: int) -> Fraction:
    """Return the frame rate, rounded to the usual rate of cameras."""
    exact = Fraction(1_000_000_000, period_ns)
    for known in (Fraction(r) for r in (24, 25, 30, 50, 60)):
        if abs(exact - known) < Fraction(1, 50):
            return known
    broadcast = Fraction(round(exact) * 1000, 1001)
    return broadcast if abs(exact - broadcast) < Fraction(1, 50) else exact.limit_denominator(1001)


def shots(
    reels: Sequence[SegmentFile], *, from_ns: int | None = None, to_ns: int | None = None
) -> Iterator[Shot[av.VideoFrame]]:
    """Yield decoded pictures (yuv420p) in order; a truncated file is read up to its end."""
    last_ns = -1
    for reel in reels:
        if from_ns is not None and reel.end_ns <= from_ns:
            continue
        if to_ns is not None and reel.start_ns >= to_ns:
            return
        for shot in _shots_of(reel, from_ns):
            if to_ns is not None and shot.at_ns >= to_ns:
                return
            if shot.at_ns > last_ns and (from_ns is None or shot.at_ns >= from_ns):
                last_ns = shot.at_ns
                yield shot


def _shots_of(reel: SegmentFile, from_ns: int | None) -> Iterator[Shot[av.VideoFrame]]:
    try:
        with opened(reel.path) as file:
            stream = file.streams.video[0]
            stream.codec_context.thread_count = 1
            if from_ns is not None and from_ns > reel.start_ns and stream.time_base is not None:
                into_s = Fraction(from_ns - reel.start_ns, 1_000_000_000)
                file.seek(int(into_s / stream.time_base), stream=stream, backward=True)
            for frame in file.decode(stream):
                if frame.pts is None or frame.time_base is None:
                    continue
                at_ns = reel.start_ns + int(frame.pts * frame.time_base * 1_000_000_000)
                if frame.format.name not in {"yuv420p", "yuvj420p"}:
                    frame = frame.reformat(format="yuv420p")  # noqa: PLW2901
                yield Shot(at_ns, frame)
    except (av.FFmpegError, FileNotFoundError) as error:
        log.warning("%s ends early: %s", reel.path.name, error)


class Ahead:
    """Decoder thread that yields the same shots some frames ahead. Close it when done."""

    def __init__(self, source: Iterator[Shot[av.VideoFrame]], name: str) -> None:
        self._source = source
        self._queue: queue.Queue[Shot[av.VideoFrame] | None] = queue.Queue(AHEAD_FRAMES)
        self._closed = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._fill, name=f"decode {name}", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Shot[av.VideoFrame]]:
        while True:
            shot = self._queue.get()
            if shot is None:
                if self._error is not None:
                    raise self._error
                return
            yield shot

    def close(self) -> None:
        """Stop decoding."""
        self._closed.set()
        self._thread.join()

    def _fill(self) -> None:
        try:
            for shot in self._source:
                if not self._put(shot):
                    return
        except Exception as error:  # noqa: BLE001  (raised in the reader)
            self._error = error
        self._put(None)

    def _put(self, shot: Shot[av.VideoFrame] | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(shot, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False
