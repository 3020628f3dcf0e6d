"""Integrity check of a match: every fragment of every segment, and gaps in the footage.

Each fault states its location: camera, segment, fragment, byte. These are not faults: a stretch
that the manifest lists as a gap (it was reported when it happened), a segment missing from the
manifest (it is checked too), and a file that touchline did not write (it cannot be judged).
Everything here that touches the disk blocks: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from touchline.capture.library.manifest.manifest import Gap, Manifest
from touchline.capture.library.manifest.rescan import segment_files
from touchline.capture.library.manifest.segmentname import parse_segment_name
from touchline.capture.library.stretches import Stretch, length, subtract, union
from touchline.capture.library.verification.integrityreport import (
    CameraReport,
    Expected,
    IntegrityReport,
    MatchFault,
    SegmentCheck,
)
from touchline.capture.library.verification.segmentcheck import check_listed_segment
from touchline.ipc.wire import LEAST_HOLE_NS

EDGE_TOLERANCE_NS = 1_500_000_000
"""Missing nanoseconds that are tolerated at both ends of a match.

A network camera's pictures arrive late by its latency, and the first frame of a copied stream waits
for a keyframe.
"""

HOLE_TOLERANCE_NS = LEAST_HOLE_NS
"""Missing nanoseconds that are tolerated between segments and within one.

