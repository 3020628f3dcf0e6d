"""Results of a match's integrity check: the faults and their locations."""

from __future__ import annotations

from dataclasses import dataclass, field

from touchline.capture.library.manifest.manifest import Manifest, SegmentRecord
from touchline.capture.library.stretches import Stretch
from touchline.capture.library.verification.answers import Fault, IntegrityRecord, VerifiedCamera


@dataclass(frozen=True)
class Expected:
    """Footage expected by a stop: these cameras (`cam0`, …) for this duration."""

    cameras: tuple[str, ...]
    from_unix_ns: int | None
    to_unix_ns: int | None


@dataclass(frozen=True)
class MatchFault:
    """Fault and its location. `code` is stable."""

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

    def to_json(self) -> Fault:
        """Return the fault as it is published."""
        return {
            "code": self.code,
            "what": self.what,
            "camera": self.camera,
            "segment": self.segment,
            "fragment": self.fragment,
            "offset": self.offset,
        }


@dataclass(frozen=True)
class SegmentCheck:
    """Checked segment: its manifest entry as of now, its faults and its holes."""

    segment: SegmentRecord
    faults: tuple[MatchFault, ...] = ()
    holes: tuple[Stretch, ...] = ()
    foreign: bool = False
    missing: bool = False


@dataclass(frozen=True)
class CameraReport:
    """Result for one camera.

    `newest` is its last segment; `expected_s` is None where it cannot be known.
    """

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

    def to_json(self) -> VerifiedCamera:
        """Return the camera's part of the record, whose faults are listed for the whole match."""
        return {
            "camera": self.camera,
            "segments": self.segments,
            "fragments": self.fragments,
            "frames": self.frames,
            "recorded_s": self.recorded_s,
            "gaps_s": self.gaps_s,
            "expected_s": self.expected_s,
            "start_unix_ns": self.start_unix_ns,
            "newest": self.newest,
            "newest_size_bytes": self.newest_size_bytes,
            "faults": [],
        }


@dataclass(frozen=True)
class IntegrityReport:
    """Result for the whole match. `ok` is never true without footage."""

    checksums: bool
    cameras: tuple[CameraReport, ...]
    faults: tuple[MatchFault, ...]
    foreign: tuple[str, ...] = ()
    start_skew_s: float | None = None
    checks: tuple[SegmentCheck, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is footage and no fault was found."""
        return not self.faults

    def camera(self, camera: str) -> CameraReport | None:
        """Return the report of that camera (`cam0`)."""
        return next((report for report in self.cameras if report.camera == camera), None)

    def to_json(self) -> IntegrityRecord:
        """Return the report as plain JSON values."""
        return {
            "ok": self.ok,
            "checksums": self.checksums,
            "cameras": {report.camera: report.to_json() for report in self.cameras},
            "faults": [fault.to_json() for fault in self.faults],
            "foreign": list(self.foreign),
            "start_skew_s": self.start_skew_s,
        }

    def add_to_manifest(self, manifest: Manifest) -> Manifest:
        """Return the manifest with the report, and the `verified` state of each segment.

        A segment whose size differs from the one read keeps its entry in the manifest.
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
