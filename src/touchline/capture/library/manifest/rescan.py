"""Reconstruction of a lost manifest from the segment files.

Blocks: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from touchline.capture.library.manifest.manifest import (
    CameraFacts,
    Gap,
    Manifest,
    MatchClock,
    SegmentRecord,
    by_camera_and_start,
)
from touchline.capture.library.manifest.segmentname import parse_segment_name
from touchline.foreign.files import regular_entries, status_of
from touchline.foreign.text import file_name
from touchline.media import matchfiles
from touchline.media.matchfiles import VIDEO_SUFFIXES
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4.walk import NotSegment, SegmentScan

SEGMENTS_FOLDER = "segments"


_LEAST_GAP_NS = 200_000_000
"""Shortest pause between two segments that counts as a gap in a reconstruction."""


def rescan(folder: Path) -> Manifest:
    """Return a manifest built from the segment files alone: times and counts, but no reasons.

    Times come from the capture clock that is written into our segments, and from the names of
    earlier systems' files. Files that cannot be used are listed with name and size. Nothing is
    written.
    """
    segments: list[SegmentRecord] = []
    cameras: dict[str, CameraFacts] = {}
    whole = True
    earlier: dict[str, list[Path]] = {}
    for path in segment_files(folder):
        segment, scan = _read_segment(path)
        segments.append(segment)
        if scan is not None:
            whole = whole and scan.finalized
            facts = CameraFacts(
                kind="unknown", name=segment.camera, width=scan.width, height=scan.height
            )
            cameras.setdefault(segment.camera, facts)
        else:
            earlier.setdefault(segment.camera, []).append(path)
    segments = [*_add_times(segments, earlier)]
    segments.sort(key=by_camera_and_start)
    starts = [s.start_unix_ns for s in segments if s.start_unix_ns is not None]
    ends = [s.end_unix_ns for s in segments if s.end_unix_ns is not None]
    return Manifest(
        match_id=file_name(folder.name),
        state="finished" if whole else "interrupted",
        clock=MatchClock(start_unix_ns=min(starts)) if starts else None,
        ended_unix_ns=max(ends, default=None),
        cameras=cameras,
        segments=tuple(segments),
        gaps=tuple(_gaps_between(segments)),
    )


def segment_files(folder: Path) -> list[Path]:
    """List the video files of a match's `segments/`, sorted by name; links are not followed.

    A name that a manifest cannot hold, because it is not UTF-8 or has control characters, is left
    out; touchline never creates such names.
    """
    segments = folder / SEGMENTS_FOLDER
    names = [
        entry.name
        for entry in regular_entries(segments)
        if Path(entry.name).suffix in VIDEO_SUFFIXES and file_name(entry.name) == entry.name
    ]
    return [segments / name for name in sorted(names)]


def _add_times(
    segments: Iterable[SegmentRecord], earlier: Mapping[str, Sequence[Path]]
) -> Iterator[SegmentRecord]:
    """Add capture times to segments of earlier systems, where they can be read."""
    found = {
        each.path.name: each.indexed.scan
        for paths in earlier.values()
        for each in matchfiles.usable(paths).usable
    }
    for segment in segments:
        scan = found.get(segment.name)
        if scan is None or scan.start_unix_ns is None:
            yield segment
            continue
        end_ns = scan.start_unix_ns + scan.duration_ns
        update = {"start_unix_ns": scan.start_unix_ns, "end_unix_ns": end_ns, "frames": scan.frames}
        yield segment.model_copy(update=update)


def _read_segment(path: Path) -> tuple[SegmentRecord, SegmentScan | None]:
    name = parse_segment_name(path.name)
    try:
        scan = mp4scan.scan(path, checksums=False)
    except NotSegment:
        size_bytes = status_of(path).st_size
        foreign = SegmentRecord(
            name=path.name, camera=name.camera, index=name.index or 0, size_bytes=size_bytes
        )
        return foreign, None
    return segment_of(scan, path.name), scan


def segment_of(scan: SegmentScan, file_name: str, *, verified: bool | None = None) -> SegmentRecord:
    """Return the manifest entry for a scanned segment."""
    name = parse_segment_name(file_name)
    start = scan.start_unix_ns
    return SegmentRecord(
        name=file_name,
        camera=name.camera,
        index=name.index or 0,
        start_unix_ns=start,
        end_unix_ns=None if start is None else start + scan.duration_ns,
        frames=scan.frames,
        fragments=len(scan.fragments),
        size_bytes=scan.size_bytes,
        finalized=scan.finalized,
        verified=verified,
    )


def _gaps_between(segments: list[SegmentRecord]) -> list[Gap]:
    """Return the pauses between the end of a camera's footage and its next segment."""
    gaps: list[Gap] = []
    timed = [
        (s.camera, s.start_unix_ns, s.end_unix_ns)
        for s in segments
        if s.start_unix_ns is not None and s.end_unix_ns is not None
    ]
    last_end: dict[str, int] = {}
    for camera, start, end in sorted(timed):
        before = last_end.get(camera)
        if before is not None and start - before >= _LEAST_GAP_NS:
            gap = Gap(camera=camera, from_unix_ns=before, to_unix_ns=start, reason="unknown")
            gaps.append(gap)
        last_end[camera] = max(end, before or end)
    return gaps
