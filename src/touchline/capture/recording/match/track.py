"""Track of one camera in a match: its segments, its gaps, and its current state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from touchline.capture.cameras.cameras import Camera
from touchline.capture.library.manifest.manifest import Gap, SegmentRecord
from touchline.capture.library.stretches import Stretch, subtract, union
from touchline.capture.library.verification.answers import ProbeResult
from touchline.ipc.wire import GapKind

_LEAST_GAP_NS = 200_000_000
_LEAST_LOSS_NS = 20_000_000
"""Shortest loss in nanoseconds that counts as a gap, if a worker or camera was missing.

Less than a frame is not a gap.
"""


@dataclass
class Track:
    """Track of one camera in the match. It changes through its own methods only."""

    camera: Camera
    since_s: float
    """Start of the track (monotonic)."""
    segments: dict[str, SegmentRecord] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    next_index: int = 0
    started: bool = False
    recording: bool = False
    lost_reason: str | None = None
    lost_kind: GapKind = "camera"
    lost_at_unix_ns: int | None = None
    respawns: int = 0
    attempts_before: int = 0
    disk: str = "ok"
    disk_error: str | None = None
    disk_errno: int | None = None
    """Number of that error, if the worker reports it."""
    writer_error: str | None = None
    """Reason why footage cannot currently be written, or None."""
    dropped_before: int = 0
    told_gaps: list[Gap] = field(default_factory=list)
    """Gaps whose reason the worker reported, a subset of `gaps`."""
    lost_before: Mapping[str, int] = field(default_factory=dict)
    probe: ProbeResult | None = None
    first_ns: int | None = None
    """First frame that the start waited for (match clock); None if a gap is listed instead."""
    mending: anyio.Lock = field(default_factory=anyio.Lock)
    """Held while files that a worker left open are finished."""
    told_before: int = 0
    """Number of status messages from the worker when the newest file was begun."""
    _began_at_s: float = field(init=False)
    _changed_at_s: float = field(init=False)
    _opened_at_s: float = field(init=False)
    unknown_pause_before_ns: int | None = None
    """Start of the footage after a pause of unknown length (match clock)."""

    def __post_init__(self) -> None:
        now_s = self.camera.link.listened_s()
        self._began_at_s = self._changed_at_s = self._opened_at_s = now_s

    @property
    def listened_s(self) -> float:
        """Seconds since the track began, without times in which this server could not receive."""
        return self.camera.link.listened_s() - self._began_at_s

    @property
    def unchanged_s(self) -> float:
        """Seconds since the newest segment grew, without times in which we could not receive."""
        return self.camera.link.listened_s() - self._changed_at_s

    @property
    def file_age_s(self) -> float:
        """Seconds since the newest segment was begun, counted in the same way."""
        return self.camera.link.listened_s() - self._opened_at_s

    @property
    def newest(self) -> SegmentRecord | None:
        """Segment being written, or the last one that was."""
        return next(reversed(self.segments.values())) if self.segments else None

    @property
    def end_unix_ns(self) -> int | None:
        """End of the footage so far."""
        ends = [s.end_unix_ns for s in self.segments.values() if s.end_unix_ns is not None]
        return max(ends, default=None)

    @property
    def attempts(self) -> int:
        """Number of times the camera was restored in this match, by its worker or a new one."""
        attempts = int(self.camera.status.get("attempts") or 0)
        return self.respawns + max(0, attempts - self.attempts_before)

    @property
    def lost(self) -> bool:
        """Whether nothing is being recorded although it should be."""
        return self.lost_reason is not None

    def begin_recording(self) -> None:
        """Mark the worker as ordered to record."""
        self.recording = True

    def replace_worker(self) -> None:
        """Reset per-worker state after another worker has replaced the one that recorded."""
        self.respawns += 1
        self.recording = False

    def count_attempts_anew(self) -> None:
        """Reset the count of the worker's restarts, because the worker is new."""
        self.attempts_before = 0

    def take_report(self, report: Mapping[str, Any]) -> None:
        """Take over the report of a worker that is already recording."""
        for gap in report.get("gaps", ()):
            self.note_gap(gap)
        for segment in report["segments"]:
            self.note_segment(segment, "reported")
        self.recording = self.started = True

    def take_earlier(
        self,
        segments: Iterable[SegmentRecord],
        gaps: Iterable[Gap],
        pauses: Iterable[Stretch] = (),
    ) -> None:
        """Continue from what was recorded so far, in order; in `pauses` no footage was expected.

        Holes that are not listed are those that were found when files were repaired.
        """
        lasting: Gap | None = None
        for gap in gaps:
            if gap.to_unix_ns is None:
                lasting = gap
            else:
                self.gaps.append(gap)
        known = union([*_stretches(self.gaps), *pauses])
        for segment in segments:
            end, start = self.end_unix_ns, segment.start_unix_ns
            self._keep(segment)
            if end is None or start is None or start <= end:
                continue
            reason, kind = "the camera was interrupted", None
            if lasting is not None and lasting.from_unix_ns <= start:
                reason, kind = lasting.reason, lasting.kind
            for hole in subtract(Stretch(end, start), known):
                if hole.end_ns - hole.start_ns >= _LEAST_GAP_NS:
                    self.gaps.append(self._gap(hole, reason, kind))
        self.gaps.sort(key=lambda each: each.from_unix_ns)

    def take_mended(self, segment: SegmentRecord) -> None:
        """Add a file that was finished afterwards, unless its worker has finished it.

        A worker may have died before it reported a file at all.
        """
        known = self.segments.get(segment.name)
        if not segment.fragments or (known is not None and known.finalized):
            return
        if known is None:
            self._list_gap_before(segment)
            self._shorten_gaps(segment)
            self.started = True
        self._keep(segment)
        if self.lost_at_unix_ns is not None:
            self.lost_at_unix_ns = max(self.lost_at_unix_ns, segment.end_unix_ns or 0)

    def _shorten_gaps(self, found: SegmentRecord) -> None:
        """Shorten the gaps that nobody reported by footage that was found in them."""
        start, end = found.start_unix_ns, found.end_unix_ns
        if start is None or end is None:
            return
        filmed = self._gap(Stretch(start, end), "", None)
        self.gaps = [
            rest
            for gap in self.gaps
            for rest in ([gap] if gap in self.told_gaps else subtract_gaps(gap, [filmed]))
        ]

    def _keep(self, segment: SegmentRecord) -> None:
        self.segments[segment.name] = segment
        self.next_index = max(self.next_index, segment.index + 1)

    def note_verified(self, name: str, verified: bool | None) -> None:  # noqa: FBT001
        """Store the result of reading a segment back."""
        self.segments[name] = self.segments[name].model_copy(update={"verified": verified})

    def note_probe(self, probe: ProbeResult) -> None:
        """Store ffprobe's result for the newest segment it was run on."""
        self.probe = probe

    def note_disk(self, state: str, error: str | None, errno: int | None) -> bool:
        """Store how the disk takes footage, and return whether the state has changed."""
        changed = self.disk != state
        self.disk, self.disk_error, self.disk_errno = state, error, errno
        return changed

    def note_writer(self, error: str | None) -> str | None:
        """Store why footage cannot be written, or None once it is.

        Returns the previous value.
        """
        before, self.writer_error = self.writer_error, error
        return before

    def count_dropped(self, frames: int) -> None:
        """Add the frames that a worker left out because of the disk, when it stops."""
        self.dropped_before += frames

    def note_segment(self, info: Mapping[str, Any], change: str) -> None:
        """Handle a segment that was opened, grew, was closed, or was empty and removed."""
        name = str(info["name"])
        if change == "removed":
            self.segments.pop(name, None)
            return
        known = self.segments.get(name)
        segment = SegmentRecord(
            name=name,
            camera=self.camera.name,
            index=int(info["index"]),
            start_unix_ns=int(info["start_unix_ns"]),
            end_unix_ns=int(info["end_unix_ns"]),
            frames=int(info["frames"]),
            fragments=int(info["fragments"]),
            size_bytes=int(info["size_bytes"]),
            finalized=bool(info["finalized"]),
            verified=known.verified if known else None,
        )
        now_s = self.camera.link.listened_s()
        if known is None:
            self._close_gap(segment)
            self._opened_at_s = now_s
            self.told_before = self.camera.statuses
        if known is None or known.size_bytes != segment.size_bytes:
            self._changed_at_s = now_s
        self.segments[name] = segment
        self.next_index = max(self.next_index, segment.index + 1)

    def _close_gap(self, opened: SegmentRecord) -> None:
        self._list_gap_before(opened)
        self.started = True
        self.mark_recovered()

    def _list_gap_before(self, opened: SegmentRecord) -> None:
        end, start = self.end_unix_ns, opened.start_unix_ns
        if end is None:
            if self.lost_at_unix_ns is None:
                self.first_ns = start if self.first_ns is None else self.first_ns
            elif start is not None:  # the match began without this camera
                self._add_gap(self.lost_at_unix_ns, start)
        elif start is not None and start - end >= self._least_gap_ns():
            self._add_gap(end, start)

    def _least_gap_ns(self) -> int:
        return _LEAST_GAP_NS if self.lost_at_unix_ns is None else _LEAST_LOSS_NS

    def note_gap(self, told: Mapping[str, Any]) -> None:
        """Add a gap reported by the worker with its reason; it replaces an assumed one."""
        gap = Gap(
            camera=self.camera.name,
            from_unix_ns=int(told["from_unix_ns"]),
            to_unix_ns=int(told["to_unix_ns"]),
            reason=str(told["reason"]),
            kind=told.get("kind"),  # missing from a worker of an earlier version
        )
        if gap in self.told_gaps:
            return
        self.gaps = [
            rest
            for known in self.gaps
            for rest in ([known] if known in self.told_gaps else subtract_gaps(known, [gap]))
        ]
        self.told_gaps.append(gap)
        self.gaps.append(gap)
        self.gaps.sort(key=lambda each: each.from_unix_ns)

    def _gap(self, stretch: Stretch, reason: str, kind: str | None) -> Gap:
        return Gap(
            camera=self.camera.name,
            from_unix_ns=stretch.start_ns,
            to_unix_ns=stretch.end_ns,
            reason=reason,
            kind=kind,
        )

    def _add_gap(self, from_ns: int, to_ns: int) -> None:
        """Add a gap that no worker reported.

        The worker died, or the camera was not there yet.
        """
        reason = self.lost_reason or self.disk_error or "the camera was interrupted"
        kind: GapKind = "disk" if self.disk_error else "camera"
        unknown_ns = self.unknown_pause_before_ns
        gap = Gap(
            camera=self.camera.name,
            from_unix_ns=from_ns,
            to_unix_ns=to_ns,
            reason=reason,
            length_known=unknown_ns is None or not from_ns < unknown_ns <= to_ns,
            kind=kind if self.lost_reason is None else self.lost_kind,
        )
        self.gaps += subtract_gaps(gap, self.told_gaps)

    def mark_lost(self, reason: str, at_unix_ns: int, kind: GapKind = "camera") -> bool:
        """Mark the track as lost, and return whether that is new."""
        news = self.lost_reason is None
        if news:
            self.lost_at_unix_ns = self.end_unix_ns or at_unix_ns
        self.lost_reason, self.lost_kind = reason, kind
        return news

    def mark_recovered(self) -> bool:
        """Mark the track as writing footage again, and return whether that is new."""
        news = self.lost_reason is not None
        self.lost_reason, self.lost_at_unix_ns = None, None
        return news

    def end_gap(self, at_unix_ns: int) -> None:
        """Close a gap at the end of the recording."""
        if self.lost_at_unix_ns is not None:
            # A dead worker's footage may extend further than was known at its loss.
            start = max(self.lost_at_unix_ns, self.end_unix_ns or 0)
            if start < at_unix_ns:
                self._add_gap(start, at_unix_ns)
            self.lost_at_unix_ns = None

    def all_gaps(self) -> Iterable[Gap]:
        """Return the gaps so far, including the current one."""
        yield from self.gaps
        if self.lost_reason is not None and self.lost_at_unix_ns is not None:
            yield Gap(
                camera=self.camera.name,
                from_unix_ns=self.lost_at_unix_ns,
                to_unix_ns=None,
                reason=self.lost_reason,
                kind=self.lost_kind,
            )


def subtract_gaps(gap: Gap, others: Iterable[Gap]) -> list[Gap]:
    """Return the rest of a gap without other known gaps, with the same reason. Pure."""
    if gap.to_unix_ns is None:
        return [gap]
    known = _stretches(others)
    whole = Stretch(gap.from_unix_ns, gap.to_unix_ns)
    return [
        gap.model_copy(update={"from_unix_ns": rest.start_ns, "to_unix_ns": rest.end_ns})
        for rest in subtract(whole, union(known))
        if rest == whole or rest.end_ns - rest.start_ns >= _LEAST_GAP_NS
    ]


def _stretches(gaps: Iterable[Gap]) -> list[Stretch]:
    """Return the times of the gaps that have ended."""
    return [
        Stretch(gap.from_unix_ns, gap.to_unix_ns)
        for gap in gaps
        if gap.to_unix_ns is not None and gap.to_unix_ns > gap.from_unix_ns
    ]
