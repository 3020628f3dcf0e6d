"""The verb `sprites`: create small pictures for finding moments in a match.

For each camera, and for the panorama if there is one: a sheet of thumbnails (JPEG), a WebVTT file
that maps times to parts of the sheet, and a poster. `spec` has `folder`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from touchline.foreign.files import replace_whole
from touchline.media import matchfiles
from touchline.media.mp4 import scan
from touchline.studio.errors import StudioError
from touchline.studio.pictures.footage import (
    SegmentFile,
    cameras_in,
    left_out,
    opened,
    segment_file_of,
    segment_files_in,
    usable_files,
)
from touchline.studio.pictures.jpeg import POSTER_HEIGHT, Picture, scaled, write_jpeg
from touchline.studio.verbs import Tell
from touchline.studio.verbs.panorama import ARCHIVE

THUMB_HEIGHT = 90
MOST_THUMBS = 400
LEAST_STEP_S = 2.0
_COLUMNS = 10
_NANO = 1_000_000_000


@dataclass(frozen=True)
class _Thumb:
    at_s: float
    picture: Picture


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Create the sheets; their times count from the start of the match."""
    folder = Path(spec["folder"])
    files = {camera: usable_files(folder, camera) for camera in cameras_in(folder)}
    footage = {camera: segment_files_in(found) for camera, found in files.items()}
    starts = [reels[0].start_ns for reels in footage.values() if reels]
    if not starts:
        reason = matchfiles.as_text(
            [why for each in files.values() for why in each.refused.values()]
        )
        raise StudioError("no_footage", reason or "This match has no footage")
    if (panorama := _panorama(folder)) is not None:
        footage["panorama"] = [panorama]
    made = {}
    known = {name: reels for name, reels in footage.items() if reels}
    for done, (name, reels) in enumerate(known.items()):
        made[name] = _sheet(folder, name, reels, min(starts), stopping)
        tell({"done": done + 1, "total": len(known)})
    return {"sheets": made, **left_out(files.values())}


def _panorama(folder: Path) -> SegmentFile | None:
    try:
        index = scan.index(folder / ARCHIVE)
    except (OSError, scan.NotSegment):
        return None
    return segment_file_of(folder / ARCHIVE, index) if index.scan.fragments else None


def _sheet(
    folder: Path, name: str, reels: Sequence[SegmentFile], start_ns: int, stopping: threading.Event
) -> dict[str, Any]:
    lasted_s = (reels[-1].end_ns - start_ns) / _NANO
    step_s = max(LEAST_STEP_S, lasted_s / MOST_THUMBS)
    thumbs: list[_Thumb] = []
    poster: Picture | None = None
    for at_s, picture in _keyframes(reels, start_ns, step_s):
        if stopping.is_set():
            raise StudioError("stopped", "It was stopped")
        thumbs.append(_Thumb(at_s, scaled(picture, THUMB_HEIGHT)))
        if poster is None or at_s <= lasted_s / 3:
            poster = scaled(picture, POSTER_HEIGHT)
    if not thumbs or poster is None:
        raise StudioError("no_footage", f"No frame of {name} could be decoded")
    height, width = thumbs[0].picture.shape[:2]
    rows = math.ceil(len(thumbs) / _COLUMNS)
    sheet = np.zeros((rows * height, min(len(thumbs), _COLUMNS) * width, 3), np.uint8)
    for number, thumb in enumerate(thumbs):
        row, column = divmod(number, _COLUMNS)
        fitted = thumb.picture
        if fitted.shape[:2] != (height, width):  # a camera that came back with another size
            fitted = np.asarray(cv2.resize(fitted, (width, height)), np.uint8)
        place = slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)
        sheet[place] = fitted
    files = {"sheet": f"{name}_sprites.jpg", "vtt": f"{name}_sprites.vtt"}
    write_jpeg(folder / files["sheet"], sheet)
    write_jpeg(folder / f"{name}_poster.jpg", poster)
    vtt = "\n".join(["WEBVTT", "", *_cues(thumbs, files["sheet"], (width, height), lasted_s)])
    replace_whole(folder / files["vtt"], vtt.encode())
    return {**files, "poster": f"{name}_poster.jpg", "thumbs": len(thumbs), "step_s": step_s}


def _cues(
    thumbs: Sequence[_Thumb], sheet: str, size: tuple[int, int], end_s: float
) -> Iterator[str]:
    ends = [*(thumb.at_s for thumb in thumbs[1:]), max(end_s, thumbs[-1].at_s + 0.1)]
    for number, (thumb, until_s) in enumerate(zip(thumbs, ends, strict=True)):
        row, column = divmod(number, _COLUMNS)
        x, y = column * size[0], row * size[1]
        yield f"{_clock(thumb.at_s)} --> {_clock(until_s)}"
        yield f"{sheet}#xywh={x},{y},{size[0]},{size[1]}"
        yield ""


def _keyframes(
    reels: Sequence[SegmentFile], start_ns: int, step_s: float
) -> Iterator[tuple[float, Picture]]:
    """Yield a picture about every `step_s`, decoding keyframes only, which is much cheaper."""
    due_s = 0.0
    for reel in reels:
        with opened(reel.path) as file:
            stream = file.streams.video[0]
            stream.codec_context.skip_frame = "NONKEY"
            for frame in file.decode(stream):
                at_s = (reel.start_ns - start_ns) / _NANO + float(frame.time or 0.0)
                if at_s >= due_s:
                    due_s = max(due_s + step_s, at_s + step_s / 2)
                    yield max(at_s, 0.0), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _clock(seconds: float) -> str:
    whole = round(seconds * 1000)
    hours, rest = divmod(whole, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
