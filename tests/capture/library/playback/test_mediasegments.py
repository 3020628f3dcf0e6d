from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from touchline.capture.library.playback.mediasegments import (
    TARGET_S,
    MediaPart,
    media_segments,
    stretches,
)
from touchline.media.h264.codec import Codec
from touchline.media.mp4.sample import TIMESCALE, ticks
from touchline.media.mp4.walk import ScannedFragment

CODEC = Codec(320, 180, b"one")
OTHER = Codec(640, 360, b"two")
START_NS = 1_770_000_000_000_000_000
FRAGMENT_NS = 250_000_000


def fragments(count: int, *, gop: int = 4, at_ns: int = START_NS) -> list[ScannedFragment]:
    """Fragments of a quarter of a second, a keyframe in every `gop`-th of them."""
    return [
        ScannedFragment(
            offset=1000 + n * 500,
            size_bytes=500,
            sequence=n + 1,
            samples=8,
            keyframe=n % gop == 0,
            start_ns=n * FRAGMENT_NS,
            duration_ns=FRAGMENT_NS,
            capture_unix_ns=at_ns + n * FRAGMENT_NS,
        )
        for n in range(count)
    ]


def part(found: list[ScannedFragment], codec: Codec = CODEC) -> MediaPart:
    return MediaPart(codec, 0, stretches(found))


def end_ns(found: list[ScannedFragment]) -> int:
    return found[-1].capture_unix_ns + FRAGMENT_NS


def test_a_segment_ends_at_the_first_keyframe_that_is_due() -> None:
    segments = media_segments([part(fragments(100))], growing=False)
    assert [len(s.run.fragments) for s in segments] == [24, 24, 24, 24, 4]
    assert all(s.run.fragments[0].keyframe for s in segments)


def test_a_camera_with_rare_keyframes_gets_segments_no_longer_than_the_target() -> None:
    segments = media_segments([part(fragments(200, gop=100))], growing=False)
    assert max(s.duration_ticks for s in segments) <= TARGET_S * TIMESCALE
    assert sum(len(s.run.fragments) for s in segments) == 200


def test_files_that_follow_on_are_one_timeline_without_a_discontinuity() -> None:
    first = fragments(30)
    second = fragments(30, at_ns=end_ns(first))
    segments = media_segments([part(first), part(second)], growing=False)
    assert not any(s.discontinuity for s in segments)
    at = 0
    for segment in segments:
        assert segment.decode_ticks == at
        at += segment.duration_ticks
    assert at == 60 * ticks(FRAGMENT_NS)


def test_over_a_short_gap_the_last_frame_stands_still() -> None:
    first = fragments(8)
    second = fragments(8, at_ns=end_ns(first) + 600_000_000)
    one, two = media_segments([part(first), part(second)], growing=False)
    assert one.longer_ticks == ticks(600_000_000)
    assert two.decode_ticks == ticks(8 * FRAGMENT_NS + 600_000_000)
    assert not two.discontinuity


def test_a_long_gap_and_another_codec_are_discontinuities() -> None:
    first = fragments(8)
    later = fragments(8, at_ns=end_ns(first) + 60_000_000_000)
    other = fragments(8, at_ns=end_ns(later))
    parts = [part(first), part(later), part(other, OTHER)]
    segments = media_segments(parts, growing=False)
    assert [s.discontinuity for s in segments] == [False, True, True]
    assert segments[1].decode_ticks == ticks(8 * FRAGMENT_NS)  # the gap takes no time


def test_a_camera_that_paused_within_a_gop_goes_on_without_a_discontinuity() -> None:
    """A long pause takes as long as a picture may stand still; the date tells its length."""
    whole = fragments(40, gop=20)
    pause_ns = 60_000_000_000
    paused = [
        *whole[:30],
        *(
            f._replace(start_ns=f.start_ns + pause_ns, capture_unix_ns=f.capture_unix_ns + pause_ns)
            for f in whole[30:]
        ),
    ]
    segments = media_segments([part(paused)], growing=False)
    assert sum(len(s.run.fragments) for s in segments) == 40
    assert not any(s.discontinuity for s in segments)
    assert max(s.duration_ticks for s in segments) <= TARGET_S * TIMESCALE
    at = 0
    for segment in segments:
        assert segment.decode_ticks == at
        at += segment.duration_ticks
    assert at == 40 * ticks(FRAGMENT_NS) + TIMESCALE


def test_a_damaged_place_in_a_file_ends_a_segment() -> None:
    whole = fragments(12)
    damaged = [*whole[:5], *whole[6:]]
    segments = media_segments([part(damaged)], growing=False)
    assert [len(s.run.fragments) for s in segments] == [5, 6]
    assert segments[0].longer_ticks == ticks(FRAGMENT_NS)


def test_a_clock_that_says_the_next_file_began_earlier_shortens_nothing() -> None:
    first = fragments(8)
    second = fragments(8, at_ns=end_ns(first) - 50_000_000)
    one, two = media_segments([part(first), part(second)], growing=False)
    assert one.longer_ticks == 0
    assert not two.discontinuity


@given(
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    gaps_ms=st.lists(st.integers(0, 3000), min_size=4, max_size=4),
    gop=st.integers(1, 60),
)
def test_a_growing_playlist_is_only_appended_to(
    counts: list[int], gaps_ms: list[int], gop: int
) -> None:
    parts: list[list[ScannedFragment]] = []
    at_ns = START_NS
    for count, gap_ms in zip(counts, gaps_ms, strict=False):
        found = fragments(count, gop=gop, at_ns=at_ns)
        parts.append(found)
        at_ns = end_ns(found) + gap_ms * 1_000_000
    before: list[object] = []
    for last, found in enumerate(parts):
        for so_far in range(1, len(found) + 1):
            grown = [*parts[:last], found[:so_far]]
            now = media_segments([part(each) for each in grown], growing=True)
            assert list(now[: len(before)]) == before
            assert all(s.duration_ticks <= TARGET_S * TIMESCALE for s in now)
            before = list(now)
    finished = media_segments([part(each) for each in parts], growing=False)
    assert list(finished[: len(before)]) == before
    assert len(finished) == len(before) + 1


def test_a_group_that_another_file_has_again_is_played_once_and_changes_nothing() -> None:
    before = fragments(30)
    broken_off = media_segments([part(before)], growing=True)
    again = fragments(30, at_ns=before[28].capture_unix_ns)
    both = media_segments([part(before), part(again)], growing=True)
    cut = media_segments([part(before[:28]), part(again)], growing=True)
    assert both == cut
    assert both[: len(broken_off)] == broken_off
    assert not any(segment.discontinuity for segment in both)


def test_a_file_that_is_in_the_next_one_as_a_whole_is_not_played_twice() -> None:
    again = fragments(40)
    assert media_segments([part(fragments(8)), part(again)], growing=False) == [
        segment._replace(part=1) for segment in media_segments([part(again)], growing=False)
    ]
