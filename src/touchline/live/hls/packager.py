"""Packaging of a camera's frames as HLS parts and segments: fragmented MP4, without files. Pure.

Frames are gathered into parts, parts into segments that start with a keyframe. A part is complete
once its last frame's duration is known, which is when the next frame arrives. Once a playlist has
stated its target duration, it stays, and a segment that would be longer ends without a keyframe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from touchline.live.frames.frame import LiveFrame
from touchline.live.hls.partlength import ROUNDING_S, Paced, fits, part_target_s
from touchline.live.hls.playlist import (
    PlaylistHead,
    PlaylistPart,
    PlaylistSegment,
    longest_s,
    render,
    target_s,
)
from touchline.media.h264.codec import Codec
from touchline.media.mp4 import writer
from touchline.media.mp4.fragment import live_fragment
from touchline.media.mp4.sample import TIMESCALE, Mp4Sample, ticks

JUMP_NS = 1_000_000_000
"""A gap of this length in the timestamps is a discontinuity."""
LEAST_SEGMENT_NS = 500_000_000
"""Minimum length of a segment, unless the camera is interrupted."""
_STEP_NS = 500_000_000
"""Minimum change of the wall clock that the dates of later segments follow."""
_NEVER_NS = 1 << 63
_GOP_DECAY = 0.97
"""Decay of the camera's keyframe interval, the longest seen recently; requested ones come early."""


@dataclass(frozen=True)
class PlaylistShape:
    """Intended length of parts and segments, and number of listed segments."""

    part_s: float
    segment_s: float
    segments: int


class Position(NamedTuple):
    """Progress of a playlist: the newest segment, its parts, and whether it is complete."""

    sequence: int
    parts: int
    whole: bool

    def has(self, sequence: int, part: int | None) -> bool:
        """Return whether this segment, or this part of it, is listed."""
        if sequence != self.sequence:
            return sequence < self.sequence
        return self.whole or (part is not None and part < self.parts)


class PlaylistEnd(NamedTuple):
    """End of a playlist: the number of its last segment, and its count of discontinuities."""

    sequence: int
    discontinuity: int


@dataclass(frozen=True)
class File:
    """A file for players; `parts_of` is the segment that this is a part of."""

    name: str
    data: bytes
    parts_of: PlaylistSegment | None = None


