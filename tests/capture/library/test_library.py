from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from support import segmentfiles
from support.recordings import CAM0, CAM1, MIB, recordings, write
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest import manifest as manifests
from touchline.capture.library.manifest.rescan import rescan
from touchline.core.errors import NotFound, Refused

pytestmark = pytest.mark.anyio


async def test_segments_come_by_camera_in_the_order_of_recording(
    root: Path, library: Library
) -> None:
    folder = root / "m 1" / "segments"
    in_order = [
        "cam0_20260211_220241_09.mp4",
        "cam0_20260211_220241_10.mp4",
        "cam0_20260211_230000_00.mp4",  # after a restart the index begins again
    ]
    for name in reversed(in_order):
        write(folder / name, MIB // 4, mtime_s=7)
    write(folder / "cam3_00.mp4", 10)
    write(folder / "holiday.mov", 10)
    write(folder / "concat.txt", 10)

    found = await library.segments("m 1")

    assert [s["name"] for s in found["cam0"]] == in_order
    assert found["cam0"][1] == {
        "name": in_order[1],
        "path": f"/api/v1/recordings/m%201/segments/{in_order[1]}",
        "size_mb": 0.25,
        "created_at": 7,
        "segment_number": 2,
        "camera": "cam0",
    }
    assert found["cam1"] == []
    assert [(s["camera"], s["segment_number"]) for s in found["other"]] == [
        ("cam3", 1),
        ("unknown", 1),
    ]
    assert (found["match_id"], found["type"], found["segments_count"]) == ("m 1", "segmented", 5)
    assert found["total_size_mb"] == 0.75


async def test_one_segment_is_a_single_and_no_segments_are_not_found(
    root: Path, library: Library
) -> None:
    write(root / "m1" / "segments" / CAM0)
    write(root / "singles" / "cam0.mkv")
    assert (await library.segments("m1"))["type"] == "single"
    for match_id in ("singles", "absent"):
        with pytest.raises(NotFound) as raised:
            await library.segments(match_id)
        assert raised.value.message == f"Recording {match_id} not found"


ESCAPES = [
    *("", ".", "..", "../outside", "/etc", "m1/../m1", "m1/", "./m1", "m1\0", "\0", "x" * 300),
    *("..\\outside", "%2e", "%2e%2e", "%2e%2e%2foutside", "..%2f", "\u2024\u2024", "\ud800", "~"),
    *("link", "file.mp4", ".hidden", "\uff0e\uff0e", "segments/..", "M1"),
]


@pytest.mark.parametrize("decode", [lambda name: name, unquote, lambda n: unquote(unquote(n))])
@pytest.mark.parametrize("name", ESCAPES)
async def test_no_spelling_of_a_match_leads_out_of_the_root(
    root: Path, library: Library, name: str, decode: Callable[[str], str]
) -> None:
    write(root / "m1" / "segments" / CAM0)
    write(root / ".hidden" / "segments" / CAM0)
    write(root / "file.mp4")
    kept = write(root.parent / "outside" / "segments" / CAM0)
    write(root.parent / "segments" / CAM0)
    (root / "link").symlink_to(kept.parent.parent)
    name = decode(name)
    for call in (library.segments, library.delete, library.archive, library.verify):
        with pytest.raises(NotFound):
            await call(name)
    with pytest.raises(NotFound, match="Segment not found"):
        await library.segment_path(name, CAM0)
    with pytest.raises(NotFound, match="Recording file not found"):
        await library.file_path(name, "file.mp4")
    assert not any((await library.list_archives_of(name)).values())
    assert kept.exists()
    assert (root / "m1" / "segments" / CAM0).exists()


@pytest.mark.parametrize(
    "name", [*ESCAPES, "segments", "linked.mp4", "../../outside.mp4", f"../segments/{CAM0}", "pipe"]
)
async def test_no_spelling_of_a_file_leads_out_of_its_folder(
    root: Path, library: Library, name: str
) -> None:
    write(root / "m1" / "segments" / CAM0)
    outside = write(root.parent / "outside.mp4")
    for folder in (root / "m1", root / "m1" / "segments"):
        (folder / "linked.mp4").symlink_to(outside)
        os.mkfifo(folder / "pipe")  # opening one would hang for ever
    with pytest.raises(NotFound, match="Segment not found"):
        await library.segment_path("m1", name)
    with pytest.raises(NotFound, match="Recording file not found"):
        await library.file_path("m1", name)


async def test_files_are_found_by_their_names(root: Path, library: Library) -> None:
    segment = write(root / "m1" / "segments" / CAM0)
    listing = write(root / "m1" / "segments" / "concat.txt")
    manifest = write(root / "m1" / "match.json")
    assert await library.segment_path("m1", CAM0) == segment
    assert await library.segment_path("m1", "concat.txt") == listing
    assert await library.file_path("m1", "match.json") == manifest
    with pytest.raises(NotFound):
        await library.file_path("m1", CAM0)


async def test_delete_removes_the_match_and_says_what_it_freed(
    root: Path, library: Library
) -> None:
    write(root / "m1" / "segments" / CAM0, MIB)
    write(root / "m1" / "segments" / CAM1, MIB // 2)
    write(root / "m1" / "notes.txt", 0)
    write(root / "m2" / "segments" / CAM0)
    assert await library.delete("m1") == {
        "status": "deleted",
        "match_id": "m1",
        "files_deleted": 3,
        "size_mb_freed": 1.5,
    }
    assert [path.name for path in root.iterdir()] == ["m2"]
    assert list(await recordings(library)) == ["m2"]
    with pytest.raises(NotFound):
        await library.delete("m1")


async def test_a_link_in_a_deleted_match_keeps_its_target(root: Path, library: Library) -> None:
    kept = write(root.parent / "outside" / CAM0)
    (root / "m1").mkdir()
    (root / "m1" / "segments").symlink_to(kept.parent)
    await library.delete("m1")
    assert kept.exists()


async def test_the_running_match_cannot_be_deleted(root: Path) -> None:
    path = write(root / "m1" / "segments" / CAM0)
    library = Library(root, is_running=lambda match_id: match_id == "m1")
    with pytest.raises(Refused) as raised:
        await library.delete("m1")
    assert raised.value.code == "match_running"
    assert path.exists()


async def test_a_match_that_is_started_while_it_is_deleted_stays(root: Path) -> None:
    path = write(root / "m1" / "segments" / CAM0)
    answers = iter([False, True, True])
    library = Library(root, is_running=lambda _: next(answers))
    with pytest.raises(Refused):
        await library.delete("m1")
    assert path.exists()
    assert [p.name for p in root.iterdir()] == ["m1"]


async def test_a_protected_match_cannot_be_deleted(root: Path, library: Library) -> None:
    path = write(root / "m1" / "segments" / CAM0)
    protected = manifests.Manifest(match_id="m1", state="finished", protected=True)
    manifestfile.save(root / "m1", protected)
    with pytest.raises(Refused) as raised:
        await library.delete("m1")
    assert raised.value.code == "match_protected"
    assert path.exists()


async def test_a_deletion_that_a_crash_cut_short_is_finished_at_the_start(
    root: Path, library: Library
) -> None:
    write(root / ".trash-0123456789abcdef" / "segments" / CAM0)
    write(root / "m1" / "segments" / CAM0)
    assert await library.clean_up() == 1
    assert [path.name for path in root.iterdir()] == ["m1"]


async def test_what_cannot_be_removed_is_said_and_stays_hidden(
    root: Path, library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    write(root / ".trash-not-a-folder")
    write(root / ".trash-0123456789abcdef" / "segments" / CAM0)
    assert await library.clean_up() == 1
    assert ".trash-not-a-folder" in caplog.text
    assert await recordings(library) == {}


async def test_archives_are_found_where_processing_leaves_them(
    root: Path, library: Library
) -> None:
    nothing = {"cam0": False, "cam1": False, "panorama": False, "follow": False}
    write(root / "m1" / "segments" / CAM0)
    assert await library.list_archives_of("m1") == nothing
    assert await library.list_archives_of("absent") == nothing
    write(root / "m1" / "cam1_archive.mp4")
    assert await library.list_archives_of("m1") == {**nothing, "cam1": True}


async def test_a_match_is_protected_and_let_go_again(root: Path, library: Library) -> None:
    write(root / "m1" / "segments" / CAM0)
    assert await library.protect("m1", protected=True) == {"match_id": "m1", "protected": True}
    with pytest.raises(Refused, match="protected"):
        await library.delete("m1")
    await library.protect("m1", protected=False)
    assert (await library.delete("m1"))["status"] == "deleted"


async def test_verifying_a_match_reads_it_and_keeps_the_findings(
    root: Path, library: Library
) -> None:
    folder = root / "m1" / "segments"
    segmentfiles.write_segment(folder / CAM0)
    segmentfiles.write_segment(folder / CAM1, seed=2)
    verified = await library.verify("m1")
    assert verified["match_id"] == "m1"
    assert verified["ok"] is True
    kept = manifestfile.load(root / "m1")
    assert kept is not None
    assert [segment.verified for segment in kept.segments] == [True, True]
    assert kept.integrity is not None

    data = bytearray((folder / CAM1).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / CAM1).write_bytes(data)
    verified = await library.verify("m1")
    assert verified["ok"] is False
    assert [fault["segment"] for fault in verified["faults"]] == [CAM1]
    kept = manifestfile.load(root / "m1")
    assert kept is not None
    assert [segment.verified for segment in kept.segments] == [True, False]


async def test_verifying_the_running_match_reads_what_is_finished_and_writes_nothing(
    root: Path,
) -> None:
    folder = root / "m1" / "segments"
    segmentfiles.write_segment(folder / CAM0)
    segmentfiles.write_segment(folder / CAM1, finalized=False)
    manifest = rescan(root / "m1")
    manifestfile.save(root / "m1", manifest)
    library = Library(root, is_running=lambda _: True)
    assert (await library.verify("m1"))["ok"] is True
    assert manifestfile.load(root / "m1") == manifest


async def test_what_changes_a_match_is_news(root: Path, library: Library) -> None:
    write(root / "m1" / "segments" / CAM0)
    seen = library.changed.version
    await library.protect("m1", protected=True)
    assert library.changed.version > seen
    seen = library.changed.version
    with pytest.raises(Refused):
        await library.delete("m1")
    await library.protect("m1", protected=False)
    await library.delete("m1")
    assert library.changed.version > seen