Nothing is lost between them, but the end of a segment is only known to within a frame. What lasts
longer was listed as a gap by the worker.
"""


def verify_match(
    folder: Path,
    manifest: Manifest,
    *,
    checksums: bool,
    expected: Expected | None = None,
    running: bool = False,
    trust_verified: bool = False,
) -> IntegrityReport:
    """Check every segment in the folder or in the manifest, and each camera's recorded time.

    `expected` says what should be there, by default what the manifest says; if that has no times,
    the cameras are compared with each other. With `trust_verified` a segment that was verified
    before and has kept its size is not read again. Of a `running` match only the segments in the
    manifest are checked, and no length is judged.
    """
    listed = {segment.name: segment for segment in manifest.segments}
    names = set(listed)
    if not running:
        names |= {path.name for path in segment_files(folder)}
    checks = [
        check_listed_segment(
            folder, listed.get(name), name, checksums=checksums, trust=trust_verified
        )
        for name in sorted(names)
    ]
    expected = expected or _build_expected(manifest)
    ours = [check for check in checks if not check.foreign]
    cameras = {*expected.cameras, *(check.segment.camera for check in ours)}
    window = None if running else _window(expected, ours)
    reports = tuple(
        _camera_report(
            camera, ours, manifest, window, required=not running and camera in expected.cameras
        )
        for camera in sorted(cameras)
    )
    faults = [fault for report in reports for fault in report.faults]
    if not checks and not faults and not running:
        faults = [MatchFault("no_footage", "the match has no footage", "")]
    starts = [r.start_unix_ns for r in reports if r.start_unix_ns is not None]
    return IntegrityReport(
        checksums=checksums,
        cameras=reports,
        faults=tuple(faults),
        foreign=tuple(check.segment.name for check in checks if check.foreign),
        start_skew_s=(max(starts) - min(starts)) / 1e9 if len(starts) > 1 else None,
        checks=tuple(checks),
    )


def _build_expected(manifest: Manifest) -> Expected:
    return Expected(
        cameras=tuple(manifest.cameras),
        from_unix_ns=manifest.clock.start_unix_ns if manifest.clock else None,
        to_unix_ns=manifest.ended_unix_ns,
    )


def _window(expected: Expected, checks: Sequence[SegmentCheck]) -> Stretch | None:
    """Return the period in which footage is expected.

    A missing end is replaced by the latest one of any camera.
    """
    footage = _footage(checks)
    start = expected.from_unix_ns
    end = expected.to_unix_ns
    if start is None:
        start = min((s.start_ns for s in footage), default=None)
    if end is None:
        end = max((s.end_ns for s in footage), default=None)
    return None if start is None or end is None or end <= start else Stretch(start, end)


def _footage(checks: Iterable[SegmentCheck]) -> list[Stretch]:
    return sorted(
        Stretch(check.segment.start_unix_ns, check.segment.end_unix_ns)
        for check in checks
        if check.segment.start_unix_ns is not None and check.segment.end_unix_ns is not None
    )


def _camera_report(
    camera: str,
    checks: Sequence[SegmentCheck],
    manifest: Manifest,
    window: Stretch | None,
    *,
    required: bool,
) -> CameraReport:
    own = sorted(
        (check for check in checks if check.segment.camera == camera),
        key=lambda check: parse_segment_name(check.segment.name).order,
    )
    present = [check.segment for check in own if not check.missing]
    gaps = _gap_stretches(manifest.gaps, camera, window)
    pauses = union(Stretch(*pause) for pause in manifest.pauses)
    # A start returns when the first frame is on the disk; none is expected before.
    waits = [Stretch(*wait) for wait in manifest.waits(camera)]
    footage = _footage(own)
    covered = union(footage)
    holes = [hole for check in own for hole in check.holes]
    faults = [fault for check in own for fault in check.faults]
    if not covered and not present and required:
        faults.append(MatchFault("segment_not_found", "segment_not_found", camera))
    elif not covered and required:
        faults.append(MatchFault("no_footage", "the camera has no footage", camera))
    elif window is not None and covered:
        faults += _time_faults(camera, own, window, union([*covered, *gaps, *pauses, *waits]))
    faults += [
        MatchFault("hole", _lacking(hole), camera, check.segment.name)
        for check in own
        for hole in check.holes
        if length(subtract(hole, gaps)) > HOLE_TOLERANCE_NS
    ]
    recorded = length(covered) - length(holes)
    return CameraReport(
        camera=camera,
        segments=len(present),
        fragments=sum(segment.fragments for segment in present),
        frames=sum(segment.frames for segment in present),
        recorded_s=recorded / 1e9,
        gaps_s=length(gaps) / 1e9,
        expected_s=None if window is None else length(subtract(window, pauses)) / 1e9,
        start_unix_ns=footage[0].start_ns if footage else None,
        newest=present[-1].name if present else None,
        newest_size_bytes=present[-1].size_bytes if present else 0,
        faults=tuple(faults),
    )


def _gap_stretches(gaps: Iterable[Gap], camera: str, window: Stretch | None) -> list[Stretch]:
    """Return the camera's listed gaps.

    A gap that has no end yet lasts until the match ends.
    """
    found = []
    for gap in gaps:
        end = gap.to_unix_ns
        if end is None:
            end = window.end_ns if window else gap.from_unix_ns
        if gap.camera == camera and end > gap.from_unix_ns:
            found.append(Stretch(gap.from_unix_ns, end))
    return union(found)


def _time_faults(
    camera: str, checks: Sequence[SegmentCheck], window: Stretch, accounted: Sequence[Stretch]
) -> Iterable[MatchFault]:
    """Yield the stretches of the match that are neither filmed nor listed as a gap."""
    for lack in subtract(window, accounted):
        at_edge = lack.start_ns == window.start_ns or lack.end_ns == window.end_ns
        if lack.end_ns - lack.start_ns <= (EDGE_TOLERANCE_NS if at_edge else HOLE_TOLERANCE_NS):
            continue
        before = [
            check.segment.name
            for check in checks
            if check.segment.end_unix_ns is not None and check.segment.end_unix_ns <= lack.start_ns
        ]
        segment = before[-1] if before else None
        yield MatchFault("footage_missing", _lacking(lack, window.start_ns), camera, segment)


def _lacking(lack: Stretch, origin_ns: int | None = None) -> str:
    seconds = (lack.end_ns - lack.start_ns) / 1e9
    if origin_ns is None:
        return f"{seconds:.1f} s without a frame"
    return (
        f"{seconds:.1f} s of footage are missing from {(lack.start_ns - origin_ns) / 1e9:.1f} s on"
    )
