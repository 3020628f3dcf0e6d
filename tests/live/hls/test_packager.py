from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.codedbytes import CODEC, frame, frames
from touchline.live.frames.frame import LiveFrame
from touchline.live.hls.packager import File, Packager, PlaylistEnd, PlaylistShape, Position
from touchline.live.hls.partlength import FrameSpacing, part_target_s
from touchline.live.hls.playlist import target_s
from touchline.media.h264.codec import Codec

SHAPE = PlaylistShape(part_s=0.25, segment_s=1.0, segments=4)
NOW_NS = 1_770_837_041_000_000_000


def packager(**options: object) -> Packager:
    usual: dict[str, object] = {
        "token": "t1",
        "monotonic_ns": 0,
        "unix_minus_monotonic_ns": lambda: NOW_NS,
    }
    return Packager("cam0", **{"shape": SHAPE, **usual, **options})  # type: ignore[arg-type]


def packaged(made: Packager, taken: list[LiveFrame]) -> list[File]:
    return [file for each in taken for file in made.take(each)]


def durations(made: Packager) -> list[float]:
    return [round(segment.duration_s, 3) for segment in made.segments if segment.whole]


PART = re.compile(r'#EXT-X-PART:DURATION=([\d.]+),URI="([^"]+)"')


def breaches(made: Packager) -> list[str]:
    """What in the playlist, as it is now, breaks its own word on the length and age of parts."""
    text = made.render()
    target_s = float(re.findall(r"PART-TARGET=([\d.]+)", text)[0])
    longest_s = int(re.findall(r"TARGETDURATION:(\d+)", text)[0])
    assert f"PART-HOLD-BACK={3 * target_s:.3f}" in text
    lasts = {segment.parts[-1].name for segment in made.segments if segment.whole}
    parts = listed(text)
    end_s = sum(segment.duration_s for segment in made.segments)
    return [
        *(f"long: {name} {d}" for d, name, _ in parts if d > target_s),
        *(f"short: {n} {d}" for d, n, _ in parts if d < 0.85 * target_s and n not in lasts),
        *(f"old: {n} {at_s}" for _, n, at_s in parts if end_s - at_s > 3 * longest_s + 0.001),
        # Validators count segments, the one being made among them.
        *(f"early: {n}" for _, n, _ in parts if f"_{made.segments[-1].sequence - 3}." in n),
    ]


def listed(text: str) -> list[tuple[float, str, float]]:
    """Every part of a playlist with the second at which it begins in it."""
    found, at_s, in_parts_s = [], 0.0, 0.0
    for line in text.splitlines():
        if (part := PART.match(line)) is not None:
            found.append((float(part[1]), part[2], at_s + in_parts_s))
            in_parts_s += float(part[1])
        elif line.startswith("#EXTINF:"):
            at_s += float(line.removeprefix("#EXTINF:").rstrip(","))
            in_parts_s = 0.0
    return found


def paced(seconds: float, next_s: Callable[[int], float], *, gop_s: float = 1.0) -> list[LiveFrame]:
    """Frames at the times that a camera of this pace gives them, a keyframe each second."""
    found: list[LiveFrame] = []
    at_s, key_s = 0.0, -1e9
    while at_s < seconds:
        length_s = next_s(len(found))
        keyframe = at_s - key_s >= gop_s - 1e-6
        key_s = at_s if keyframe else key_s
        at_ns = round(at_s * 1e9)
        found.append(
            frame(0, keyframe=keyframe)._replace(
                pts_ns=at_ns, dts_ns=at_ns, duration_ns=round(length_s * 1e9)
            )
        )
        at_s += length_s
    return found


