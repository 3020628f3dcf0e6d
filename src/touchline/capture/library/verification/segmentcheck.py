"""Check of one segment's file, alone and against its manifest entry.

Blocks: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from touchline.capture.library.manifest.manifest import SegmentRecord
from touchline.capture.library.manifest.rescan import SEGMENTS_FOLDER, segment_of
from touchline.capture.library.manifest.segmentname import parse_segment_name
from touchline.capture.library.stretches import Stretch
from touchline.capture.library.verification.integrityreport import MatchFault, SegmentCheck
from touchline.foreign.files import status_of
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4.walk import NotSegment, SegmentScan

_LONG_FRAGMENT_NS = 1_000_000_000
"""Duration from which a fragment counts as long.

Fragments last half a second at most, and a hole that is not listed ends one after as long again
(`wire.LEAST_HOLE_NS`); a longer one holds a frame that stood still.
"""


_HEAD_BYTES = 32


def check_segment(folder: Path, name: str, *, checksums: bool) -> SegmentCheck:
    """Check the structure of one segment in `folder`; with `checksums` read every byte of it.

    `segment` of the result is read from the file itself, ready for the manifest.
    """
    path = folder / SEGMENTS_FOLDER / name
    camera = parse_segment_name(name).camera
    try:
        scan = mp4scan.scan(path, checksums=checksums)
    except FileNotFoundError:
        missing = SegmentRecord(name=name, camera=camera, index=parse_segment_name(name).index or 0)
        fault = MatchFault("segment_missing", "the segment is missing", camera, name)
        return SegmentCheck(missing, (fault,), missing=True)
    except NotSegment:
        return _check_foreign(path, camera)
    faults = [
        MatchFault("damaged", fault.what, camera, name, fault.fragment, fault.offset)
        for fault in scan.faults
    ]
    if not scan.finalized:
        what = "the segment was never finished"
        faults.append(MatchFault("unfinalized", what, camera, name, None, scan.good_bytes))
    holes = tuple(_holes_within(scan))
    verified = False if faults else None
    if checksums and not faults and not holes:
        verified = True  # no need to read it again at a stop
    return SegmentCheck(segment_of(scan, name, verified=verified), tuple(faults), holes)


def _check_foreign(path: Path, camera: str) -> SegmentCheck:
    size_bytes = status_of(path).st_size
    index = parse_segment_name(path.name).index or 0
    segment = SegmentRecord(name=path.name, camera=camera, index=index, size_bytes=size_bytes)
    if size_bytes >= _HEAD_BYTES:
        return SegmentCheck(segment, foreign=True)
    what = "the file is empty" if size_bytes == 0 else "the file ends within its header"
    fault = MatchFault("damaged", what, camera, path.name, 0, size_bytes)
    return SegmentCheck(segment, (fault,))


def _holes_within(scan: SegmentScan) -> Iterable[Stretch]:
    """Yield the stretches of a segment without frames.

    They lie between two fragments, or are one very long frame.
    """
    if not scan.fragments:
        return
    usual_ns = sorted(f.duration_ns for f in scan.fragments)[len(scan.fragments) // 2]
    for fragment in scan.fragments:
        if fragment.duration_ns > max(_LONG_FRAGMENT_NS, 4 * usual_ns):
            start = fragment.capture_unix_ns
            yield Stretch(start + usual_ns, start + fragment.duration_ns)
    for before, after in pairwise(scan.fragments):
        end_ns = before.start_ns + before.duration_ns
        undamaged = before.offset + before.size_bytes == after.offset
        if undamaged and after.start_ns - end_ns > _LONG_FRAGMENT_NS:
            lead_ns = before.capture_unix_ns - before.start_ns
            yield Stretch(lead_ns + end_ns, lead_ns + after.start_ns)


def check_listed_segment(
    folder: Path, listed: SegmentRecord | None, name: str, *, checksums: bool, trust: bool
) -> SegmentCheck:
    """Check a segment, also against its manifest entry.

    With `trust` a segment that was verified before and has kept its size is not read again.
    """
    if trust and listed is not None and listed.verified and _has_stable_size(folder, listed):
        return SegmentCheck(listed)
    check = check_segment(folder, name, checksums=checksums)
    if listed is None or check.missing:
        return check
    found = check.segment
    what = None
    if check.foreign and listed.fragments:
        what = "the file is no longer a segment"
    elif listed.finalized and not check.foreign and listed.frames != found.frames:
        what = f"{found.frames} frames where the manifest counts {listed.frames}"
    elif listed.finalized and listed.size_bytes != found.size_bytes:
        what = f"{found.size_bytes} bytes where the manifest counts {listed.size_bytes}"
    if what is None or check.faults:  # the located damage is more precise
        return check
    fault = MatchFault("not_as_listed", what, found.camera, name, None, found.size_bytes)
    return replace(
        check,
        segment=found.model_copy(update={"verified": False}),
        faults=(*check.faults, fault),
        foreign=False,
    )


def _has_stable_size(folder: Path, segment: SegmentRecord) -> bool:
    try:
        status = status_of(folder / SEGMENTS_FOLDER / segment.name)
    except FileNotFoundError:
        return False
    return status.st_size == segment.size_bytes
