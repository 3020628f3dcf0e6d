"""Grouping of NAL units to access units by the picture boundaries in the bitstream.

A slice whose header differs from the previous one begins a picture (H.264, 7.4.1.2.4); units
directly before it belong to it. The RTP marker bit only says that a picture may be passed on before
the next one begins, once the marker has been right long enough. Two fields of a frame are one
access unit, as in files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from touchline.media.h264.sei import recovery_frames
from touchline.media.h264.slices import (
    Slice,
    read_slice,
    same_numbers,
    same_picture,
    second_field,
    slice_start,
)
from touchline.media.h264.syntax import AUD, IDR, PPS, SEI, SPS, I
from touchline.worker.rtp.errors import StreamError
from touchline.worker.rtp.parametersets import ParameterSets, Sets
from touchline.worker.rtp.payload import MAX_UNIT_BYTES, Unit

MAX_UNITS = 4096
"""Units in one picture: level 6.2 allows 600 slices."""
_PREFIX_UNITS, _PREFIX_BYTES = 64, 1 << 20
_QUIET_MARKED_NS, _QUIET_NS = 20_000_000, 500_000_000
_FILLER, _PREFIX_TYPE, _LAST_PREFIX_TYPE = 12, 14, 18
_AGAIN = "a picture was restarted before its end"
_RUN, _RUN_INTRA, _RUN_WARY, _RUN_MARKED = 8, 2, 60, 32


@dataclass(slots=True)
class Picture:
    """An access unit: its NAL units and the data of its first slice."""

    rtp_time: int
    arrived_ns: int
    head: Slice | None
    sets: Sets | None
    units: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    taken: int = 0
    slices: int = 0
    idr: bool = False
    intra: bool = True
    recovery: int | None = None
    may_change: bool = False
    damage: str | None = None
    last: Slice | None = None
    fields: int = 1
    begun: bool = False
    suspect: bool = False
    marked: bool = False
    marks: int = 0
    last_arrived_ns: int = 0

    def take(self, data: bytes) -> None:
        """Add a unit, unless the picture is dropped anyway. Raises StreamError."""
        self.taken += 1
        self.size_bytes += len(data)
        if self.damage is None:
            self.units.append(data)
        if self.size_bytes > MAX_UNIT_BYTES or self.taken > MAX_UNITS:
            raise StreamError(
                f"the camera sends an endless picture: {self.size_bytes >> 20} MiB in"
                f" {self.taken} units so far"
            )


class AccessUnits:
    """Assembler of access units; calls `on_picture` with every one, complete or damaged.

    Units are given in order. `idr_seen` says whether the stream has IDR pictures; without them
    parameter sets may change with any picture.
    """

    def __init__(
        self,
        sets: ParameterSets,
        on_picture: Callable[[Picture], None],
        on_lost: Callable[[str, bool], None],
    ) -> None:
        self.idr_seen = False
        self.malformed = 0
        self._sets, self._on_picture, self._on_lost = sets, on_picture, on_lost
        self._current: Picture | None = None
        self._finished: Slice | None = None
        self._prefix: list[bytes] = []
        self._prefix_bytes = 0
        self._recovery: int | None = None
        self._after_loss = True
        self._orphan: tuple[int, bool] | None = None
        self._runs: dict[bool, tuple[int, int]] = {}
        self._marked_run = 0
        self._marks_inside = False
        self._markers_wrong = False

    # ------------------------------------------------------------- units

    def unit(self, unit: Unit) -> None:
        """Accept the next unit. Raises StreamError."""
        kind = unit.data[0] & 0x1F
        if kind in {1, 2, IDR}:
            self._slice(unit)
        elif kind in {SPS, PPS}:
            if unit.whole:
                self._parameter_set(unit.data)
        elif kind in {AUD, SEI} or _PREFIX_TYPE <= kind <= _LAST_PREFIX_TYPE:
            if unit.whole:
                self._before_slice(kind, unit.data)
        elif kind != _FILLER and self._current is not None:
            self._current.take(unit.data)
            if not unit.whole:
                self._current.damage = self._current.damage or "packets were lost"

    def _parameter_set(self, data: bytes) -> None:
        try:
            self._sets.add(data)
        except ValueError:
            self.malformed += 1

    def _before_slice(self, kind: int, data: bytes) -> None:
        if kind == SEI:
            frames = recovery_frames(data)
            self._recovery = frames if frames is not None else self._recovery
        elif kind == AUD:
            self._prefix = [each for each in self._prefix if each[0] & 0x1F != AUD]
        self._prefix.append(data)
        self._prefix_bytes += len(data)
        while len(self._prefix) > _PREFIX_UNITS or self._prefix_bytes > _PREFIX_BYTES:
            self._prefix_bytes -= len(self._prefix.pop(0))

    def _slice(self, unit: Unit) -> None:
        head, sets, first_mb, may_change = self._head(unit)
        current = self._current
        if current is None and self._too_late(head):
            self._markers_wrong = True
            self._clear_prefix()
            self._on_lost("a part of a picture arrived too late", False)
            return
        if current is not None:
            if self._is_same_picture(current, unit, head, first_mb):
                self._continue_picture(current, unit, head)
                return
            self._finish(current)
        self._begin(unit, head, sets, may_change=may_change)

    def _too_late(self, head: Slice | None) -> bool:
        """Return whether a slice belongs to the picture that was passed on last."""
        finished = self._finished
        return head is not None and finished is not None and same_picture(finished, head)

    def _head(self, unit: Unit) -> tuple[Slice | None, Sets | None, int, bool]:
        """Return a slice's header, sets, first macroblock, and whether the sets may change here."""
        idr = unit.data[0] & 0x1F == IDR
        may_change = idr or not self.idr_seen
        try:
            first_mb, _, pps_id = slice_start(unit.data)
            sets = self._sets.of_picture(pps_id, may_change=may_change)
            head = None if sets is None else read_slice(unit.data, sets.sps, sets.pps)
        except ValueError:
            self.malformed += 1
            return None, None, -1, may_change
        return head, sets, first_mb, may_change

    @staticmethod
    def _is_same_picture(current: Picture, unit: Unit, head: Slice | None, first_mb: int) -> bool:
        if head is not None and current.last is not None:
            if same_picture(current.last, head):
                return True
            if unit.rtp_time == current.rtp_time and same_numbers(current.last, head):
                return True  # same numbers and time: a careless encoder, not a new picture
            return current.fields == 1 and second_field(current.last, head)
        return first_mb != 0 and unit.rtp_time == current.rtp_time

    def _continue_picture(self, current: Picture, unit: Unit, head: Slice | None) -> None:
        if current.suspect:
            current.damage = current.damage or "packets were lost"
        if head is None:
            current.damage = current.damage or "a slice cannot be read"
        elif current.last is not None and head.bottom != current.last.bottom:
            current.fields, current.begun = 2, False
        elif current.begun and head.first_mb == 0 and not head.redundant:
            self._restart_picture(current, unit)
            return
        current.suspect = self._after_loss = False
        for each in self._prefix:
            if each[0] & 0x1F != AUD:
                current.take(each)
        self._clear_prefix()
        self._add(current, unit, head)

    def _restart_picture(self, current: Picture, unit: Unit) -> None:
        current.damage = current.damage or _AGAIN
        current.last_arrived_ns = unit.arrived_ns
        self._clear_prefix()
        self._on_lost(_AGAIN, False)

    def _begin(
        self, unit: Unit, head: Slice | None, sets: Sets | None, *, may_change: bool
    ) -> None:
        idr = unit.data[0] & 0x1F == IDR
        current = Picture(unit.rtp_time, unit.arrived_ns, head, sets, may_change=may_change)
        current.idr = idr
        has_orphan = self._has_orphan(unit.rtp_time)
        if head is None:
            current.damage = (
                "its parameter sets are missing" if sets is None else "a slice cannot be read"
            )
        elif (head.first_mb and self._after_loss) or has_orphan:
            current.damage = "packets were lost"
        current.recovery, self._after_loss = self._recovery, False
        for each in self._prefix:
            current.take(each)
        self._clear_prefix()
        self._current, self._finished = current, None
        self._add(current, unit, head)

    def _add(self, current: Picture, unit: Unit, head: Slice | None) -> None:
        current.take(unit.data)
        current.slices += 1
        if not unit.whole:
            current.damage = current.damage or "packets were lost"
        if head is not None:
            current.last = head
            current.begun = current.begun or head.first_mb == 0
            current.intra = current.intra and head.slice_type in {I, 4}
        current.marked = False
        current.last_arrived_ns = unit.arrived_ns

    def _clear_prefix(self) -> None:
        self._prefix.clear()
        self._prefix_bytes = 0
        self._recovery = None

    # ------------------------------------------------------- ends of pictures

    def packet_end(self, *, marked: bool, arrived_ns: int) -> None:
        """Handle the end of a packet: all its units were given and no unit is open."""
        current = self._current
        if current is None or self._prefix:
            return
        current.last_arrived_ns = arrived_ns
        current.marked = marked
        current.marks += marked
        if (
            marked
            and not self._markers_wrong
            and not current.suspect
            and self._looks_whole(current)
        ):
            self._finish(current)

    def _looks_whole(self, current: Picture) -> bool:
        """Return whether such pictures have always ended like this, long enough to rely on it."""
        if current.head is None or (current.head.field and current.fields == 1):
            return False
        slices, run = self._runs.get(current.intra, (0, 0))
        if self._marks_inside:
            wanted = _RUN_WARY if not current.intra else _RUN
        else:
            wanted = _RUN_INTRA if current.intra else _RUN
        if slices == current.slices and run >= wanted:
            return True
        return self._marked_run >= _RUN_MARKED

    def _learn(self, current: Picture) -> None:
        if current.damage is not None or current.suspect:
            return
        inside = current.marks - current.marked
        self._marks_inside = self._marks_inside or inside > 0
        self._marked_run = self._marked_run + 1 if current.marked and not inside else 0
        slices, run = self._runs.get(current.intra, (0, 0))
        same = slices == current.slices and current.marked
        self._runs[current.intra] = (current.slices, run + 1 if same else 0)

    def _finish(self, current: Picture) -> None:
        if current.suspect and not (current.marked and not self._marks_inside):
            current.damage = current.damage or "packets were lost"
        self._learn(current)
        self._current = None
        self._finished = current.last
        self.idr_seen = self.idr_seen or (current.idr and current.damage is None)
        self._on_picture(current)

    def due(self, now_ns: int) -> None:
        """Pass on a picture that no data has followed for a while. No unit may be open."""
        current = self._current
        if current is None or self._prefix:
            return
        trusted = current.marked and not self._marks_inside and not self._markers_wrong
        quiet_ns = _QUIET_MARKED_NS if trusted else _QUIET_NS
        if now_ns - current.last_arrived_ns >= quiet_ns and not self._markers_wrong:
            self._finish(current)

    def flush(self) -> None:
        """Handle the end or interruption of the stream."""
        if self._current is not None:
            self._finish(self._current)
        self._clear_prefix()
        self._count_orphan(None)
        self._finished = self._orphan = None
        self._after_loss = True

    # ----------------------------------------------------------------- losses

    def lost(self) -> None:
        """Record that packets are missing between the previous unit and the next."""
        self._after_loss = True
        if self._current is not None:
            self._current.suspect = True

    def note_orphan(self, rtp_time: int, unit_type: int) -> None:
        """Record fragments of a unit whose beginning is missing."""
        current = self._current
        if current is not None and current.rtp_time == rtp_time:
            current.damage = current.damage or "packets were lost"
        else:
            self._count_orphan(rtp_time)
            self._orphan = rtp_time, unit_type == IDR

    def _has_orphan(self, rtp_time: int) -> bool:
        """Return whether fragments without a beginning belonged to this picture; count others."""
        found = self._orphan is not None and self._orphan[0] == rtp_time
        self._count_orphan(rtp_time)
        self._orphan = None
        return found

    def _count_orphan(self, rtp_time: int | None) -> None:
        """Count a picture that only left fragments without a beginning, unless it is this one."""
        if self._orphan is not None and self._orphan[0] != rtp_time:
            self._on_lost("packets were lost", self._orphan[1])