@pytest.mark.parametrize(
    ("fps", "target_s"),
    [
        (5, 0.201),
        (7.5, 0.268),
        (8, 0.251),
        (10, 0.201),
        (12, 0.251),
        (12.5, 0.25),
        (14.985, 0.268),
        (15, 0.268),
        (18, 0.25),
        (20, 0.251),
        (23.976, 0.251),
        (24, 0.251),
        (25, 0.25),
        (29.97, 0.25),
        (30, 0.25),
        (48, 0.25),
        (50, 0.25),
        (59.94, 0.25),
        (60, 0.25),
        (120, 0.25),
    ],
)
def test_parts_fit_the_target_and_fill_most_of_it(fps: float, target_s: float) -> None:
    made = packager()
    for each in frames(int(6 * fps), gop=round(fps), fps=fps):
        made.take(each)
        assert breaches(made) == []
    text = made.render()
    assert f"PART-TARGET={target_s:.3f}" in text
    assert len(listed(text)) >= 2 / target_s - 3, "they are listed at all"
    for segment in [s for s in made.segments if s.whole]:
        assert [p.independent for p in segment.parts] == [True] + [False] * (len(segment.parts) - 1)


def alternating(n: int) -> float:
    return (1 / 30, 1 / 15)[n % 2]


def unsteady(n: int) -> float:
    return 0.04 * (0.75 + 0.5 * ((n * 7919) % 101) / 100)


def slowing(n: int) -> float:
    """A camera in the evening: 30 frames a second, and 15 after four seconds."""
    return 1 / 30 if n < 120 else 1 / 15


def skipping(n: int) -> float:
    return 0.12 if n % 47 == 46 else 0.04


def jittering(n: int) -> float:
    return (1 / 15) * (1 + 0.03 * ((n * 31) % 7 - 3) / 3)


@pytest.mark.parametrize("next_s", [alternating, unsteady, slowing, skipping, jittering])
def test_parts_of_a_variable_frame_rate_keep_what_the_playlist_says(
    next_s: Callable[[int], float],
) -> None:
    made = packager()
    listings = 0
    for each in paced(12, next_s):
        made.take(each)
        made.forget_old()
        assert breaches(made) == []
        listings += bool(listed(made.render()))
    assert listings > 30, "most of the time there are parts"
    assert len(listed(made.render())) >= 2


@pytest.mark.parametrize(
    ("asked_s", "pace", "expected_s"),
    [
        (0.25, FrameSpacing(1 / 30, 1 / 30), 0.25),
        (0.25, FrameSpacing(1 / 15, 1 / 15), 4 / 15 + 0.0005),
        (0.25, FrameSpacing(0.1, 0.1), 0.2005),
        (0.25, FrameSpacing(0.5, 0.5), 0.5005),
        (0.25, FrameSpacing(0.062, 0.070), 0.2805),
        (0.25, FrameSpacing(1 / 30, 1 / 15), (1 / 15) / 0.14),
        (0.25, FrameSpacing(0.02, 0.4), 1.0),  # no more than a segment
        (1.0, FrameSpacing(1 / 30, 1 / 15), 1.0),
    ],
)
def test_the_length_of_parts_follows_from_the_time_between_frames(
    asked_s: float, pace: FrameSpacing, expected_s: float
) -> None:
    assert part_target_s(asked_s, pace, 1.0) == pytest.approx(expected_s)


@pytest.mark.parametrize(
    ("gop", "expected"),
    [
        (30, [1.0] * 5),  # one GOP a segment
        (15, [0.5] + [1.0] * 4),  # two, once it is known how long they are
        (120, [4.0]),  # what a camera sends cannot be cut
    ],
)
def test_segments_begin_with_keyframes_and_are_about_a_second(
    gop: int, expected: list[float]
) -> None:
    made = packager()
    packaged(made, frames(151, gop=gop))
    assert durations(made) == expected
    assert f"#EXT-X-TARGETDURATION:{int(max(expected))}" in made.render()


def test_keyframes_that_viewers_ask_for_never_make_a_segment_too_long() -> None:
    for asked in range(1, 30):
        made = packager(gop_ns=1_000_000_000)
        # The encoder's own second begins anew with the keyframe it was asked for.
        keys = {0, 30, 30 + asked, 60 + asked, 90 + asked}
        packaged(made, [frame(n, keyframe=n in keys) for n in range(120)])
        assert all(target_s(s.duration_s) == 1 for s in made.segments if s.whole), asked
        assert "#EXT-X-TARGETDURATION:1\n" in made.render()


