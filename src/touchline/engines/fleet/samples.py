"""Compact storage of stream samples: 37 bytes each, where objects would take 1,300."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from touchline.engines.model.model import Sample

BLOCK = 64
"""Number of samples stored as one row in the database."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TYPES = "qiiiqqB"  # ts in microseconds, peers, speed down and up, bytes down and up, word
_NONE = (0, -(1 << 31), -(1 << 31), -(1 << 31), -(1 << 63), -(1 << 63), 0)
_MOST = (0, (1 << 31) - 1, (1 << 31) - 1, (1 << 31) - 1, (1 << 63) - 1, (1 << 63) - 1, 0)
_MOST_WORDS = 255
_LONGEST_WORD = 64
_FIELDS = ("peers", "speed_down", "speed_up", "downloaded", "uploaded")

Row = tuple[int, int, int, int, int, int, int]


class SampleRing:
    """Ring of the newest `capacity` samples of a stream.

    Samples are numbered consecutively; the columns hold those from `_first` on, and are cut when a
    block more than `capacity` has accumulated: a cut moves less than a kilobyte at long intervals.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._first = 0
        self._columns = tuple(array(code) for code in _TYPES)
        self._words: list[str | None] = [None]
        self._saved = 0

    def __len__(self) -> int:
        return min(self._capacity, len(self._columns[0]))

    def append(self, sample: Sample) -> None:
        """Add a sample; the oldest is dropped at capacity."""
        values = [_clip_value(getattr(sample, name), at) for at, name in enumerate(_FIELDS, 1)]
        ts_us = (sample.ts - _EPOCH) // _MICROSECOND
        for column, value in zip(
            self._columns, (ts_us, *values, self._code(sample.status)), strict=True
        ):
            column.append(value)
        if len(self._columns[0]) >= self._capacity + BLOCK:
            for column in self._columns:
                del column[:BLOCK]
            self._first += BLOCK

    def since(self, start: datetime | None) -> list[Sample]:
        """Return the samples not older than `start`, oldest first; all of them without it."""
        stamps = self._columns[0]
        start_us = None if start is None else (start - _EPOCH) // _MICROSECOND
        return [
            self._sample(at)
            for at in range(len(stamps) - len(self), len(stamps))
            if start_us is None or stamps[at] >= start_us
        ]

    @property
    def latest(self) -> Sample | None:
        """Newest sample."""
        return self._sample(len(self._columns[0]) - 1) if self._columns[0] else None

    def take_unsaved_blocks(self) -> list[tuple[int, bytes]]:
        """Return number and content of each block with samples not returned before."""
        end = self._first + len(self._columns[0])
        if self._saved == end:
            return []
        first = max(self._saved, self._first) // BLOCK
        self._saved = end
        return [(number, self._block(number)) for number in range(first, -(-end // BLOCK))]

    def restore(self, blocks: Iterable[tuple[int, bytes]]) -> None:
        """Restore blocks of `take_unsaved_blocks`; the ring must be empty."""
        ordered = sorted(blocks)
        # Keep only a gapless series up to the newest block, so that new blocks replace none of it.
        while ordered and ordered[-1][0] - ordered[0][0] != len(ordered) - 1:
            ordered.pop(0)
        if not ordered:
            return
        self._first = ordered[0][0] * BLOCK
        for _, content in ordered:
            for ts_us, *values, word in json.loads(content):
                numbers = [_clip_value(value, at) for at, value in enumerate(values, 1)]
                row = (ts_us, *numbers, self._code(word))
                for column, value in zip(self._columns, row, strict=True):
                    column.append(value)
        over = (len(self._columns[0]) - self._capacity) // BLOCK * BLOCK
        if over > 0:
            for column in self._columns:
                del column[:over]
            self._first += over
        self._saved = self._first + len(self._columns[0])

    def _block(self, number: int) -> bytes:
        first = max(0, number * BLOCK - self._first)
        last = min(len(self._columns[0]), (number + 1) * BLOCK - self._first)
        rows = [
            [self._columns[0][at], *(self._value(at, c) for c in range(1, 6)), self._word(at)]
            for at in range(first, last)
        ]
        return json.dumps(rows, separators=(",", ":")).encode()

    def _sample(self, at: int) -> Sample:
        peers, speed_down, speed_up, downloaded, uploaded = (
            self._value(at, column) for column in range(1, 6)
        )
        return Sample(
            ts=_EPOCH + self._columns[0][at] * _MICROSECOND,
            peers=peers,
            speed_down=speed_down,
            speed_up=speed_up,
            downloaded=downloaded,
            uploaded=uploaded,
            status=self._word(at),
        )

    def _value(self, at: int, column: int) -> int | None:
        value: int = self._columns[column][at]
        return None if value == _NONE[column] else value

    def _word(self, at: int) -> str | None:
        return self._words[self._columns[6][at]]

    def _code(self, word: str | None) -> int:
        """Return the code of a state.

        An engine has half a dozen state names; any beyond the limit get no code.
        """
        if word is not None:
            word = word[:_LONGEST_WORD]
        if word not in self._words:
            if len(self._words) >= _MOST_WORDS:
                return 0
            self._words.append(word)
        return self._words.index(word)


class SampleBook:
    """Samples of all streams, and their total traffic."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._rings: dict[str, SampleRing] = {}
        self._last: dict[str, tuple[int | None, int | None]] = {}
        self.total_downloaded_bytes = 0
        self.total_uploaded_bytes = 0

    def append(self, stream_id: str, sample: Sample) -> None:
        """Add the newest sample of a stream."""
        ring = self._rings.get(stream_id)
        if ring is None:
            ring = self._rings[stream_id] = SampleRing(self._capacity)
        ring.append(sample)
        down, up = self._last.get(stream_id, (None, None))
        self.total_downloaded_bytes += _growth(down, sample.downloaded)
        self.total_uploaded_bytes += _growth(up, sample.uploaded)
        self._last[stream_id] = (
            sample.downloaded if sample.downloaded is not None else down,
            sample.uploaded if sample.uploaded is not None else up,
        )

    def since(self, stream_id: str, start: datetime | None) -> Sequence[Sample]:
        """Return samples not older than `start`, oldest first.

        Empty for an unknown stream.
        """
        ring = self._rings.get(stream_id)
        return ring.since(start) if ring is not None else ()

    def forget(self, stream_id: str) -> None:
        """Remove a stream; its traffic stays in the totals."""
        self._rings.pop(stream_id, None)
        self._last.pop(stream_id, None)

    def take_unsaved_blocks(self) -> list[tuple[str, int, bytes]]:
        """Return stream, number and content of each block changed since the last call."""
        return [
            (stream_id, number, content)
            for stream_id, ring in self._rings.items()
            for number, content in ring.take_unsaved_blocks()
        ]

    def restore(self, stream_id: str, blocks: Iterable[tuple[int, bytes]]) -> Sample | None:
        """Restore an earlier server's samples of a stream, and return the newest of them.

        Samples already received by this server are placed after the earlier ones.
        """
        ring = SampleRing(self._capacity)
        ring.restore(blocks)
        newest = ring.latest
        if newest is not None:
            self._last.setdefault(stream_id, (newest.downloaded, newest.uploaded))
        came = self._rings.get(stream_id)
        for sample in came.since(None) if came is not None else ():
            ring.append(sample)
        self._rings[stream_id] = ring
        return ring.latest


def _clip_value(value: int | None, column: int) -> int:
    if value is None:
        return _NONE[column]
    return max(_NONE[column] + 1, min(_MOST[column], value))


def _growth(before: int | None, now: int | None) -> int:
    """Return the increase of a counter; after a reset it counts from zero."""
    if now is None:
        return 0
    return max(0, now) if before is None else max(0, now - before)
