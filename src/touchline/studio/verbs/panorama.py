"""The verb `panorama`: create a wide video of a recorded match, `panorama_archive.mp4`.

Two threads decode, one stitches, one encodes; at most a few pictures wait between them. The partial
output of an earlier run of the same panorama is continued.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from queue import Queue
from typing import Any, Protocol

import av
import cv2

from touchline.studio.errors import StudioError, disk_trouble
from touchline.studio.pictures.encoder import Encoder, EncoderQuality, convert_range
from touchline.studio.pictures.film import Film
from touchline.studio.pictures.footage import (
    Ahead,
    SegmentFile,
    fps_of,
    left_out,
    period_ns_of,
    segment_files_in,
    shots,
    usable_files,
)
from touchline.studio.pictures.pairing import Pairing, pair_by_time
from touchline.studio.pictures.planes import Planes, new_frame, new_planes, planes_of
from touchline.studio.stitching.geometry import Pair, canvas_for
from touchline.studio.stitching.sidebyside import SideBySide
from touchline.studio.stitching.stitcher import BLEND_PX, Stitcher
from touchline.studio.verbs import Tell

log = logging.getLogger(__name__)

ARCHIVE = "panorama_archive.mp4"
HOLD_NS = 1_000_000_000
"""Time that the last picture of a missing camera is shown before it becomes black."""
_WAITING_FRAMES = 4
_TELL_EVERY_S = 0.5


@dataclass
class Counts:
    """Numbers of pictures by result."""

    frames: int = 0
    paired: int = 0
    alone: int = 0
    worst_error_ns: int = 0

    def add(self, pairing: Pairing[Any]) -> None:
        """Count one more picture of the panorama."""
        self.frames += 1
        if pairing.cam0 is None or pairing.cam1 is None:
            self.alone += 1
        else:
            self.paired += 1
            self.worst_error_ns = max(self.worst_error_ns, pairing.error_ns)


class Joiner(Protocol):
    """Combiner of two pictures."""

    width: int
    height: int

    def stitch(self, cam0: Planes, cam1: Planes, into: Planes) -> None:
        """Combine two pictures; `into` is overwritten completely."""


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Create the panorama of a match.

    `spec` has `folder`, `calibration` (its `version` and `pair`; without one both views are put
    side by side) and optionally `projection`, `width`, `height`, `blend_px`, `preset`, `crf`,
    `threads`. Returns the panorama's entry in the match's record.
    """
    folder = Path(spec["folder"])
    calibration = spec.get("calibration")
    version = None if calibration is None else int(calibration["version"])
    files = [usable_files(folder, camera) for camera in ("cam0", "cam1")]
    reels = [segment_files_in(found) for found in files]
    for camera, found in enumerate(files):
        if not found.usable:
            raise StudioError(
                "no_footage",
                f"Camera {camera} has no usable footage in this match: {found.reason}"
                if found.reason
                else f"Camera {camera} has no footage in this match",
                advice="A panorama needs both cameras. The video of the other camera is available.",
            )
    period_ns = period_ns_of(reels[0])
    quality = EncoderQuality(
        preset=str(spec.get("preset", "veryfast")),
        crf=int(spec.get("crf", 23)),
        threads=int(spec.get("threads", 1)),
    )
    job = _Job(folder, version, _joiner(spec, reels), reels, period_ns, quality)
    try:
        counts = job.run(tell, stopping)
    except OSError as error:
        raise disk_trouble(error) from error
    return {
        "file": ARCHIVE,
        "calibration_version": version,
        "side_by_side": version is None,
        "width": job.joiner.width,
        "height": job.joiner.height,
        "fps": float(fps_of(period_ns)),
        "frames": counts.frames,
        "paired": counts.paired,
        "alone": counts.alone,
        "worst_pair_error_ms": round(counts.worst_error_ns / 1e6, 3),
        **left_out(files),
    }


def _joiner(spec: Mapping[str, Any], reels: list[list[SegmentFile]]) -> Joiner:
    first, second = reels[0][0], reels[1][0]
    if spec.get("calibration") is None:
        return SideBySide((first.width, first.height), (second.width, second.height))
    pair = fitting(
        Pair.from_json(spec["calibration"]["pair"]),
        (first.width, first.height),
        (second.width, second.height),
    )
    try:
        canvas = canvas_for(
            pair,
            projection=spec.get("projection", "cylindrical"),
            width=spec.get("width"),
            height=spec.get("height"),
        )
    except ValueError as error:
        raise StudioError("projection", f"The panorama cannot be drawn: {error}") from error
    return Stitcher(pair, canvas, blend_px=int(spec.get("blend_px", BLEND_PX)))


