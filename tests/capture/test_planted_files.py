"""A recordings folder into which somebody else has put what is no footage of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from support.segmentfiles import write_segment
from touchline.capture.library.inventory import segments_of
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.library.markers import Markers
from touchline.capture.library.playback.footage import Footage
from touchline.capture.library.recovery import find_interrupted_matches, salvage_match
from touchline.capture.library.verification.segmentcheck import check_segment
from touchline.core.errors import NotFound
from touchline.foreign.files import create_new

pytestmark = pytest.mark.anyio

OURS = "cam0_20260211_220241_00.mp4"
PLANTED = "cam0_20260211_220341_01.mp4"
WITHIN_S = 30.0


def fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


def link(path: Path, outside: Path) -> None:
    write_segment(outside / "foreign.mp4")
    path.symlink_to(outside / "foreign.mp4")


def zeros(path: Path, _: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path, _: Path) -> None:
    path.mkdir()


Plant = Callable[[Path, Path], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_segment(tmp_path / "recordings" / "final" / "segments" / OURS)
    (tmp_path / "outside").mkdir()
    return tmp_path / "recordings"


@pytest.mark.parametrize("plant", [fifo, link, zeros, folder])
@pytest.mark.parametrize("listed", [False, True])
async def test_what_is_planted_between_segments_is_no_segment(
    root: Path,
    plant: Plant,
    listed: bool,  # noqa: FBT001
) -> None:
    match = root / "final"
    plant(match / "segments" / PLANTED, root.parent / "outside")
    if listed:  # as if it had been put in the place of a segment that was there
        manifest = rescan(match)
        lost = manifest.segments[0].model_copy(update={"name": PLANTED, "index": 1})
        manifestfile.save(match, manifest.with_segment(lost))
    library = Library(root, is_running=lambda _: False)
    with anyio.fail_after(WITHIN_S):
        assert set(json.loads(await library.list())["recordings"]) == {"final"}
        assert (await library.segments("final"))["segments_count"] == 1
        pieces = (await Footage().read(match, "cam0")).pieces
        assert [piece.name for piece in pieces] == [OURS]
        report = await library.verify("final")
        assert {fault["what"] for fault in report["faults"]} == (
            {"the segment is missing"} if listed else set()
        )
        archive = await library.archive("final")
        names = b"".join([chunk async for chunk in archive.chunks()])
        assert PLANTED.encode() not in names.replace(manifest_of(match), b"")
        salvaged = salvage_match(match, rescan(match))
        assert [segment.name for segment in salvaged.manifest.segments] == [OURS]
        with pytest.raises(NotFound):
            await library.segment_path("final", PLANTED)
        await library.delete("final")
    assert list((root.parent / "outside").glob("*.mp4")) == (
        [root.parent / "outside" / "foreign.mp4"] if plant is link else []
    )


def manifest_of(match: Path) -> bytes:
    try:
        return (match / manifestfile.FILE_NAME).read_bytes()
    except FileNotFoundError:
        return b"-"


@pytest.mark.parametrize("plant", [fifo, zeros])
async def test_a_planted_manifest_is_none_and_makes_room_for_ours(root: Path, plant: Plant) -> None:
    match = root / "final"
    plant(match / manifestfile.FILE_NAME, root)
    library = Library(root, is_running=lambda _: False)
    with anyio.fail_after(WITHIN_S):
        assert manifestfile.load(match) is None
        assert find_interrupted_matches(root) == []
        assert set(json.loads(await library.list())["recordings"]) == {"final"}
        await library.protect("final", protected=True)
    assert not (match / manifestfile.FILE_NAME).is_symlink()
    kept = manifestfile.load(match)
    assert kept is not None
    assert kept.protected


@pytest.mark.parametrize("name", ["markers.json", ".markers.json.new"])
@pytest.mark.parametrize("plant", [fifo, zeros])
async def test_markers_are_neither_read_from_nor_written_to_what_was_planted(
    root: Path, name: str, plant: Plant
) -> None:
    secret = root.parent / "secret"
    secret.write_text("secret")
    plant(root / "final" / name, root)
    library = Library(root, is_running=lambda _: False)
    markers = Markers(library, match_now_ns=lambda _: None)
    with anyio.fail_after(WITHIN_S):
        assert await markers.all("final") == []
        await markers.add("final", kind="goal", text="1:0", team="", at_s=0.0, seconds_ago=0.0)
        assert [each["text"] for each in await markers.all("final")] == ["1:0"]
    assert secret.read_text() == "secret"


async def test_a_linked_segments_folder_is_not_looked_into(root: Path) -> None:
    outside = root.parent / "outside"
    write_segment(outside / OURS)
    match = root / "linked"
    match.mkdir()
    (match / "segments").symlink_to(outside)
    library = Library(root, is_running=lambda _: False)
    assert set(json.loads(await library.list())["recordings"]) == {"final"}
    assert segments_of("linked", match / "segments")["segments_count"] == 0
    assert check_segment(match, OURS, checksums=True).missing
    with pytest.raises(NotFound):
        await Footage().read(match, "cam0")
    with pytest.raises(FileNotFoundError):
        create_new(match / "segments" / PLANTED)
    await library.delete("linked")
    assert (outside / OURS).exists()


async def test_a_match_whose_name_is_not_utf_8_can_be_used_by_the_name_that_is_shown(
    root: Path,
) -> None:
    odd = os.fsdecode(b"derby \xff\x1b[2J\n")
    write_segment(root / odd / "segments" / OURS)
    write_segment(root / odd / "segments" / os.fsdecode(b"cam1_\xfe.mp4"))
    library = Library(root, is_running=lambda _: False)
    listing = await library.list()
    listing.decode()
    shown = "derby \\xff\\x1b[2J\\n"
    assert b"\\udc" not in listing
    assert set(json.loads(listing)["recordings"]) == {"final", shown}
    told = await library.segments(shown)
    assert {each["name"] for key in ("cam0", "cam1", "other") for each in told[key]} == {
        OURS,
        "cam1_\\xfe.mp4",
    }
    json.dumps(told, ensure_ascii=False).encode()
    assert (await library.segment_path(shown, "cam1_\\xfe.mp4")).name.startswith("cam1_")
    report = await library.verify(shown)
    json.dumps(report, ensure_ascii=False).encode()
    assert await library.protect(shown, protected=False)
    archive = await library.archive(shown)
    assert b"derby \\xff" in b"".join([chunk async for chunk in archive.chunks()])
    await library.delete(shown)
    assert not (root / odd).exists()
