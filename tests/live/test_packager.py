from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from coded import CODEC, frame, frames
from touchline.live.frames import Frame
from touchline.live.packager import Ended, File, Packager, Position, Shape
from touchline.live.playlist import target_s
from touchline.worker.mp4 import Codec

SHAPE = Shape(part_s=0.25, segment_s=1.0, segments=4)
NOW_NS = 1_770_837_041_000_000_000


def packager(**options: object) -> Packager:
    usual: dict[str, object] = {
        "token": "t1",
        "monotonic_ns": 0,
        "unix_minus_monotonic_ns": lambda: NOW_NS,
    }
    return Packager("cam0", **{"shape": SHAPE, **usual, **options})  # type: ignore[arg-type]


def packaged(made: Packager, taken: list[Frame]) -> list[File]:
    return [file for each in taken for file in made.take(each)]


def durations(made: Packager) -> list[float]:
    return [round(segment.duration_s, 3) for segment in made.segments if segment.whole]


@pytest.mark.parametrize("fps", [24, 25, 29.97, 30, 50, 60])
def test_parts_fit_the_target_and_fill_most_of_it(fps: float) -> None:
    made = packager()
    packaged(made, frames(int(5 * fps), gop=round(fps), fps=fps))
    assert "PART-TARGET=0.250" in made.render()
    for segment in [s for s in made.segments if s.whole]:
        *full, _last = segment.parts
        assert all(0.85 * 0.25 <= part.duration_s <= 0.2502 for part in full)
        assert [part.independent for part in segment.parts] == [True] + [False] * len(full)


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
    assert made.ended == Ended(made.segments[0].sequence, 0)


def test_parts_are_listed_near_the_end_only_and_the_next_one_is_announced() -> None:
    made = packager(shape=replace(SHAPE, segments=8))
    packaged(made, frames(250, gop=30))
    text = made.render()
    assert text.count("#EXTINF") == 8
    listed = text.count("#EXT-X-PART:")
    assert 3 * 4 <= listed <= 5 * 5
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
