"""Whether a match is whole: every fragment of every segment, and the footage against the clock.

Each fault says where it is: camera, segment, fragment, byte. What is no fault: a stretch that the
manifest lists as a gap (it was reported when it happened), a segment that the manifest does not
know (it is checked all the same), and a file that touchline did not write (nothing can be said).

Everything here that touches the disk blocks: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from touchline.capture.library.manifest.manifest import Gap, Manifest, Segment
from touchline.capture.library.manifest.rescan import SEGMENTS_FOLDER, segment_files, segment_of
from touchline.capture.library.manifest.segmentname import parse_segment_name
from touchline.capture.library.stretches import Stretch, length, subtract, union
from touchline.foreign.files import status_of
from touchline.media.mp4 import scan as mp4scan

EDGE_TOLERANCE_NS = 1_500_000_000
"""At both ends of a match: a network camera's picture comes late by its latency, and the first
frame of a copied stream waits for a keyframe."""

HOLE_TOLERANCE_NS = 500_000_000
"""Between segments nothing is lost, but a segment's end is known to a frame's duration only."""

_LONG_FRAGMENT_NS = 1_000_000_000
"""Fragments last half a second at most; a longer one holds a frame that stood still."""

_HEAD_BYTES = 32


@dataclass(frozen=True)
class Expected:
    """What a stop expects to find: footage of these cameras (`cam0`, …) for this long."""

    cameras: tuple[str, ...]
    from_unix_ns: int | None = None
    to_unix_ns: int | None = None


@dataclass(frozen=True)
class MatchFault:
    """Something that is not as it should be, and where. `code` is stable."""

    code: str
    what: str
    camera: str
    segment: str | None = None
    fragment: int | None = None
    offset: int | None = None

    def __str__(self) -> str:
        place = [self.segment] if self.segment else []
        place += [f"fragment {self.fragment}"] if self.fragment else []
        place += [f"byte {self.offset}"] if self.offset is not None else []
        return f"{', '.join(place)}: {self.what}" if place else self.what


@dataclass(frozen=True)
class SegmentCheck:
    """A segment as it was found: what the manifest may say of it now, its faults and its holes."""

    segment: Segment
    faults: tuple[MatchFault, ...] = ()
    holes: tuple[Stretch, ...] = ()
    foreign: bool = False
    missing: bool = False


@dataclass(frozen=True)
class CameraReport:
    """One camera's footage. `newest` is its last segment; `expected_s` None: nobody can know."""

    camera: str
    segments: int
    fragments: int
    frames: int
    recorded_s: float
    gaps_s: float
    expected_s: float | None
    start_unix_ns: int | None
    newest: str | None
    newest_size_bytes: int
    faults: tuple[MatchFault, ...]


@dataclass(frozen=True)
class IntegrityReport:
    """The whole match. `ok` is never true without footage."""

    checksums: bool
    cameras: tuple[CameraReport, ...]
    faults: tuple[MatchFault, ...]
    foreign: tuple[str, ...] = ()
    start_skew_s: float | None = None
    checks: tuple[SegmentCheck, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """No fault was found."""
        return not self.faults

    def camera(self, camera: str) -> CameraReport | None:
        """The report of that camera (`cam0`)."""
        return next((report for report in self.cameras if report.camera == camera), None)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "ok": self.ok,
            "checksums": self.checksums,
            "cameras": {r.camera: asdict(replace(r, faults=())) for r in self.cameras},
            "faults": [asdict(fault) for fault in self.faults],
            "foreign": list(self.foreign),
            "start_skew_s": self.start_skew_s,
        }

    def recorded_in(self, manifest: Manifest) -> Manifest:
        """The manifest with what was found: the report itself, and `verified` of each segment.

        A segment that has another size than the one read keeps what the manifest says of it.
        """
        found = {
            (check.segment.name, check.segment.size_bytes): check.segment.verified
            for check in self.checks
            if check.segment.verified is not None
        }
        segments = tuple(
            segment.model_copy(
                update={"verified": found.get((segment.name, segment.size_bytes), segment.verified)}
            )
            for segment in manifest.segments
        )
        return manifest.model_copy(update={"segments": segments, "integrity": self.to_json()})


