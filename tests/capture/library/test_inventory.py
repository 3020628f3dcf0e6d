"""The list of matches: what it says of each, and that it is never out of date."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.recordings import CAM0, CAM1, MIB, nobody_runs, recordings, write
from touchline.capture.library.inventory import Inventory
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest import manifest as manifests

pytestmark = pytest.mark.anyio


async def test_a_match_is_listed_as_the_contract_has_it(root: Path, library: Library) -> None:
    write(root / "m1" / "segments" / CAM0, 3 * MIB, mtime_s=1_000)
    write(root / "m1" / "segments" / "cam0_20260211_220241_01.mp4", MIB // 2, mtime_s=900)
    write(root / "m1" / "segments" / "concat.txt")
    write(root / "m1" / "cam0 archive.mp4", MIB, mtime_s=2_000)
    assert await recordings(library) == {
        "m1": {
            "files": [
                {
                    "file": "cam0",
                    "type": "segmented",
                    "segment_count": 2,
                    "size_mb": 3.5,
                    "created_at": 900,
                },
                {
                    "file": "cam0 archive.mp4",
                    "size_mb": 1.0,
                    "created_at": 2_000,
                    "type": "single",
                    "path": "/api/v1/recordings/m1/files/cam0%20archive.mp4",
                },
            ],
            "total_size_mb": 4.5,
            "camera_count": 1,
            "segments_count": 2,
            "created_at": 900,
            "poster": "/api/v1/matches/m1/poster.jpg",
        }
    }


async def test_every_kind_of_folder_has_its_place_or_none(root: Path, library: Library) -> None:
    write(root / "singles only" / "cam0.mkv")
    write(root / "no media" / "notes.txt")
    (root / "empty").mkdir()
    write(root / ".trash-1" / "segments" / CAM0)
    write(root / "stray.mp4")
    write(root / "many" / "segments" / "cam10_20260211_220241_00.mp4")
    write(root / "many" / "segments" / "cam2_20260211_220241_00.mp4")
    write(root / "many" / "segments" / "holiday.mov")
    outside = write(root.parent / "outside" / "segments" / CAM0)
    (root / "link").symlink_to(outside.parent.parent)
    (root / "linked segments").mkdir()
    (root / "linked segments" / "segments").symlink_to(outside.parent)

    listing = await recordings(library)

    assert sorted(listing) == ["many", "singles only"]
    assert listing["singles only"]["created_at"] is None
    assert listing["singles only"]["poster"] is None
    assert [entry["file"] for entry in listing["many"]["files"]] == ["cam2", "cam10", "unknown"]
    assert listing["many"]["camera_count"] == 3


async def test_without_a_root_there_is_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path / "absent", is_running=nobody_runs)
    assert await library.list() == b'{"recordings":{}}'
    assert await library.clean_up() == 0


async def test_a_name_that_is_not_utf8_does_not_spoil_the_list(
    root: Path, library: Library
) -> None:
    write(root / os.fsdecode(b"caf\xe9") / "cam0.mp4")
    listing = await recordings(library)
    (entry,) = listing.values()
    assert entry["files"][0]["path"] == "/api/v1/recordings/caf%E9/files/cam0.mp4"
    assert next(iter(listing)) == "caf\\xe9"


def long_after() -> float:
    return time.time() + 3600


def test_an_untouched_match_is_not_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root / "m1" / "segments" / CAM0)
    inventory = Inventory(root, now=long_after)
    first = inventory.listing(nobody_runs)
    scanned: list[str] = []
    scandir = os.scandir

    def seen(path: str) -> Any:
        scanned.append(os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", seen)
    assert inventory.listing(nobody_runs) is first
    assert scanned == [str(root)]


def add_a_segment(match: Path) -> None:
    write(match / "segments" / CAM1)


def remove_a_segment(match: Path) -> None:
    (match / "segments" / CAM0).unlink()


def add_a_single_file(match: Path) -> None:
    write(match / "cam0_archive.mp4")


def add_a_file_and_set_the_times_back(match: Path) -> None:
    before = match.stat()
    write(match / "cam0_archive.mp4", mtime_s=1)
    os.utime(match, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_the_segments_folder(match: Path) -> None:
    (match / "segments").rename(match / "old")
    write(match / "segments" / CAM1, 5)


@pytest.mark.parametrize(
    "change",
    [
        add_a_segment,
        remove_a_segment,
        add_a_single_file,
        add_a_file_and_set_the_times_back,
        replace_the_segments_folder,
    ],
)
def test_a_change_to_a_settled_match_is_seen_at_once(
    root: Path, change: Callable[[Path], None]
) -> None:
    write(root / "m1" / "segments" / CAM0)
    write(root / "m2" / "segments" / CAM0)
    inventory = Inventory(root, now=long_after)
    inventory.listing(nobody_runs)
    time.sleep(0.02)  # two ticks of the clock that stamps folders: settled means older than that
    change(root / "m1")
    assert inventory.listing(nobody_runs) == Inventory(root).listing(nobody_runs)


def test_changes_within_one_tick_of_the_file_clock_are_seen(root: Path) -> None:
    inventory = Inventory(root)
    for n in range(50):
        write(root / "m1" / "segments" / f"cam0_{n:02}.mp4", 10)
        assert json.loads(inventory.listing(nobody_runs))["recordings"]["m1"]["segments_count"] == (
            n + 1
        )


def test_a_young_file_that_grows_is_seen_to_grow(root: Path) -> None:
    path = write(root / "m1" / "cam0.mp4", MIB)
    inventory = Inventory(root, now=lambda: time.time() + 30)
    inventory.listing(nobody_runs)
    with path.open("ab") as file:
        file.write(bytes(MIB))
    assert json.loads(inventory.listing(nobody_runs))["recordings"]["m1"]["total_size_mb"] == 2.0


def test_the_running_match_is_read_every_time(root: Path) -> None:
    path = write(root / "m1" / "segments" / CAM0, MIB)
    inventory = Inventory(root, now=long_after)
    inventory.listing(nobody_runs)
    with path.open("ab") as file:
        file.write(bytes(MIB))
    listing = json.loads(inventory.listing(lambda match_id: match_id == "m1"))
    assert listing["recordings"]["m1"]["total_size_mb"] == 2.0


async def test_the_list_says_what_the_manifest_knows(root: Path, library: Library) -> None:
    write(root / "m1" / "segments" / CAM0)
    write(root / "m2" / "segments" / CAM0)
    segment = manifests.SegmentRecord(
        name=CAM0,
        camera="cam0",
        index=0,
        start_unix_ns=1_000_500_000_000,
        end_unix_ns=1_060_000_000_000,
        verified=True,
    )
    manifest = manifests.Manifest(
        match_id="m1",
        state="interrupted",
        clock=manifests.MatchClock(start_unix_ns=1_000_000_000_000),
        segments=(segment,),
        gaps=(manifests.Gap(camera="cam0", from_unix_ns=1, to_unix_ns=2, reason="it was away"),),
        interruptions=(manifests.Interruption(at_unix_ns=1, reason="power", resumed=True),),
        protected=True,
    )
    manifestfile.save(root / "m1", manifest)
    (root / "m2" / manifestfile.FILE_NAME).write_text('{"state": "finished"')
    listed = await recordings(library)
    told = {key: listed["m1"][key] for key in listed["m1"] if key not in listed["m2"]}
    assert told == {
        "state": "interrupted",
        "protected": True,
        "verified": True,
        "interruptions": 1,
        "gaps": 1,
        "started_at": 1000.0,
        "duration_s": 60.0,
    }


def size_mb(inventory: Inventory) -> float:
    return float(json.loads(inventory.listing(nobody_runs))["recordings"]["m1"]["total_size_mb"])


def test_a_file_that_grows_while_the_clock_is_set_is_seen_to_grow(root: Path) -> None:
    path = write(root / "m1" / "cam0.mp4", MIB)
    shift_s = [0.0]
    inventory = Inventory(root, now=lambda: time.time() + shift_s[0])
    shift_s[0] = 50 * 365 * 86_400.0
    assert size_mb(inventory) == 1.0
    with path.open("ab") as file:
        file.write(bytes(MIB))
    assert size_mb(inventory) == 2.0


def test_matches_stamped_by_a_clock_that_was_ahead_settle_all_the_same(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root / "m1" / "segments" / CAM0)
    passed_s = [0.0]
    inventory = Inventory(
        root,
        now=lambda: time.time() - 50 * 365 * 86_400 + passed_s[0],
        monotonic_s=lambda: time.monotonic() + passed_s[0],
    )
    first = inventory.listing(nobody_runs)
    passed_s[0] = 61
    inventory.listing(nobody_runs)
    scanned: list[str] = []
    scandir = os.scandir

    def seen(path: str) -> Any:
        scanned.append(os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", seen)
    assert inventory.listing(nobody_runs) == first
    assert scanned == [str(root)]


async def test_segments_are_listed_in_the_order_of_capture_whatever_their_names_say(
    root: Path, library: Library
) -> None:
    segments = []
    for index, label in enumerate(("20261118_150000", "20261118_140000", "19700101_000035")):
        name = f"cam0_{label}_{index:02d}.mp4"
        write(root / "m1" / "segments" / name)
        segments.append(
            manifests.SegmentRecord(name=name, camera="cam0", index=index, start_unix_ns=index + 1)
        )
    manifest = manifests.Manifest(match_id="m1", state="finished", segments=tuple(segments))
    manifestfile.save(root / "m1", manifest)
    listed = (await library.segments("m1"))["cam0"]
    assert [each["name"] for each in listed] == [segment.name for segment in segments]
