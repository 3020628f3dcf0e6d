from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from support.matches import PERIOD_NS, START_NS, World, film_match, steady
from support.scenes import two_cameras
from touchline.media.matchfiles import Files
from touchline.studio.errors import StudioError
from touchline.studio.pictures.footage import (
    AHEAD_FRAMES,
    Ahead,
    cameras_in,
    fps_of,
    left_out,
    period_ns_of,
    segment_files_in,
    shots,
    usable_files,
)
from touchline.studio.pictures.pairing import Shot


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Camera 0 with two segments and a gap between them, camera 1 with one."""
    folder = tmp_path_factory.mktemp("matches") / "derby"
    first = [t for t in steady(120) if not 1_000_000_000 < t - START_NS < 2_000_000_000]
    return film_match(folder, World(two_cameras(320, 180)), first, steady(30))


def test_footage_from_one_instant_to_the_next_is_found_without_reading_it_all(match: Path) -> None:
    reels = segment_files_in(usable_files(match, "cam0"))
    middle = START_NS + 3_000_000_000
    found = list(shots(reels, from_ns=middle, to_ns=middle + 500_000_000))
    assert len(found) == 15
    assert found[0].at_ns >= middle


def test_pictures_come_in_order_over_all_segments(match: Path) -> None:
    reels = segment_files_in(usable_files(match, "cam0"))
    times_ns = [shot.at_ns for shot in shots(reels)]
    assert len(times_ns) == sum(reel.frames for reel in reels)
    assert times_ns == sorted(set(times_ns))


def test_the_period_is_that_of_the_camera_whatever_is_missing(match: Path) -> None:
    reels = segment_files_in(usable_files(match, "cam0"))
    assert period_ns_of(reels) == pytest.approx(PERIOD_NS, rel=0.01)
    with pytest.raises(StudioError, match="no footage"):
        period_ns_of([])


@pytest.mark.parametrize(
    ("period_ns", "fps"),
    [
        (33_333_333, Fraction(30)),
        (33_366_667, Fraction(30000, 1001)),
        (40_000_100, Fraction(25)),
        (16_683_333, Fraction(60000, 1001)),
        (80_000_000, Fraction(25, 2)),
    ],
)
def test_a_rate_is_the_one_that_cameras_have(period_ns: int, fps: Fraction) -> None:
    assert fps_of(period_ns) == fps


def test_only_regular_video_files_count_and_cameras_come_by_number(tmp_path: Path) -> None:
    segments = tmp_path / "segments"
    segments.mkdir()
    for name in ("cam10_00.mp4", "cam2_00.mkv", "cam3_00.txt", ".cam4_00.mp4", "notes"):
        (segments / name).write_bytes(b"x")
    (segments / "cam5_00.mp4").symlink_to("/etc/passwd")
    (segments / "cam6_00.mp4").mkdir()
    assert cameras_in(tmp_path) == ["cam2", "cam10"]
    assert usable_files(tmp_path, "cam2").usable == ()
    assert list(usable_files(tmp_path, "cam2").refused) == ["cam2_00.mkv"]


def test_files_that_were_left_out_are_named_where_there_are_any() -> None:
    assert left_out([Files((), {})]) == {}
    found = left_out([Files((), {"a": "why"}), Files((), {"b": "why else"})])
    assert found == {"left_out": {"a": "why", "b": "why else"}}


def picture() -> av.VideoFrame:
    return av.VideoFrame(16, 16, "yuv420p")


def test_what_is_decoded_ahead_comes_in_order_and_not_all_at_once() -> None:
    taken: list[int] = []

    def source() -> Iterator[Shot[av.VideoFrame]]:
        for number in range(100):
            taken.append(number)
            yield Shot(number, picture())

    ahead = Ahead(source(), "test")
    found = iter(ahead)
    assert [next(found).at_ns for _ in range(3)] == [0, 1, 2]
    assert len(taken) <= 3 + AHEAD_FRAMES + 2
    ahead.close()


def test_an_error_of_the_source_reaches_the_reader() -> None:
    def source() -> Iterator[Shot[av.VideoFrame]]:
        yield Shot(0, picture())
        raise StudioError("no_footage", "it has ended")

    ahead = Ahead(source(), "test")
    found = iter(ahead)
    next(found)
    with pytest.raises(StudioError, match="it has ended"):
        next(found)
    ahead.close()