def check_segment(folder: Path, name: str, *, checksums: bool) -> SegmentCheck:
    """Walk one segment of the match in `folder`; with `checksums` read every byte of it.

    `segment` of the result is what the file itself tells, ready for the manifest.
    """
    path = folder / SEGMENTS_FOLDER / name
    camera = parse_segment_name(name).camera
    try:
        scan = mp4scan.scan(path, checksums=checksums)
    except FileNotFoundError:
        missing = Segment(name=name, camera=camera, index=parse_segment_name(name).index or 0)
        fault = MatchFault("segment_missing", "the segment is not there", camera, name)
        return SegmentCheck(missing, (fault,), missing=True)
    except mp4scan.NotSegment:
        return _not_ours(path, camera)
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
        verified = True  # nothing to be said of it again: a stop need not read it
    return SegmentCheck(segment_of(scan, name, verified=verified), tuple(faults), holes)


def _not_ours(path: Path, camera: str) -> SegmentCheck:
    size_bytes = status_of(path).st_size
    index = parse_segment_name(path.name).index or 0
    segment = Segment(name=path.name, camera=camera, index=index, size_bytes=size_bytes)
    if size_bytes >= _HEAD_BYTES:
        return SegmentCheck(segment, foreign=True)
    what = "the file is empty" if size_bytes == 0 else "the file ends within its head"
    fault = MatchFault("damaged", what, camera, path.name, 0, size_bytes)
    return SegmentCheck(segment, (fault,))


def _holes_within(scan: mp4scan.SegmentScan) -> Iterable[Stretch]:
    """Stretches of a segment without frames: between two fragments, or as one very long frame."""
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


def verify_match(
    folder: Path,
    manifest: Manifest,
    *,
    checksums: bool,
    expected: Expected | None = None,
    running: bool = False,
    trust_verified: bool = False,
) -> IntegrityReport:
    """Look at every segment in the folder or in the manifest, and at the cameras' time.

    `expected` says what should be there; without it the manifest does, and where that has no
    times the cameras are held against each other. With `trust_verified` a segment that was verified
    before and has kept its size is not read again. Of a `running` match only the segments in the
    manifest are looked at, and no length is judged.
    """
    listed = {segment.name: segment for segment in manifest.segments}
    names = set(listed)
    if not running:
        names |= {path.name for path in segment_files(folder)}
    checks = [
        _check_against(folder, listed.get(name), name, checksums=checksums, trust=trust_verified)
        for name in sorted(names)
    ]
    expected = expected or _expected_by(manifest)
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


def _expected_by(manifest: Manifest) -> Expected:
    return Expected(
        cameras=tuple(manifest.cameras),
        from_unix_ns=manifest.clock.start_unix_ns if manifest.clock else None,
        to_unix_ns=manifest.ended_unix_ns,
    )


def _check_against(
    folder: Path, listed: Segment | None, name: str, *, checksums: bool, trust: bool
) -> SegmentCheck:
    """Check a segment, also against what the manifest says of it."""
    if trust and listed is not None and listed.verified and _keeps_size(folder, listed):
        return SegmentCheck(listed)
    check = check_segment(folder, name, checksums=checksums)
    if listed is None or check.missing:
        return check
    found = check.segment
    what = None
    if check.foreign and listed.fragments:
        what = "the file is not a segment any more"
    elif listed.finalized and not check.foreign and listed.frames != found.frames:
        what = f"{found.frames} frames where the manifest counts {listed.frames}"
    elif listed.finalized and listed.size_bytes != found.size_bytes:
        what = f"{found.size_bytes} bytes where the manifest counts {listed.size_bytes}"
    if what is None or check.faults:  # damage that has been located says it better
        return check
    fault = MatchFault("not_as_listed", what, found.camera, name, None, found.size_bytes)
    return replace(
        check,
        segment=found.model_copy(update={"verified": False}),
        faults=(*check.faults, fault),
        foreign=False,
    )


def _keeps_size(folder: Path, segment: Segment) -> bool:
    try:
        status = status_of(folder / SEGMENTS_FOLDER / segment.name)
    except FileNotFoundError:
        return False
    return status.st_size == segment.size_bytes


def _window(expected: Expected, checks: Sequence[SegmentCheck]) -> Stretch | None:
    """When there should be footage; an end that nobody wrote down is the last one of any camera."""
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
    # A start answers when the first frame is on the disk: before that there was none to be had.
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
    """The camera's listed gaps; one that has no end yet lasts until the match ends."""
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
    """Stretches of the match that are neither filmed nor listed as a gap."""
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
