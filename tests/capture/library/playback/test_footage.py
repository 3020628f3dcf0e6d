from __future__ import annotations

from pathlib import Path

import pytest

from support.segmentfiles import CODEC, START_UNIX_NS, write_segment
from touchline.capture.library.playback import footage
from touchline.capture.library.playback.footage import ARCHIVES, Footage
from touchline.core.errors import NotFound, Refused
from touchline.media import matchfiles

pytestmark = pytest.mark.anyio

SECOND_NS = 1_000_000_000
FIRST, SECOND, OTHER, THIRD = (
    "cam0_20260211_220241_00.mp4",
    "cam0_20260211_220241_01.mp4",
    "cam1_20260211_220241_00.mp4",
    "cam2_20260211_220241_00.mp4",
)


@pytest.fixture
def match(tmp_path: Path) -> Path:
    """A match with two files of camera 0 and one of camera 1."""
    segments = tmp_path / "segments"
    write_segment(segments / SECOND, 10, start_unix_ns=START_UNIX_NS + 4 * SECOND_NS)
    write_segment(segments / FIRST, 10)
    write_segment(segments / OTHER, 5)
    return tmp_path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read, in turn."""
    found: list[str] = []
    read = matchfiles.read

    def noting(path: Path) -> matchfiles.Read:
        found.append(path.name)
        return read(path)

    monkeypatch.setattr(matchfiles, "read", noting)
    return found


async def test_a_cameras_files_come_in_the_order_of_capture(match: Path) -> None:
    filmed = await Footage().read(match, "cam0")
    assert [piece.name for piece in filmed.pieces] == [FIRST, SECOND]
    assert filmed.refused == ""
    first, second = filmed.pieces
    assert (first.start_ns, first.end_ns) == (START_UNIX_NS, START_UNIX_NS + 4 * SECOND_NS)
    assert second.start_ns == first.end_ns
    assert first.part.codec == CODEC
    assert first.init()[4:8] == b"ftyp"


async def test_frames_stand_on_the_clock_of_the_match(match: Path) -> None:
    _, second = (await Footage().read(match, "cam0")).pieces
    source = second.source()
    assert source.frames[0].at_ns == second.start_ns
    assert source.frames[-1].at_ns == second.start_ns + 3_960_000_000
    assert source.end_ns == second.end_ns


@pytest.mark.parametrize("camera", sorted(ARCHIVES))
async def test_an_archive_is_the_one_file_of_its_name(match: Path, camera: str) -> None:
    with pytest.raises(NotFound):
        await Footage().read(match, camera)
    write_segment(match / ARCHIVES[camera])
    (piece,) = (await Footage().read(match, camera)).pieces
    assert piece.path == match / ARCHIVES[camera]


async def test_a_camera_without_files_is_not_found(match: Path) -> None:
    with pytest.raises(NotFound) as raised:
        await Footage().read(match, "cam2")
    assert raised.value.code == "no_such_footage"


async def test_a_file_that_is_no_footage_is_left_out_with_its_reason(match: Path) -> None:
    (match / "segments" / SECOND).write_bytes(b"not a movie")
    filmed = await Footage().read(match, "cam0")
    assert [piece.name for piece in filmed.pieces] == [FIRST]
    assert SECOND in filmed.refused
    (match / "segments" / FIRST).write_bytes(b"nor this")
    with pytest.raises(Refused) as raised:
        await Footage().read(match, "cam0")
    assert raised.value.code == "footage_unusable"


async def test_a_file_that_stays_the_same_is_read_once(match: Path, reads: list[str]) -> None:
    footage = Footage()
    for _ in range(3):
        await footage.read(match, "cam0")
    assert reads == [FIRST, SECOND]


async def test_a_file_that_grows_is_read_each_time(match: Path, reads: list[str]) -> None:
    footage = Footage()
    lasted = []
    for fragments in (2, 4):
        write_segment(match / "segments" / OTHER, fragments, finalized=False)
        (piece,) = (await footage.read(match, "cam1")).pieces
        lasted.append(piece.end_ns - piece.start_ns)
    assert lasted == [800_000_000, 1_600_000_000]
    await footage.read(match, "cam1")
    assert reads == [OTHER] * 3


async def test_the_indexes_that_were_asked_for_last_are_kept(
    match: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_segment(match / "segments" / THIRD)
    (match / "segments" / SECOND).unlink()
    monkeypatch.setattr(footage, "KEPT_INDEXES", 2)
    kept = Footage()
    for camera in ("cam1", "cam2", "cam1", "cam0", "cam1", "cam2"):
        await kept.read(match, camera)
    assert reads == [OTHER, THIRD, FIRST, THIRD]
