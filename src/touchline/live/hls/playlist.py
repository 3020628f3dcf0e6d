"""The text of an HLS media playlist, ordinary and low-latency in one. Pure.

RFC 8216 and its second edition (draft-pantos-hls-rfc8216bis) for parts, blocking reload and hints.
A player without support for parts sees complete segments only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from touchline.live.hls.partlength import LEAST_SHARE, printed_ms

_ROUNDING_S = 0.001
PARTS_KEPT_TARGETS = 3
"""Parts are listed within this many target durations of the end, as the RFC requires."""


@dataclass(frozen=True)
class PlaylistPart:
    """A part of a segment, which can be fetched before the segment is complete."""

    name: str
    duration_s: float
    independent: bool


@dataclass
class PlaylistSegment:
    """A segment, captured at `unix_ns`; it grows until it is complete."""

    sequence: int
    name: str
    init: str
    unix_ns: int
    discontinuity: bool = False
    whole: bool = False
    parts: list[PlaylistPart] = field(default_factory=list)

    def complete(self) -> None:
        """Mark the segment as complete."""
        self.whole = True

    def take_discontinuity(self) -> bool:
        """Return whether a discontinuity precedes the segment, and count it as one before it."""
        found, self.discontinuity = self.discontinuity, False
        return found

    @property
    def duration_s(self) -> float:
        """Duration of the parts so far."""
        return sum(part.duration_s for part in self.parts)


@dataclass(frozen=True)
class PlaylistHead:
    """Playlist fields other than the segments."""

    target_s: int
    part_target_s: float
    discontinuities_before: int
    next_part: str
    independent: bool
    """Whether every segment starts with a keyframe."""


def render(segments: Sequence[PlaylistSegment], listing: PlaylistHead) -> str:
    """Render the playlist of these segments, the last of which may be unfinished."""
    part_target_s = printed_ms(listing.part_target_s) / 1000
    hold_s = 3 * part_target_s
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{listing.target_s}",
        (
            f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={hold_s:.3f},"
            f"HOLD-BACK={3 * listing.target_s:.1f}"
        ),
        f"#EXT-X-PART-INF:PART-TARGET={part_target_s:.3f}",
        f"#EXT-X-MEDIA-SEQUENCE:{segments[0].sequence if segments else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{listing.discontinuities_before}",
        *(["#EXT-X-INDEPENDENT-SEGMENTS"] if listing.independent else []),
    ]
    init = ""
    first_with_parts = _first_with_parts(segments, listing.target_s)
    for segment in segments:
        if segment.discontinuity:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.init != init:
            init = segment.init
            lines.append(f'#EXT-X-MAP:URI="{init}"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_iso(segment.unix_ns)}")
        if segment.sequence >= first_with_parts and _keep_target(segment, part_target_s):
            lines += [_part(part) for part in segment.parts]
        if segment.whole:
            lines += [f"#EXTINF:{segment.duration_s:.5f},", segment.name]
    lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{listing.next_part}"')
    return "\n".join(lines) + "\n"


def target_s(longest_s: float) -> int:
    """Return the target duration for segments up to this long, rounded as players compare it."""
    return max(1, math.floor(longest_s + 0.5))


def longest_s(target: int) -> float:
    """Return the maximum duration of a segment for its playlist's target duration."""
    return target + 0.5 - _ROUNDING_S


def _first_with_parts(segments: Sequence[PlaylistSegment], target: int) -> int:
    """Return the number of the first segment whose parts are listed: none of them is too old.

    Players count a segment's parts, so they are listed completely or not at all. Validators count
    segments instead of seconds, including the open one: no more than three have parts.
    """
    room_s = PARTS_KEPT_TARGETS * target + _ROUNDING_S
    first = segments[-1].sequence if segments else 0
    for segment in list(segments)[-PARTS_KEPT_TARGETS:][::-1]:
        room_s -= segment.duration_s
        if room_s < 0:
            break
        first = segment.sequence
    return first


def _keep_target(segment: PlaylistSegment, target_s: float) -> bool:
    """Return whether all parts but a segment's last reach 85 % of the stated duration.

    A camera that skips a frame, or changes its pace, produces parts that do not; players then use
    the segment as a whole.
    """
    durations_s = [part.duration_s for part in segment.parts]
    full = durations_s[:-1] if segment.whole else durations_s
    return all(each <= target_s for each in durations_s) and all(
        each >= LEAST_SHARE * target_s for each in full
    )


def _part(part: PlaylistPart) -> str:
    independent = ",INDEPENDENT=YES" if part.independent else ""
    return f'#EXT-X-PART:DURATION={part.duration_s:.5f},URI="{part.name}"{independent}'


def _iso(unix_ns: int) -> str:
    at = datetime.fromtimestamp(unix_ns // 1_000_000_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{unix_ns // 1_000_000 % 1000:03d}Z"