def test_what_a_player_fetches_is_listed_and_plays(tmp_path: Path) -> None:
    made = packager()
    files = packaged(made, frames(100, gop=30))
    text = made.render()
    init = files[0]
    assert f'#EXT-X-MAP:URI="{init.name}"' in text
    assert init.data[4:8] == b"ftyp"
    whole = [s for s in made.segments if s.whole]
    assert [s.sequence for s in whole] == [whole[0].sequence + n for n in range(3)]
    by_name = {file.name: file for file in files}
    assert all(part.name in by_name for segment in made.segments for part in segment.parts)
    film = tmp_path / "film.mp4"
    film.write_bytes(init.data + b"".join(f.data for f in files[1:]))
    packets = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0",
         str(film)],
        capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    assert len(packets) >= 90
    assert packets[1].startswith("0.033")


def test_a_break_is_a_discontinuity_and_a_new_picture_size_a_new_init() -> None:
    made = packager()
    larger = [f._replace(codec=replace_size()) for f in frames(90, gop=30)[60:]]
    again = [f._replace(broken=n == 0) for n, f in enumerate(frames(60, gop=30)[30:])]
    files = packaged(made, [*frames(30, gop=30), *again, *larger])
    assert [s.discontinuity for s in made.segments] == [False, True, True]
    assert len([f for f in files if f.name.endswith("_init.mp4")]) == 2
    assert made.render().count("#EXT-X-MAP") == 2


def replace_size() -> Codec:
    return CODEC._replace(width=640)


def test_a_segment_at_which_no_player_can_begin_is_taken_back_and_its_number_used_again() -> None:
    made = packager()
    packaged(made, frames(31, gop=30))
    sequence, hint = made.segments[-1].sequence, made.next_part
    made.leave_out()
    packaged(made, frames(40, gop=30)[31:])  # nothing continues before a keyframe
    assert [s.sequence for s in made.segments] == [sequence - 1]
    other = [
        f._replace(codec=replace_size(), keyframe=n % 30 == 0)
        for n, f in enumerate(frames(110, gop=30)[40:])
    ]
    files = packaged(made, other)
    assert [s.sequence for s in made.segments][:2] == [sequence - 1, sequence]
    assert made.segments[1].discontinuity
    assert hint in {file.name for file in files}
    names = [file.name for file in files]
    assert len(names) == len(set(names))


def test_where_the_first_segment_is_taken_back_the_playlist_begins_behind_it() -> None:
    made = packager()
    packaged(made, frames(1, gop=30))
    made.leave_out()
    packaged(made, [f._replace(codec=replace_size()) for f in frames(70, gop=30)[30:]])
    assert "#EXT-X-DISCONTINUITY\n" not in made.render()
    assert made.render().count("#EXT-X-MAP") == 1
    assert made.position is not None


def test_what_is_listed_stays_when_the_rest_is_left_out() -> None:
    made = packager()
    packaged(made, frames(45, gop=30))
    listed = made.segments[-1].parts[:]
    assert listed
    made.leave_out()
    files = packaged(made, [f._replace(codec=replace_size()) for f in frames(130, gop=30)[60:]])
    assert made.segments[1].parts[: len(listed)] == listed
    assert made.segments[1].whole
    assert made.segments[2].discontinuity
    assert files[0].parts_of is made.segments[1]


def test_frames_after_a_hole_wait_for_the_next_keyframe() -> None:
    made = packager()
    packaged(made, [*frames(40, gop=30), *frames(130, gop=30)[100:]])
    whole = [s for s in made.segments if s.whole]
    assert made.segments[-1].discontinuity
    assert round(whole[-1].duration_s, 2) == 0.33, "what came before the hole is kept"
    assert made.segments[-1].unix_ns == NOW_NS + frame(120).pts_ns


def test_old_segments_leave_the_list_and_their_discontinuities_are_counted() -> None:
    made = packager()
    broken = [f._replace(broken=f.dts_ns == frame(60).dts_ns) for f in frames(300, gop=30)]
    for each in broken:
        made.take(each)
        made.forget_old()
    text = made.render()
    assert text.count("#EXTINF") == SHAPE.segments
    assert "#EXT-X-DISCONTINUITY\n" not in text
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in text
    assert f"#EXT-X-MEDIA-SEQUENCE:{made.segments[0].sequence}\n" in text


