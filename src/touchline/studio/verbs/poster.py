"""The verb `poster`: create the picture of a match for lists.

`spec` has `folder` and `moments_ns`, instants on the match clock that may show something, the best
first. The first camera with a usable picture is shown. Only single keyframes are decoded.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from touchline.media import matchfiles
from touchline.studio.errors import StudioError
from touchline.studio.pictures.footage import (
    SegmentFile,
    cameras_in,
    opened,
    segment_files_in,
    usable_files,
)
from touchline.studio.pictures.jpeg import POSTER_HEIGHT, Picture, scaled, write_jpeg
from touchline.studio.verbs import Tell

log = logging.getLogger(__name__)

PLACES = (0.1, 0.25, 0.5, 0.75, 0.02)
"""Parts of the match that are looked at after the moments, in this order."""

MOST_LOOKS = 8
CONTRAST = 12.0
"""Standard deviation of grey values from which a picture shows something.

A covered lens, a night or a wall has less.
"""

_NANO = 1_000_000_000


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Write `<camera>_poster.jpg` and return its name and the instant that it shows."""
    folder = Path(spec["folder"])
    reasons: list[str] = []
    for camera in cameras_in(folder):
        files = usable_files(folder, camera)
        reasons += files.refused.values()
        reels = segment_files_in(files)
        found = _best(reels, list(spec["moments_ns"]), stopping) if reels else None
        if found is None:
            continue
        at_ns, picture = found
        name = f"{camera}_poster.jpg"
        try:
            write_jpeg(folder / name, scaled(picture, POSTER_HEIGHT))
        except OSError as error:
            raise StudioError(
                "not_written", f"{name} cannot be written: {error.strerror or error}"
            ) from error
        tell({"done": 1, "total": 1})
        return {"poster": name, "at_ns": at_ns}
    raise StudioError("no_footage", matchfiles.as_text(reasons) or "No frame could be decoded")


def _best(
    reels: Sequence[SegmentFile], moments_ns: Sequence[int], stopping: threading.Event
) -> tuple[int, Picture] | None:
    """Return the first picture with enough contrast, or else the one that has the most."""
    best: tuple[float, int, Picture] | None = None
    for at_ns in _instants(reels, moments_ns):
        if stopping.is_set():
            raise StudioError("stopped", "It was stopped")
        picture = _picture(reels, at_ns)
        if picture is None:
            continue
        contrast = float(np.std(scaled(picture, 90).mean(axis=2)))
        if contrast >= CONTRAST:
            return at_ns, picture
        if best is None or contrast > best[0]:
            best = contrast, at_ns, picture
    return None if best is None else best[1:]


def _instants(reels: Sequence[SegmentFile], moments_ns: Sequence[int]) -> Iterator[int]:
    start_ns, end_ns = reels[0].start_ns, max(reel.end_ns for reel in reels)
    within = [at for at in moments_ns if start_ns <= at < end_ns]
    yield from within[: MOST_LOOKS - len(PLACES)]
    for part in PLACES:
        yield start_ns + int((end_ns - start_ns) * part)


def _picture(reels: Sequence[SegmentFile], at_ns: int) -> Picture | None:
    """Decode the keyframe before an instant, or the first one of the segment after a gap."""
    reel = next((reel for reel in reels if reel.end_ns > at_ns), reels[-1])
    try:
        with opened(reel.path) as file:
            stream = file.streams.video[0]
            stream.codec_context.skip_frame = "NONKEY"
            stream.codec_context.thread_count = 1
            if at_ns > reel.start_ns and stream.time_base is not None:
                into_s = Fraction(at_ns - reel.start_ns, _NANO)
                file.seek(int(into_s / stream.time_base), stream=stream, backward=True)
            frame = next(file.decode(stream), None)
            if frame is not None:
                return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    except (av.FFmpegError, OSError, IndexError) as error:
        log.warning("%s has no picture there: %s", reel.path.name, error)
    return None