class Packager:
    """Creates files and the state of the playlist from frames.

    Sequence numbers start with the time since boot, so that they keep rising across restarts of the
    preview or its process and connected players can continue: no segment is shorter than the step
    of that number. The wall clock is used only for the dates of segments.
    """

    def __init__(
        self,
        camera: str,
        shape: PlaylistShape,
        *,
        token: str,
        monotonic_ns: int,
        unix_minus_monotonic_ns: Callable[[], int],
        gop_ns: int = 0,
        after: PlaylistEnd | None = None,
    ) -> None:
        """Use `token` to make file names unique, also across restarts and boots.

        `after` is the end of an earlier preview of the camera that players may still know.
        """
        self.shape = shape
        self.segments: deque[PlaylistSegment] = deque()
        self._gop_s = gop_ns / 1e9
        self._target_s = target_s(max(shape.segment_s, self._gop_s))
        self._stated = False
        self._independent = True
        self._part_target_s = shape.part_s
        self._paced = Paced()
        self._parted = False
        self._wall_clock = unix_minus_monotonic_ns
        self._unix_minus_monotonic_ns = unix_minus_monotonic_ns()
        self._stem = f"{camera}_{token}"
        since_boot = max(0, monotonic_ns) // LEAST_SEGMENT_NS
        self._next_sequence = since_boot if after is None else max(since_boot, after.sequence + 1)
        # Counted from 0, because hls.js allocates an array of this length.
        self._discontinuities = 0 if after is None else after.discontinuity + 1
        self._codec: Codec | None = None
        self._init = ""
        self._inits = 0
        self._base_ns: int | None = None
        self._segment_start_ns = 0
        self._keyframe_ns: int | None = None
        self._pending: list[LiveFrame] = []
        self._fragments = 0
        self._lost = False

    # --------------------------------------------------------------- gathering

    def take(self, frame: LiveFrame) -> list[File]:
        """Add a frame; returns the files that are complete with it, in the order of their use."""
        files: list[File] = []
        last = self._pending[-1] if self._pending else None
        if last is not None and not 0 < frame.dts_ns - last.dts_ns < JUMP_NS:
            self._lost = True
        broken = self._lost or frame.broken or frame.codec != self._codec
        if broken and not frame.keyframe:
            self._lost = True  # nothing continues until the next keyframe
            return files
        self._lost = False
        if self._base_ns is None:
            self._base_ns = frame.dts_ns
        if last is not None:
            if not broken:
                self._paced.add((frame.dts_ns - last.dts_ns) / 1e9)
            begins = broken or (frame.keyframe and self._is_long_enough(frame))
            if not begins and self._must_end(frame):
                begins = True
                self._independent = self._independent and frame.keyframe
            if begins or self._part_is_full(frame):
                end_ns = last.dts_ns + max(last.duration_ns, 1) if broken else frame.dts_ns
                files.append(self._close_part(min(end_ns, self._latest_end_ns)))
            if begins:
                self._close_segment()
        if not self.segments or self.segments[-1].whole:
            files += self._open_segment(frame, discontinuity=broken and bool(self.segments))
        if frame.keyframe:
            self._note_keyframe(frame, broken=broken)
        self._pending.append(frame)
        return files

    def leave_out(self) -> None:
        """Remove a segment without parts, because no player could start there.

        Frames added later do not continue the earlier ones.
        """
        self._lost = True
        if self.segments and not self.segments[-1].parts:
            self._pending.clear()
            self.segments.pop()
            self._next_sequence -= 1

    def is_long_enough(self, dts_ns: int) -> bool:
        """Return whether the open segment has its full length, so that a keyframe is due."""
        return (dts_ns - self._segment_start_ns) / 1e9 >= 0.9 * self._target_s

    def _part_is_full(self, frame: LiveFrame) -> bool:
        """Return whether this frame could make the part too long: its duration is unknown."""
        pace = self._paced.pace
        if not self._pending or pace is None:
            return False
        if not self._parted:  # no playlist has stated the target yet
            self._choose_part_length()
        so_far_s = (frame.dts_ns - self._pending[0].dts_ns) / 1e9
        return so_far_s + pace.longest_s > self._part_target_s - ROUNDING_S

    def _choose_part_length(self) -> None:
        """Adapt the target duration of parts if it does not suit the camera."""
        pace = self._paced.pace
        if pace is not None and not fits(self._part_target_s, pace):
            most_s = max(self.shape.part_s, self.shape.segment_s)
            self._part_target_s = part_target_s(self.shape.part_s, pace, most_s)

    def _is_long_enough(self, keyframe: LiveFrame) -> bool:
        """Return whether the segment may end here.

        It may if it is long enough, or would be too long at the next keyframe.
        """
        length_s = (keyframe.dts_ns - self._segment_start_ns) / 1e9
        next_s = length_s + (self._gop_s or self.shape.segment_s)
        return length_s >= LEAST_SEGMENT_NS / 1e9 and (
            length_s >= 0.9 * self._target_s or next_s >= self._target_s + 0.5
        )

    @property
    def _latest_end_ns(self) -> int:
        """Latest end of the open segment according to the stated target duration."""
        if not self._stated:
            return _NEVER_NS
        return self._segment_start_ns + round(longest_s(self._target_s) * 1e9)

    def _must_end(self, frame: LiveFrame) -> bool:
        """Return whether the open segment would exceed its stated target duration."""
        pace = self._paced.pace
        longest_ns = round(pace.longest_s * 1e9) if pace is not None else 0
        return frame.dts_ns + longest_ns > self._latest_end_ns

    def _note_keyframe(self, frame: LiveFrame, *, broken: bool) -> None:
        if self._keyframe_ns is not None and not broken:
            length_s = (frame.dts_ns - self._keyframe_ns) / 1e9
            self._gop_s = max(length_s, self._gop_s * _GOP_DECAY)
        self._keyframe_ns = frame.dts_ns

    def _open_segment(self, frame: LiveFrame, *, discontinuity: bool) -> list[File]:
        files: list[File] = []
        self._choose_part_length()
        if frame.codec != self._codec:
            self._codec = frame.codec
            self._init = f"{self._stem}_{self._inits}_init.mp4"
            self._inits += 1
            files.append(File(self._init, writer.live_init(frame.codec)))
        self._segment_start_ns = frame.dts_ns
        unix_ns = frame.pts_ns + self._date_offset_ns()
        self.segments.append(
            PlaylistSegment(
                self._next_sequence,
                f"{self._stem}_{self._next_sequence}.m4s",
                self._init,
                unix_ns,
                discontinuity,
            )
        )
        self._next_sequence += 1
        return files

    def _date_offset_ns(self) -> int:
        """Return Unix minus monotonic time for dates; it follows clock changes, but not drift."""
        now_ns = self._wall_clock()
        if abs(now_ns - self._unix_minus_monotonic_ns) > _STEP_NS:
            self._unix_minus_monotonic_ns = now_ns
        return self._unix_minus_monotonic_ns

    def _close_part(self, end_dts_ns: int) -> File:
        frames, self._pending = self._pending, []
        segment = self.segments[-1]
        base_ns = self._base_ns or 0
        at = [ticks(f.dts_ns - base_ns) for f in frames]
        at.append(max(ticks(end_dts_ns - base_ns), at[-1] + 1))
        samples = [
            Mp4Sample(
                frame.data,
                at[n],
                ticks(frame.pts_ns - base_ns),
                at[n + 1] - at[n],
                frame.keyframe,
            )
            for n, frame in enumerate(frames)
        ]
        self._fragments += 1
        name = self._part_name(segment.sequence, len(segment.parts))
        duration_s = (at[-1] - at[0]) / TIMESCALE
        self._parted = True
        segment.parts.append(PlaylistPart(name, duration_s, frames[0].keyframe))
        return File(name, live_fragment(self._fragments, samples), segment)

    def _close_segment(self) -> None:
        segment = self.segments[-1]
        segment.complete()
        if not self._stated:
            self._target_s = max(self._target_s, target_s(segment.duration_s))

    def forget_old(self) -> list[PlaylistSegment]:
        """Remove files from the playlist that it no longer lists, and return them."""
        gone = []
        while len(self.segments) > self.shape.segments + 1:
            gone.append(self.segments.popleft())
            first = self.segments[0]
            # From now on the first segment's own tag counts as one before it.
            self._discontinuities += first.take_discontinuity()
        return gone

    # ----------------------------------------------------------------- playlist

    @property
    def position(self) -> Position | None:
        """Progress of the playlist; None while there is nothing to fetch."""
        for segment in reversed(self.segments):
            if segment.parts:
                return Position(segment.sequence, len(segment.parts), segment.whole)
        return None

    @property
    def ended(self) -> PlaylistEnd:
        """End of the playlist if no more frames arrive."""
        listed = sum(segment.discontinuity for segment in self.segments)
        return PlaylistEnd(self._next_sequence - 1, self._discontinuities + listed)

    @property
    def next_part(self) -> str:
        """Name of the part that is being collected."""
        segment = self.segments[-1]
        return self._part_name(segment.sequence, len(segment.parts))

    def tell(self) -> None:
        """Fix the target duration, for a player that gets a playlist without a complete segment.

        The length of the first segment is unknown; assume twice its present length.
        """
        if not self._stated and self.segments:
            so_far_s = self.segments[-1].duration_s
            self._target_s = max(self._target_s, target_s(2 * so_far_s))
            self._stated = True

    def render(self) -> str:
        """Render the playlist; with a whole segment, its target duration is fixed."""
        self._stated = self._stated or any(segment.whole for segment in self.segments)
        listing = PlaylistHead(
            target_s=self._target_s,
            part_target_s=self._part_target_s,
            discontinuities_before=self._discontinuities,
            next_part=self.next_part,
            independent=self._independent,
        )
        return render(self.segments, listing)

    def _part_name(self, sequence: int, part: int) -> str:
        return f"{self._stem}_{sequence}.{part}.m4s"