def test_a_restarted_preview_goes_on_counting_and_uses_no_name_twice() -> None:
    first = packager()
    names = {file.name for file in packaged(first, frames(100, gop=30))}
    ended = first.ended
    second = packager(token="t2", after=ended)
    files = packaged(second, frames(100, gop=30))
    assert second.segments[0].sequence == ended.sequence + 1
    assert f"#EXT-X-DISCONTINUITY-SEQUENCE:{ended.discontinuity + 1}\n" in second.render()
    assert not names & {file.name for file in files}


def test_discontinuities_are_counted_from_zero() -> None:
    # hls.js keeps an array as long as the number and walks it for each playlist.
    made = packager()
    packaged(made, frames(10, gop=30))
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:0\n" in made.render()
    assert made.ended == PlaylistEnd(made.segments[0].sequence, 0)


def test_parts_are_listed_near_the_end_only_and_the_next_one_is_announced() -> None:
    made = packager(shape=replace(SHAPE, segments=8))
    packaged(made, frames(250, gop=30))
    text = made.render()
    assert text.count("#EXTINF") == 8
    count = text.count("#EXT-X-PART:")
    assert 2 * 4 <= count <= 3 * 4, "no part is older than three target durations"
    hint = text.rstrip().splitlines()[-1]
    assert hint == f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{made.next_part}"'
    assert made.next_part not in text.replace(hint, "")


def reached(made: Packager) -> Position:
    position = made.position
    assert position is not None
    return position


def test_the_position_says_what_can_be_fetched() -> None:
    assert packager().position is None
    made = packager()
    taken = frames(70, gop=30)
    packaged(made, taken[:8])
    first = made.segments[0].sequence
    position = reached(made)
    assert position.has(first, 0)
    assert not position.has(first, 1)
    assert not position.has(first, None), "the segment is not whole"
    packaged(made, taken[8:31])
    position = reached(made)
    assert position.has(first, None)
    assert position.has(first, 99), "parts of a whole segment are all there"
    assert not position.has(first + 1, 0)


@pytest.mark.parametrize(
    "unix_ns", [0, 35 * 10**9, NOW_NS - 3600 * 10**9, NOW_NS + 50 * 365 * 86_400 * 10**9]
)
def test_numbers_and_names_do_not_come_from_the_wall_clock(unix_ns: int) -> None:
    made = packager(monotonic_ns=7_000_000_000, unix_minus_monotonic_ns=lambda: unix_ns)
    packaged(made, frames(40, gop=30))
    assert made.segments[0].sequence == 14
    assert "#EXT-X-MEDIA-SEQUENCE:14\n" in made.render()
    assert made.segments[0].name == "cam0_t1_14.m4s"


def test_numbers_rise_over_a_restart_of_the_process_whatever_happens_to_the_clock() -> None:
    ended = packager(monotonic_ns=100 * 10**9, unix_minus_monotonic_ns=lambda: NOW_NS)
    packaged(ended, frames(300, gop=15))
    again = packager(monotonic_ns=110 * 10**9, unix_minus_monotonic_ns=lambda: 0)
    packaged(again, frames(30, gop=30))
    assert again.segments[0].sequence > ended.ended.sequence


def test_dates_follow_the_clock_when_it_is_set_and_nothing_else_does() -> None:
    wall = [0]
    made = packager(unix_minus_monotonic_ns=lambda: wall[0])
    packaged(made, frames(61, gop=30))
    wall[0] = NOW_NS
    packaged(made, [frame(n, keyframe=n % 30 == 0) for n in range(61, 130)])
    dates = [segment.unix_ns for segment in made.segments]
    assert dates[0] < 10**10 < NOW_NS <= dates[-1]
    sequences = [segment.sequence for segment in made.segments]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    assert not any(segment.discontinuity for segment in made.segments)
