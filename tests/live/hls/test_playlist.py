from __future__ import annotations

from dataclasses import replace

from touchline.live.hls.playlist import (
    PlaylistHead,
    PlaylistPart,
    PlaylistSegment,
    longest_s,
    render,
    target_s,
)

HEAD = PlaylistHead(2, 0.5, 3, "next.m4s", independent=True)


def segment(number: int, *durations_s: float, whole: bool = True) -> PlaylistSegment:
    parts = [PlaylistPart(f"p{number}.{n}", d, n == 0) for n, d in enumerate(durations_s)]
    return PlaylistSegment(
        number, f"s{number}.m4s", "init1.mp4", 1_700_000_000_250_000_000, whole=whole, parts=parts
    )


def test_an_empty_playlist_announces_its_first_part() -> None:
    lines = render([], HEAD).splitlines()
    assert lines[0] == "#EXTM3U"
    assert "#EXT-X-MEDIA-SEQUENCE:0" in lines
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:3" in lines
    assert lines[-1] == '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="next.m4s"'
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in lines
    assert "INDEPENDENT-SEGMENTS" not in render([], replace(HEAD, independent=False))


def test_an_open_segment_has_parts_and_no_name() -> None:
    text = render([segment(7, 0.5, 0.5), segment(8, 0.5, whole=False)], HEAD)
    assert "#EXT-X-MEDIA-SEQUENCE:7\n" in text
    assert "#EXTINF:1.00000,\ns7.m4s\n" in text
    assert '#EXT-X-PART:DURATION=0.50000,URI="p8.0",INDEPENDENT=YES\n' in text
    assert '#EXT-X-PART:DURATION=0.50000,URI="p7.1"\n' in text
    assert "s8.m4s" not in text
    assert "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.250Z\n" in text


def test_the_initialisation_is_named_when_it_changes() -> None:
    other = replace(segment(3, 0.5), init="init2.mp4", discontinuity=True)
    text = render([segment(1, 0.5), segment(2, 0.5), other], HEAD)
    assert text.count("#EXT-X-MAP") == 2
    assert '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init2.mp4"\n' in text


def test_parts_are_listed_for_three_segments_at_most_and_only_near_the_end() -> None:
    short = render([segment(n, 0.5) for n in range(6)], HEAD)
    assert [n for n in range(6) if f"p{n}.0" in short] == [3, 4, 5]
    long = render([segment(n, *[0.5] * 8) for n in range(6)], HEAD)
    assert [n for n in range(6) if f"p{n}.0" in long] == [5], "six seconds are three targets"


def test_a_segment_with_a_part_of_a_wrong_length_is_listed_as_a_whole() -> None:
    text = render([segment(1, 0.5, 0.3, 0.5), segment(2, 0.6), segment(3, 0.5, 0.1)], HEAD)
    assert [n for n in (1, 2, 3) if f"p{n}.0" in text] == [3], "only a last part may be short"
    assert text.count("#EXTINF") == 3


def test_target_durations_are_rounded_as_players_do() -> None:
    assert [target_s(each) for each in (0.2, 1.49, 1.5, 2.4)] == [1, 1, 2, 2]
    assert all(target_s(longest_s(target)) == target for target in range(1, 10))
