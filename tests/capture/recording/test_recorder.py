"""The recorder on fake workers: what clients are told, whatever they ask and when."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from support import segmentfiles
from support.recorders import studio, until
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Gap
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.recording.context import RecordingContext
from touchline.core.errors import Invalid

pytestmark = pytest.mark.anyio

IDLE_KEYS = {
    "recording",
    "match_id",
    "duration",
    "cameras",
    "degraded",
    "degraded_cameras",
    "camera_recovery",
    "overload_guard",
}

ALREADY = {
    "success": False,
    "message": "Already recording match: m1",
    "code": "already_recording",
}


async def test_both_cameras_are_recorded_and_the_stop_judges_them(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        started = await it.start()
        assert started.pop("disk_minutes_left", "missing") != "missing"  # None until frames came
        assert started == {
            "success": True,
            "message": "Recording started for match: m1",
            "match_id": "m1",
            "cameras_started": [0, 1],
            "cameras_failed": [],
            "require_all_cameras": True,
        }
        assert it.lease.to_json()["holder"] == "api-recording-m1"
        assert it.manifest().state == "recording"
        stopped = await it.stop()
        assert stopped["success"], stopped
        assert stopped["message"] == "Recording stopped successfully"
        assert it.is_free()
        assert [name.partition("_")[0] for name in it.files()] == ["cam0", "cam1"]
        assert it.manifest().state == "finished"
        assert it.alerts.types() == []
        assert [event[1] for event in it.events.recorded] == ["started", "stopped"]


async def test_the_cameras_share_one_clock(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        first, second = it.fleet[0].order, it.fleet[1].order
        assert first is not None
        assert second is not None
        assert first.start_monotonic_ns == second.start_monotonic_ns
        assert first.unix_minus_monotonic_ns == second.unix_minus_monotonic_ns
        clock = it.manifest().clock
        assert clock is not None
        assert clock.start_monotonic_ns == first.start_monotonic_ns


async def test_a_match_without_a_name_gets_one_from_the_time(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        before = int(time.time())
        report = await it.start(None)
        name, _, seconds = report["match_id"].partition("_")
        assert name == "match"
        assert before <= int(seconds) <= int(time.time())


@pytest.mark.parametrize("match_id", ["../x", "..", ".hidden", "a/b", "a\nb", "x" * 129])
async def test_a_name_that_is_no_folder_is_invalid_and_changes_nothing(
    tmp_path: Path, match_id: str
) -> None:
    async with studio(tmp_path) as it:
        with pytest.raises(Invalid):
            await it.start(match_id)
        assert it.is_free()
        assert list(it.root.iterdir()) == []


# ------------------------------------------------------------------ a second start


async def test_a_refused_second_start_leaves_the_mode_and_the_recording_alone(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        await it.start("m1")
        mode = it.lease.to_json()
        assert await it.start("m2") == ALREADY
        assert it.lease.to_json() == mode
        assert it.recorder.status()["match_id"] == "m1"
        assert not (it.root / "m2").exists()
        assert (await it.stop())["success"]


async def test_a_start_while_another_one_starts_is_refused(tmp_path: Path) -> None:
    async with studio(tmp_path, start_timeout_s=5) as it, anyio.create_task_group() as tasks:
        it.fleet[0].may_start.clear()
        tasks.start_soon(it.start, "m1")
        await until(lambda: "record" in it.fleet[0].asked, "the first start has begun")
        assert await it.start("m2") == ALREADY
        it.fleet[0].may_start.set()


async def test_a_forced_start_while_another_one_starts_takes_its_place(tmp_path: Path) -> None:
    async with studio(tmp_path, start_timeout_s=60) as it:
        it.fleet[0].may_start.clear()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(it.start, "m1")
            await until(lambda: "record" in it.fleet[0].asked, "the first start has begun")
            with anyio.fail_after(60):
                async with anyio.create_task_group() as forced:
                    forced.start_soon(lambda: it.start("m2", force=True))
                    await anyio.wait_all_tasks_blocked()
                    it.fleet[0].may_start.set()
        assert it.recorder.status()["match_id"] == "m2"
        assert it.manifest("m1").state == "finished"


async def test_a_start_while_another_match_is_being_stopped_is_refused(tmp_path: Path) -> None:
    async with studio(tmp_path, stop_timeout_s=5) as it, anyio.create_task_group() as tasks:
        await it.start("m1")
        it.fleet[0].may_stop.clear()
        tasks.start_soon(it.stop)
        await until(lambda: "stop" in it.fleet[0].asked, "the stop has begun")
        refused = await it.start("m2")
        assert refused["success"] is False
        assert "m1 is being stopped" in refused["message"]
        assert refused["code"] == "stop_in_progress"
        it.fleet[0].may_stop.set()


async def test_a_forced_restart_of_the_same_match_overwrites_no_file(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        for _ in range(3):  # quick enough for two of them to lie in the same second
            assert (await it.start("m1", force=True))["success"]
        assert (await it.stop())["success"]
        names = it.files()
        assert len(names) == 6
        assert [s.name for s in it.manifest().segments] == names
        assert all(segment.finalized for segment in it.manifest().segments)


async def test_a_forced_restart_ends_the_match_that_ran_in_order(tmp_path: Path) -> None:
    async with studio(tmp_path, protection_s=60) as it:
        await it.start("m1")
        assert (await it.start("m2", force=True))["success"]
        assert it.manifest("m1").state == "finished"
        assert it.recorder.status()["match_id"] == "m2"
        assert it.lease.to_json()["holder"] == "api-recording-m2"


async def test_a_second_take_keeps_what_the_first_one_left(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "m1"
    old = segmentfiles.write_segment(folder / "segments" / "cam0_20200101_000000_00.mp4")
    gap = Gap(camera="cam0", from_unix_ns=1, to_unix_ns=2, reason="rain")
    before = rescan(folder).model_copy(update={"protected": True, "gaps": (gap,)})
    manifestfile.save(folder, before)
    async with studio(tmp_path) as it:
        await it.start("m1")
        assert it.recorder.status()["duration"] < 60
        report = await it.stop()
        manifest = it.manifest()
        assert report["success"], report
        assert report["gaps"] == []
        assert manifest.protected
        assert manifest.gaps == (gap,)
        assert [s.name for s in manifest.segments if s.name == old.name] == [old.name]
        assert len(manifest.segments) == 3


async def test_two_clients_that_start_at_once_get_one_recording(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        reports: list[dict[str, Any]] = []

        async def start(match_id: str) -> None:
            reports.append(await it.start(match_id))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(start, "a")
            tasks.start_soon(start, "b")
        assert sorted(report["success"] for report in reports) == [False, True]
        running = it.recorder.status()["match_id"]
        assert {r["message"] for r in reports} == {
            f"Already recording match: {running}",
            f"Recording started for match: {running}",
        }


# ------------------------------------------------------------------ the disk


async def test_a_disk_that_fills_up_is_alerted_once_for_all_cameras(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        for camera in (0, 1):
            it.fleet[camera].disk_is("full", "15 MiB are free")
        await until(lambda: len(it.recorder.status()["degraded_cameras"]) == 2, "both say so")
        assert it.recorder.status()["degraded_cameras"]["camera_0"] == "disk full: 15 MiB are free"
        assert "Disk full" in it.recorder.health()["message"]
        it.fleet[0].disk_is("ok")
        it.fleet[1].disk_is("ok")
        await until(lambda: not it.recorder.status()["degraded"], "both are well")
        assert it.alerts.types() == ["recording_disk_full", "recording_disk_recovered"]


async def test_a_start_without_its_disk_is_refused_with_the_reason_for_programs(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        elsewhere = {"root": str(it.root), "mount_point": "/nowhere/matches"}
        (tmp_path / "recordings-disk.json").write_text(json.dumps(elsewhere))
        report = await it.start()
        assert (report["success"], report["code"]) == (False, "disk_gone")
        assert "mount /nowhere/matches" in report["message"]
        assert it.events.details == [{"match_id": "m1", "code": "disk_gone"}]


async def test_a_chore_that_fails_does_not_end_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path, delete_oldest_when_full=True) as it:
        await it.start()
        asked = anyio.Event()

        async def make_space(context: RecordingContext) -> None:
            asked.set()
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(RecordingContext, "make_space", make_space)
        it.fleet[0].disk_is("full", "0 MiB are free")
        with anyio.fail_after(2):
            await asked.wait()
        it.fleet[0].disk_is("ok")
        assert (await it.stop())["success"]


# ------------------------------------------------------------------ asked often


async def test_an_idle_status_has_exactly_the_keys_of_the_contract(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        assert set(it.recorder.status()) == IDLE_KEYS
        await it.start()
        await it.stop()
        status = it.recorder.status()
        assert set(status) == IDLE_KEYS
        assert status["recording"] is False
        assert status["match_id"] is None
        assert status["cameras"] == {}
        assert it.recorder.health() == {"healthy": True, "message": "No active recording"}


async def test_a_status_while_recording_has_what_the_contract_asks_for(tmp_path: Path) -> None:
    async with studio(tmp_path, protection_s=60) as it:
        await it.start()
        await until(lambda: it.context.cameras[0].state == "running", "the camera runs")
        status = it.status()
        assert status["protected"] is True
        assert status["require_all_cameras"] is True
        assert status["degraded"] is False
        camera = status["cameras"]["camera_0"]
        assert camera["state"] == "running"
        assert camera["uptime"] >= 0
        assert status["camera_recovery"]["camera_1"] == {
            "attempts": 0,
            "recovering": False,
            "failed_permanently": False,
            "last_error": None,
            "last_recovery_ts": None,
        }
        assert set(status["overload_guard"]) == {
            "active",
            "triggered_at",
            "last_evaluated_at",
            "unhealthy_streak",
            "cpu_percent",
            "reasons",
            "health_healthy",
            "health_message",
        }


async def test_status_and_health_answer_while_a_stop_takes_its_time(tmp_path: Path) -> None:
    async with studio(tmp_path, stop_timeout_s=5) as it, anyio.create_task_group() as tasks:
        await it.start()
        it.fleet[0].may_stop.clear()
        tasks.start_soon(it.stop)
        await until(lambda: "stop" in it.fleet[0].asked, "the stop has begun")
        # Not awaited, so answered before the stop, which goes on only when it may, has moved.
        status, health = it.recorder.status(), it.recorder.health()
        assert status["recording"] is True
        assert status["phase"] == "stopping"
        assert (health["camera_diagnostics"] or {}).keys() == {"camera_0", "camera_1"}
        duration = status["duration"]
        await anyio.sleep(0.05)
        assert it.recorder.status()["duration"] == duration  # it grows no more
        it.fleet[0].may_stop.set()


async def test_the_manifest_follows_the_recording(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        await until(lambda: len(it.manifest().segments) == 2, "both segments are listed")
        it.fleet[0].record_now()
        await until(lambda: len(it.manifest().segments) == 3, "the next one too")
        await until(lambda: it.manifest().segments[0].verified, "a finished one is read back")
        assert it.manifest().state == "recording"


async def test_closing_finishes_the_recording(tmp_path: Path) -> None:
    async with studio(tmp_path, protection_s=60) as it:
        await it.start()
    assert it.manifest().state == "finished"
    assert all(segment.finalized for segment in it.manifest().segments)