class _Job:
    def __init__(
        self,
        folder: Path,
        version: int | None,
        joiner: Joiner,
        reels: list[list[SegmentFile]],
        period_ns: int,
        quality: EncoderQuality,
    ) -> None:
        self._folder = folder
        self._partial = folder / f".panorama-{version or 'beside'}.partial.mp4"
        self.joiner = joiner
        self._reels = reels
        self._period_ns = period_ns
        self._fps = fps_of(period_ns)
        self._quality = quality

    def run(self, tell: Tell, stopping: threading.Event) -> Counts:
        cv2.setNumThreads(1)  # the other core decodes and encodes
        size = self.joiner.width, self.joiner.height
        colour = self._reels[0][0].colour  # camera 1 is shown in the colours of camera 0
        encoder = Encoder(*size, self._fps, self._quality, colour)
        resumed = Film.resumed(self._partial, encoder.codec)
        film, from_ns = resumed or (Film(self._partial, encoder.codec), None)
        done_before = film.frames
        if from_ns is not None:
            log.info("resuming after %d frames", done_before)
        total = sum(reel.frames for reel in self._reels[0])
        log.info(
            "%d and %d segments, %d frames, %dx%d at %.3g a second",
            *(len(reels) for reels in self._reels),
            total,
            self.joiner.width,
            self.joiner.height,
            float(self._fps),
        )
        sources = [
            Ahead(shots(reels, from_ns=from_ns), camera)
            for camera, reels in zip(("cam0", "cam1"), self._reels, strict=True)
        ]
        counts = Counts(frames=done_before, paired=done_before)
        writing = Writing(encoder, film)
        last_ns = from_ns or 0
        next_tell_s = 0.0
        try:
            stitching = _Stitching(self.joiner, self._reels)
            for pairing in pair_by_time(sources[0], sources[1], period_ns=self._period_ns):
                if stopping.is_set():
                    raise StudioError("stopped", "It was stopped and can be resumed")
                writing.put(stitching.stitch_pair(pairing), pairing.at_ns)
                counts.add(pairing)
                last_ns = pairing.at_ns
                now_s = time.monotonic()
                if now_s >= next_tell_s:
                    next_tell_s = now_s + _TELL_EVERY_S
                    tell({"done": counts.frames, "total": max(total, counts.frames)})
        finally:
            for source in sources:
                source.close()
            writing.close()
        if counts.frames == 0:
            raise StudioError("no_footage", "No frame of this match could be decoded")
        film.finish(last_ns + self._period_ns)
        self._partial.replace(self._folder / ARCHIVE)
        for older in self._folder.glob(".panorama-*.partial.mp4"):
            older.unlink()
        tell({"done": counts.frames, "total": counts.frames})
        log.info("%d frames of both cameras, %d of one camera only", counts.paired, counts.alone)
        return counts


class _Stitching:
    """Source of consecutive panorama pictures, even while a camera is missing."""

    def __init__(self, joiner: Joiner, reels: list[list[SegmentFile]]) -> None:
        self._joiner = joiner
        self._colour = reels[0][0].colour
        self._black = [new_planes(each[0].width, each[0].height) for each in reels]
        self._held: list[tuple[int, Planes, av.VideoFrame] | None] = [None, None]

    def stitch_pair(self, pairing: Pairing[av.VideoFrame]) -> av.VideoFrame:
        views = []
        for camera, shot in enumerate((pairing.cam0, pairing.cam1)):
            if shot is not None:
                picture = convert_range(shot.picture, self._colour)
                # The frame owns the memory that its planes look into.
                self._held[camera] = (shot.at_ns, planes_of(picture), picture)
            views.append(self._view(camera, pairing.at_ns))
        frame, into = new_frame(self._joiner.width, self._joiner.height)
        self._joiner.stitch(views[0], views[1], into)
        return frame

    def _view(self, camera: int, at_ns: int) -> Planes:
        held = self._held[camera]
        black = self._black[camera]
        if held is None or at_ns - held[0] > HOLD_NS:
            return black
        return held[1] if held[1].y.shape == black.y.shape else black


class Writing:
    """Encoder and file writer on a thread of its own."""

    def __init__(self, encoder: Encoder, film: Film) -> None:
        self._encoder = encoder
        self._film = film
        self._queue: Queue[tuple[av.VideoFrame, int] | None] = Queue(_WAITING_FRAMES)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="encode", daemon=True)
        self._thread.start()

    def put(self, frame: av.VideoFrame, at_ns: int) -> None:
        """Queue a picture. Raises errors of the encoder or the disk from before."""
        if self._error is not None:
            raise self._error
        self._queue.put((frame, at_ns))

    def close(self) -> None:
        """Write the queued pictures. Raises OSError if the disk does not accept them."""
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        for frame, at_ns in self._waiting():
            if self._error is not None:
                continue  # drain the queue so that no thread blocks on it
            try:
                for coded in self._encoder.encode(frame, at_ns):
                    self._film.append(coded)
            except Exception as error:  # noqa: BLE001  (raised by the next `put`)
                self._error = error
        if self._error is None:
            try:
                for coded in self._encoder.flush():
                    self._film.append(coded)
            except Exception as error:  # noqa: BLE001
                self._error = error

    def _waiting(self) -> Iterator[tuple[av.VideoFrame, int]]:
        while (item := self._queue.get()) is not None:
            yield item


def fitting(pair: Pair, size0: tuple[int, int], size1: tuple[int, int]) -> Pair:
    """Return the pair for pictures of these sizes. Raises StudioError for another aspect ratio."""
    lenses = []
    for camera, (lens, size) in enumerate(((pair.lens0, size0), (pair.lens1, size1))):
        ratio = Fraction(*size) / Fraction(lens.width, lens.height)
        if abs(ratio - 1) > Fraction(1, 100):
            raise StudioError(
                "other_shape",
                f"Camera {camera} was recorded at {size[0]}x{size[1]}, and calibrated at"
                f" {lens.width}x{lens.height}",
                advice="Calibrate from this recording, or with the crop it was made with.",
            )
        lenses.append(lens.scaled(*size))
    return replace(pair, lens0=lenses[0], lens1=lenses[1])
