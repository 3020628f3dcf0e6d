from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from support.recordings import CAM0, CAM1, MIB, write
from touchline.capture.library.archive import Archive, Member
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest import manifest as manifests
from touchline.core.errors import Failed

pytestmark = pytest.mark.anyio


async def download(archive: Archive, into: Path) -> zipfile.ZipFile:
    with into.open("wb") as file:
        async for chunk in archive.chunks():
            file.write(chunk)
    assert into.stat().st_size == archive.size_bytes
    archived = zipfile.ZipFile(into)
    assert archived.testzip() is None
    return archived


async def test_an_archive_holds_every_file_as_it_is_and_has_a_known_size(
    root: Path, library: Library, tmp_path: Path
) -> None:
    segment = write(root / "Bülach 試合" / "segments" / CAM0)
    content = os.urandom(3 * MIB + 17)
    segment.write_bytes(content)
    write(root / "Bülach 試合" / "cam0_archive.mp4", 0)
    write(root / "Bülach 試合" / ".match.json.new")
    (root / "Bülach 試合" / "link.mp4").symlink_to("/etc/passwd")

    archive = await library.archive("Bülach 試合")
    archived = await download(archive, tmp_path / "a.zip")

    assert archive.name == "Bülach 試合.zip"
    assert sorted(archived.namelist()) == [
        "Bülach 試合/cam0_archive.mp4",
        f"Bülach 試合/segments/{CAM0}",
    ]
    assert archived.read(f"Bülach 試合/segments/{CAM0}") == content
    assert {info.compress_type for info in archived.infolist()} == {zipfile.ZIP_STORED}


async def test_a_match_without_files_is_an_empty_archive(
    root: Path, library: Library, tmp_path: Path
) -> None:
    (root / "m1").mkdir()
    archived = await download(await library.archive("m1"), tmp_path / "a.zip")
    assert archived.namelist() == []


async def test_of_the_running_match_the_finished_segments_are_archived(
    root: Path, tmp_path: Path
) -> None:
    finished = "cam0_20260211_220241_01.mp4"
    write(root / "m1" / "segments" / CAM0, 10)
    write(root / "m1" / "segments" / finished, 20)
    write(root / "m1" / "segments" / CAM1, 30)  # not in the manifest yet
    manifest = manifests.Manifest(
        match_id="m1",
        state="recording",
        segments=(
            manifests.SegmentRecord(name=CAM0, camera="cam0", index=0, finalized=True),
            manifests.SegmentRecord(name=finished, camera="cam0", index=1),
        ),
    )
    manifestfile.save(root / "m1", manifest)
    library = Library(root, is_running=lambda _: True)

    archive = await library.archive("m1")
    manifestfile.save(root / "m1", manifest.model_copy(update={"process_after_recording": True}))
    archived = await download(archive, tmp_path / "a.zip")

    assert sorted(archived.namelist()) == ["m1/match.json", f"m1/segments/{CAM0}"]
    assert manifests.Manifest.model_validate_json(archived.read("m1/match.json")) == manifest


def shrink(path: Path) -> None:
    os.truncate(path, 100)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize("change", [shrink, grow, Path.unlink])
async def test_a_file_that_changes_while_it_is_sent_breaks_the_archive(
    root: Path, library: Library, change: Callable[[Path], None]
) -> None:
    write(root / "m1" / "segments" / CAM0, 4 * MIB)
    last = write(root / "m1" / "segments" / CAM1, 4 * MIB)
    archive = await library.archive("m1")
    change(last)
    with pytest.raises(Failed) as raised:
        await download(archive, root / "a.zip")
    assert raised.value.code == "archive_broken"
    assert not zipfile.is_zipfile(root / "a.zip")  # nobody can take it for a whole one


async def test_an_archive_beyond_four_gigabytes_has_the_right_length(tmp_path: Path) -> None:
    big = tmp_path / "cam0.mp4"
    with big.open("wb") as file:
        file.truncate((4 << 30) + 5)
    archive = Archive("m1.zip", [Member("m1/cam0.mp4", big)], anyio.CapacityLimiter(1))
    chunks = archive.chunks()
    first = await chunks.__anext__()
    assert first.startswith(b"PK\x03\x04")
    assert archive.size_bytes is not None
    assert archive.size_bytes > big.stat().st_size
    await chunks.aclose()  # type: ignore[attr-defined]
