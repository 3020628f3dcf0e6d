"""The verb `archive`: join a camera's segments to one file, `cam0_archive.mp4`.

They are copied if all have one codec, with every frame at its time and gaps as pauses; they are
encoded again, in the original picture size, if codecs differ or a compact file is requested. `spec`
has `folder`, `cameras`, `profile`, `height`, `crf` and `preset`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from touchline.media import matchfiles
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4 import writer
from touchline.studio.errors import StudioError, disk_trouble
from touchline.studio.pictures.encoder import EncodedPicture, Encoder, EncoderQuality, convert_range
from touchline.studio.pictures.film import Film
from touchline.studio.pictures.footage import (
    Ahead,
    SegmentFile,
    fps_of,
    left_out,
    opened,
    period_ns_of,
    segment_files_in,
    shots,
    usable_files,
)
from touchline.studio.verbs import Tell

log = logging.getLogger(__name__)

_TELL_EVERY_S = 0.5
_NANO = 1_000_000_000


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Create the archives and return a description of each.

    Raises StudioError at the end if a camera has no archive, with the reason; the others are kept.
    """
    folder = Path(spec["folder"])
    files = {camera: usable_files(folder, camera) for camera in spec["cameras"]}
    footage = {camera: segment_files_in(found) for camera, found in files.items()}
    total = sum(reel.frames for reels in footage.values() for reel in reels)
    if total == 0:
        reason = _missing(files) or "This match has no footage"
        raise StudioError("no_footage", reason)
    progress = _Progress(tell, stopping, total)
    made = {}
    for camera, reels in footage.items():
        if reels:
            try:
                made[camera] = _archive(folder, camera, reels, spec, progress)
            except OSError as error:
                raise disk_trouble(error) from error
    tell({"done": total, "total": total})
    if missing := _missing(files):
        kept = ", ".join(sorted(each["file"] for each in made.values()))
        text = f"{missing}. Completed: {kept}"
        if partly := [w for each in files.values() if each.usable for w in each.refused.values()]:
            text += f", without: {matchfiles.as_text(partly)}"
        raise StudioError("camera_without_archive", text)
    return {"archives": made, **left_out(files.values())}


def _missing(files: Mapping[str, matchfiles.Files]) -> str:
    """Return the cameras without an archive and the reasons; empty if there are none."""
    return "; ".join(
        f"No archive of {camera}: {found.reason or 'it has no footage'}"
        for camera, found in files.items()
        if not found.usable
    )


class _Progress:
    def __init__(self, tell: Tell, stopping: threading.Event, total: int) -> None:
        self._tell, self._stopping, self._total = tell, stopping, total
        self._done, self._next_s = 0, 0.0

    def step(self) -> None:
        """Count one frame. Raises StudioError if the job is to stop."""
        if self._stopping.is_set():
            raise StudioError("stopped", "It was stopped")
        self._done += 1
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + _TELL_EVERY_S
            self._tell({"done": self._done, "total": self._total})


def _archive(
    folder: Path,
    camera: str,
    reels: Sequence[SegmentFile],
    spec: Mapping[str, Any],
    progress: _Progress,
) -> dict[str, Any]:
    codecs = {reel.codec for reel in reels}
    copies = spec.get("profile", "copy") == "copy" and len(codecs) == 1
    partial = folder / f".{camera}_archive.partial.mp4"
    film = _copy_archive(partial, codecs.pop(), reels, progress) if copies else None
    if film is None:
        film = _encode_archive(partial, reels, spec, progress)
    name = f"{camera}_archive.mp4"
    partial.replace(folder / name)
    scan = mp4scan.scan(folder / name, checksums=False)
    log.info("%s: %d frames, %s", name, scan.frames, "copied" if copies else "encoded")
    return {
        "file": name,
        "copied": copies,
        "width": scan.width,
        "height": scan.height,
        "frames": scan.frames,
        "size_bytes": scan.size_bytes,
    }


def _copy_archive(
    path: Path, codec: writer.Codec, reels: Sequence[SegmentFile], progress: _Progress
) -> Film:
    film = Film(path, codec)
    try:
        for reel in reels:
            for coded in _packets(reel):
                film.append(coded)
                progress.step()
        film.finish(reels[-1].end_ns)
    finally:
        film.close()
    return film


def _packets(reel: SegmentFile) -> Iterator[EncodedPicture]:
    """Yield the coded frames of a segment with their capture times."""
    with opened(reel.path) as file:
        stream = file.streams.video[0]
        for packet in file.demux(stream):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue  # the empty one at the end
            at, decode = (int(t * packet.time_base * _NANO) for t in (packet.pts, packet.dts))
            yield EncodedPicture(
                bytes(packet), reel.start_ns + at, packet.is_keyframe, reel.start_ns + decode
            )


def _encode_archive(
    path: Path, reels: Sequence[SegmentFile], spec: Mapping[str, Any], progress: _Progress
) -> Film:
    fps = fps_of(period_ns_of(reels))
    first = reels[0]
    height = min(int(spec.get("height", 1080)), max(reel.height for reel in reels))
    # The picture size of the first segment: all others are fitted into it.
    width = round(Fraction(first.width, first.height) * height / 2) * 2
    quality = EncoderQuality(str(spec.get("preset", "veryfast")), int(spec.get("crf", 26)), 2)
    encoder = Encoder(width, height, fps, quality, first.colour)
    film = Film(path, encoder.codec)
    source = Ahead(shots(reels), "archive")
    try:
        for shot in source:
            frame = convert_range(shot.picture, first.colour).reformat(width, height)
            for coded in encoder.encode(frame, shot.at_ns):
                film.append(coded)
            progress.step()
        for coded in encoder.flush():
            film.append(coded)
        film.finish(reels[-1].end_ns)
    finally:
        source.close()
        film.close()
    return film
