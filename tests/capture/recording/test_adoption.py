"""After a crash of server or machine: what is recorded goes on, what broke off is mended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support import segmentfiles
from support.fakefleet import FakeFleet, fake_fleet
from support.recorders import studio, until
from touchline.capture.library import matchclock, recovery
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest, MatchClock

pytestmark = pytest.mark.anyio

MATCH_S = 7200


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FakeFleet]:
    (tmp_path / "run").mkdir()
    with fake_fleet(tmp_path / "run") as fleet:
        yield fleet


async def record_and_crash(folder: Path, fleet: FakeFleet, match_id: str = "m1") -> None:
    """A match that is being recorded, and no server any more."""
    async with studio(folder, fleet=fleet, leave_recording=True) as it:
        await it.start(match_id)
        await until(lambda: len(it.manifest(match_id).segments) == 2, "the manifest is saved")


def interrupted_match(root: Path, match_id: str, *, age_s: float) -> Manifest:
    """What a power cut leaves: a manifest that says recording, and open segments."""
    start = time.time_ns() - int(age_s * 1e9)
    folder = root / match_id
    label = time.strftime("%Y%m%d_%H%M%S", time.localtime(start / 1e9))
    for camera in ("cam0", "cam1"):
        path = folder / "segments" / f"{camera}_{label}_00.mp4"
        segmentfiles.write_segment(path, start_unix_ns=start, finalized=False)
        with path.open("ab") as file:
            file.write(b"\0" * 100)  # half a fragment
    manifest = Manifest(match_id=match_id, state="recording", clock=MatchClock(start_unix_ns=start))
    manifestfile.save(folder, manifest)
    return manifest


async def test_workers_that_record_are_taken_over_as_they_are(
    tmp_path: Path, fleet: FakeFleet
) -> None:
    await record_and_crash(tmp_path, fleet)
    workers = dict(fleet.workers)
    async with studio(tmp_path, fleet=fleet, protection_s=0) as it:
        assert it.recorder.status()["match_id"] == "m1"
        assert it.lease.mode == "recording"
        assert fleet.workers == workers
        assert it.alerts.types() == []
        assert [event[1] for event in it.events.recorded] == ["started", "adopted"]
        report = await it.stop()
        assert report["success"], report
        assert report["gaps"] == []
        assert len(it.files()) == 2
        assert it.manifest().interruptions == ()


async def test_a_match_that_was_taken_over_is_as_old_as_it_is(
    tmp_path: Path, fleet: FakeFleet
) -> None:
    await record_and_crash(tmp_path, fleet)
    before = manifestfile.load(tmp_path / "recordings" / "m1")
    async with studio(tmp_path, fleet=fleet) as it:
        assert before is not None
        assert before.clock is not None
        age_s = time.time() - before.clock.start_unix_ns / 1e9
        assert it.recorder.status()["duration"] == pytest.approx(age_s, abs=0.2)
        assert it.manifest().clock == before.clock
        assert it.manifest().parts[0].start_ns == before.parts[0].start_ns
        assert len(it.manifest().parts) == 1


async def test_where_one_worker_is_gone_its_file_is_mended_and_it_goes_on(
    tmp_path: Path, fleet: FakeFleet
) -> None:
    await record_and_crash(tmp_path, fleet)
    fleet[1].write()
    fleet[1].die()
    async with studio(tmp_path, fleet=fleet) as it:
        await until(lambda: fleet[1].segments, "the next worker records")
        await until(lambda: not it.recorder.status()["degraded"], "and that is seen")
        report = await it.stop()
        assert report["success"], report
        assert it.alerts.types()[0] == "recording_camera_lost"
        assert it.alerts.types().count("recording_camera_recovered") == 1
        assert len([name for name in it.files() if name.startswith("cam1")]) == 2
        assert all(segment.finalized for segment in it.manifest().segments)


@pytest.mark.parametrize("known_by", ["the worker", "the manifest"])
async def test_a_match_that_was_taken_over_shows_the_losses_that_are_known(
    tmp_path: Path, fleet: FakeFleet, known_by: str
) -> None:
    async with studio(tmp_path, fleet=fleet, leave_recording=True) as it:
        await it.start()
        fleet[0].gap("it could not be written")
        await until(lambda: it.manifest().gaps, "it is listed")
    if known_by == "the manifest":
        fleet[0].die()
    async with studio(tmp_path, fleet=fleet) as it:
        told = [
            (loss["name"], loss["kind"], loss["seconds"], loss["ended"])
            for loss in it.status()["losses"]
            if loss["reason"] == "it could not be written"
        ]
        assert told == [("CAM 0", "writer", 0.5, True)]


async def test_a_lost_manifest_is_read_back_from_the_segments(
    tmp_path: Path, fleet: FakeFleet
) -> None:
    await record_and_crash(tmp_path, fleet)
    (tmp_path / "recordings" / "m1" / "match.json").unlink()
    async with studio(tmp_path, fleet=fleet) as it:
        assert it.recorder.status()["match_id"] == "m1"
        await until((it.root / "m1" / "match.json").exists, "there is one again")
        assert (await it.stop())["success"]


async def test_the_workers_of_an_older_match_are_stopped(tmp_path: Path, fleet: FakeFleet) -> None:
    await record_and_crash(tmp_path, fleet, "old")
    old = fleet[1]
    assert old.order is not None
    fleet[0].die()
    newer = await fleet.start("cam0")
    newer.order = replace(
        old.order,
        match_id="new",
        prefix="cam0",
        directory=str(tmp_path / "recordings" / "new" / "segments"),
        start_monotonic_ns=old.order.start_monotonic_ns + 10**9,
    )
    Path(newer.order.directory).mkdir(parents=True)
    newer.record_now()
    async with studio(tmp_path, fleet=fleet, resume_after_crash=False) as it:
        assert it.recorder.status()["match_id"] == "new"
        assert "stop" in old.asked
        assert it.manifest("old").state == "interrupted"


async def test_a_worker_that_records_into_another_folder_is_stopped(
    tmp_path: Path, fleet: FakeFleet
) -> None:
    await record_and_crash(tmp_path, fleet)
    for camera in (0, 1):
        order = fleet[camera].order
        assert order is not None
        fleet[camera].order = replace(order, directory="/elsewhere/m1/segments")
    async with studio(tmp_path, fleet=fleet, resume_after_crash=False) as it:
        assert it.is_free()
        assert fleet[0].order is fleet[1].order is None
        assert it.manifest().state == "interrupted"


async def test_a_match_that_nobody_records_is_mended_and_goes_on(
    tmp_path: Path, fleet: FakeFleet
) -> None:
    interrupted_match(tmp_path / "recordings", "m1", age_s=60)
    async with studio(tmp_path, fleet=fleet) as it:
        await until(lambda: it.recorder.status()["recording"], "it goes on")
        assert it.recorder.status()["match_id"] == "m1"
        assert it.recorder.status()["duration"] == pytest.approx(60, abs=5)
        assert it.alerts.types() == [
            "recording_interrupted",
            "recording_salvaged",
            "recording_resumed",
        ]
        report = await it.stop()
        assert report["success"], report
        assert {gap["camera"] for gap in report["gaps"]} == {"cam0", "cam1"}
        assert {gap["reason"] for gap in report["gaps"]} == {"the machine or the server went down"}
        manifest = it.manifest()
        (interruption,) = manifest.interruptions
        assert interruption.resumed
        assert len(manifest.segments) == 4
        assert all(segment.finalized for segment in manifest.segments)


async def test_a_match_goes_on_with_cameras_that_come_back_later(
    tmp_path: Path, fleet: FakeFleet
) -> None:
    interrupted_match(tmp_path / "recordings", "m1", age_s=60)
    for name in ("cam0", "cam1"):
        (await fleet.start(name)).on_record = "is late"
    async with studio(tmp_path, fleet=fleet) as it:
        await until(lambda: it.recorder.status()["recording"], "it goes on without pictures")
        assert len(it.recorder.status()["degraded_cameras"]) == 2
        for camera in (0, 1):
            fleet[camera].record_now()
        await until(lambda: not it.recorder.status()["degraded"], "both are back")
        assert (await it.stop())["success"]


@pytest.mark.parametrize(
    ("age_s", "settings"),
    [(3 * MATCH_S, {}), (60, {"resume_after_crash": False})],
    ids=["too old", "not wanted"],
)
async def test_a_match_that_may_not_go_on_is_marked_as_interrupted(
    tmp_path: Path, fleet: FakeFleet, age_s: float, settings: dict[str, Any]
) -> None:
    interrupted_match(tmp_path / "recordings", "m1", age_s=age_s)
    async with studio(tmp_path, fleet=fleet, max_match_s=MATCH_S, **settings) as it:
        assert it.is_free()
        manifest = it.manifest()
        assert manifest.state == "interrupted"
        assert [i.resumed for i in manifest.interruptions] == [False]
        assert manifest.ended_unix_ns == matchclock.last_footage_ns(manifest)
        assert all(segment.finalized for segment in manifest.segments)
        assert it.alerts.types() == ["recording_interrupted", "recording_salvaged"]
        verdict = it.recorder.last_stop
        assert verdict is not None
        assert (verdict["match_id"], verdict["success"], verdict["files_ok"]) == ("m1", False, None)
        assert "the machine or the server went down" in verdict["message"]
        assert (await it.start("m2"))["success"]
        assert it.recorder.last_stop is None


async def test_of_two_interrupted_matches_the_newer_one_goes_on(
    tmp_path: Path, fleet: FakeFleet
) -> None:
    interrupted_match(tmp_path / "recordings", "b-older", age_s=600)
    interrupted_match(tmp_path / "recordings", "a-newer", age_s=60)
    async with studio(tmp_path, fleet=fleet) as it:
        await until(lambda: it.recorder.status()["recording"], "it goes on")
        assert it.recorder.status()["match_id"] == "a-newer"
        assert it.manifest("b-older").state == "interrupted"
        assert it.recorder.last_stop is None


async def test_a_match_that_cannot_be_mended_does_not_keep_the_server_down(
    tmp_path: Path, fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_match(tmp_path / "recordings", "m1", age_s=60)

    def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "salvage_match", broken)
        async with studio(tmp_path, fleet=fleet) as it:
            assert it.is_free()
            assert (await it.start("m2"))["success"]
    loaded = manifestfile.load(tmp_path / "recordings" / "m1")
    assert loaded is not None
    assert loaded.state == "recording"  # the next start tries again


async def test_a_worker_met_late_that_records_what_nobody_wants_is_stopped(
    tmp_path: Path, fleet: FakeFleet
) -> None:
    await record_and_crash(tmp_path, fleet)
    late = fleet[1]
    order, segments = late.order, late.segments
    async with studio(tmp_path, fleet=fleet) as it:
        await it.stop()
        late.order, late.segments = order, segments
        late.close_connection()
        await until(lambda: late.order is None, "it is told to stop")
        await until(lambda: it.context.cameras[1].link.connected, "it is there")
        assert (await it.start("m2"))["success"]
