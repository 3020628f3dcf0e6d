"""Division of a match's footage into HLS media segments on one continuous timeline.

Pure: the same fragments give the same segments, and footage that is appended only appends segments,
so a playlist of a running match never changes what it announced before (RFC 8216, 6.2.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from touchline.media.h264.codec import Codec
from touchline.media.mp4.sample import ticks
from touchline.media.mp4.walk import ScannedFragment

_NANO = 1_000_000_000
_DUE_NS = 5_400_000_000
"""Length from which a segment ends at the next keyframe."""
_LONGEST_NS = 9 * _NANO
"""Maximum length of a segment.

Cameras with rarer keyframes get segments that begin without one.
"""
_BRIDGED_NS = _NANO
"""Longest gap over which the last frame is held.

A longer one is a discontinuity.
"""
_OVERLAP_NS = 100_000_000
TARGET_S = (_LONGEST_NS + _BRIDGED_NS) // _NANO
"""Upper bound of segment length for any recording.

A playlist can state it before all segments are known.
"""


class Run(NamedTuple):
    """Consecutive fragments of a file that become one media segment, and their duration."""

    fragments: tuple[ScannedFragment, ...]
    duration_ns: int


class MediaPart(NamedTuple):
    """Footage of one file: its codec, and its runs grouped into stretches without a hole.

    `early_ticks` is the longest time a frame is shown before it is decoded.
    """

    codec: Codec
    early_ticks: int
    stretches: tuple[tuple[Run, ...], ...]


class MediaSegment(NamedTuple):
    """Media segment of the playlist.

    `part` is the index of its part, `number` counts segments from 1, and `decode_ticks` is its
    start on the playlist's timeline.
    """

    part: int
    run: Run
    number: int
    decode_ticks: int
    longer_ticks: int
    discontinuity: bool

    @property
    def duration_ticks(self) -> int:
        """Presentation duration in ticks of `mp4.TIMESCALE`."""
        return ticks(self.run.duration_ns) + self.longer_ticks


def stretches(fragments: Sequence[ScannedFragment]) -> tuple[tuple[Run, ...], ...]:
    """Group a file's fragments into runs.

    Damage, or a long hole between two fragments, ends a stretch.
    """
    found: list[tuple[Run, ...]] = []
    begin = 0
    for n in range(1, len(fragments) + 1):
        before = fragments[n - 1]
        if n == len(fragments) or _are_apart(before, fragments[n]):
            found.append(tuple(_split_into_runs(fragments[begin:n])))
            begin = n
    return tuple(found)


def _are_apart(before: ScannedFragment, after: ScannedFragment) -> bool:
    if before.offset + before.size_bytes != after.offset:
        return True
    return after.start_ns - before.start_ns - before.duration_ns > _BRIDGED_NS


def _split_into_runs(fragments: Sequence[ScannedFragment]) -> Iterator[Run]:
    gathered: list[ScannedFragment] = []
    for fragment in fragments:
        if gathered:
            so_far_ns = fragment.start_ns - gathered[0].start_ns
            too_long = so_far_ns + fragment.duration_ns > _LONGEST_NS
            if (so_far_ns >= _DUE_NS and fragment.keyframe) or too_long:
                yield Run(tuple(gathered), so_far_ns)
                gathered = []
        gathered.append(fragment)
    if gathered:
        first, last = gathered[0], gathered[-1]
        yield Run(tuple(gathered), last.start_ns + last.duration_ns - first.start_ns)


def media_segments(parts: Sequence[MediaPart], *, growing: bool) -> list[MediaSegment]:
    """Place the runs of all parts, which are in the order of capture, on one timeline.

    While the footage is `growing` the last run is left out: its end depends on what follows.
    Footage that is also in the next part is played from there: after a disk failure within a group
    of pictures, the recorder writes that group to another file before removing it from this one.
    """
    flat = [
        (number, part.codec, run, run is stretch[-1])
        for number, part in enumerate(parts)
        for stretch in _clip_parts(part, parts[number + 1] if number + 1 < len(parts) else None)
        for run in stretch
    ]
    segments: list[MediaSegment] = []
    at_ticks, broken = 0, False
    for n, (number, codec, run, is_last) in enumerate(flat):
        follows = flat[n + 1] if n + 1 < len(flat) else None
        if follows is None and growing:
            break
        bridge_ns: int | None = 0
        if is_last and follows is not None:
            same_file = follows[0] == number
            bridge_ns = _bridge_ns(run, follows[2], same_file=same_file)
        longer = ticks(bridge_ns) if bridge_ns is not None else 0
        segment = MediaSegment(number, run, n + 1, at_ticks, longer, broken)
        segments.append(segment)
        at_ticks += segment.duration_ticks
        broken = bridge_ns is None or (follows is not None and follows[1] != codec)
    return segments


def _clip_parts(part: MediaPart, following: MediaPart | None) -> Iterator[tuple[Run, ...]]:
    """Yield the stretches of a part up to the start of the following one."""
    if following is None or not following.stretches:
        yield from part.stretches
        return
    end_unix_ns = following.stretches[0][0].fragments[0].capture_unix_ns
    for stretch in part.stretches:
        kept = tuple(run for run in (_cut(run, end_unix_ns) for run in stretch) if run is not None)
        if kept:
            yield kept


def _cut(run: Run, end_unix_ns: int) -> Run | None:
    """Return a run without the fragments from an instant on; None if nothing is left."""
    if run.fragments[-1].capture_unix_ns < end_unix_ns:
        return run
    kept = tuple(each for each in run.fragments if each.capture_unix_ns < end_unix_ns)
    if not kept:
        return None
    return Run(kept, kept[-1].start_ns + kept[-1].duration_ns - kept[0].start_ns)


def _bridge_ns(run: Run, follows: Run, *, same_file: bool) -> int | None:
    """Return how long the last frame of a run is held; None if that is too long.

    A camera that paused within a group of pictures is continued after the longest time: a player
    that sees a discontinuity would drop the pictures up to the next keyframe.
    """
    last, first = run.fragments[-1], follows.fragments[0]
    goes_on = same_file and not first.keyframe and last.offset + last.size_bytes == first.offset
    ends_ns = run.fragments[0].capture_unix_ns + run.duration_ns
    gap_ns = follows.fragments[0].capture_unix_ns - ends_ns
    if goes_on:
        return min(max(gap_ns, 0), _BRIDGED_NS)
    return max(gap_ns, 0) if -_OVERLAP_NS <= gap_ns <= _BRIDGED_NS else None
