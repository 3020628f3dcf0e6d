"""Stopping on fake workers: one instant, one answer, and never a success without footage."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.recorders import Studio, studio, until
from touchline.capture.library import recovery
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.recording import stop as stopping

pytestmark = pytest.mark.anyio

ONLY_GAP = {"camera", "from_unix_ns", "to_unix_ns", "reason", "seconds"}
NOTHING_TO_STOP = {
    "success": False,
    "message": "Not currently recording",
    "code": "not_recording",
}


async def stopped_with(it: Studio, on_stop: Any, camera: int = 1) -> dict[str, Any]:
    it.fleet[camera].on_stop = on_stop
    return await it.stop()


async def test_nothing_to_stop_is_said_so(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        assert await it.stop() == NOTHING_TO_STOP


async def test_a_young_recording_is_stopped_only_by_force(tmp_path: Path) -> None:
    async with studio(tmp_path, protection_s=10) as it:
        await it.start()
        refused = await it.stop(force=False)
        assert refused["success"] is False
        assert (refused["protected"], refused["code"]) == (True, "recording_protected")
        assert refused["message"].startswith("Recording protected for 10.0s. Current duration: 0.")
        assert refused["message"].endswith("s. Use force=True to override.")
        assert set(refused) == {"success", "message", "code", "protected"}
        assert it.recorder.status()["recording"] is True
        assert (await it.stop(force=True))["success"]


async def test_an_older_recording_is_stopped_without_force(tmp_path: Path) -> None:
    async with studio(tmp_path, protection_s=0.1) as it:
        await it.start()
        await until(lambda: it.recorder.status()["duration"] > 0.1, "it is old enough")
        assert (await it.stop(force=False))["success"]


async def test_the_report_has_what_the_contract_asks_for(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        report = await it.stop()
        assert report["transport_success"] is report["graceful_stop"] is True
        camera = report["camera_stop_results"]["camera_1"]
        assert camera == {
            "success": True,
            "eos_received": True,
            "timed_out": False,
            "error": None,
            "finalized": True,
            "segment_path": str(it.root / "m1" / "segments" / it.files()[1]),
            "integrity_checked": True,
            "integrity_ok": True,
            "integrity_error": None,
            "integrity_avg_frame_rate": "25/1",
        }
        assert report["integrity"]["all_ok"] is True
        assert report["integrity"]["cameras"].keys() == {"camera_0", "camera_1"}


async def test_both_cameras_are_stopped_at_the_same_instant_and_together(tmp_path: Path) -> None:
    async with studio(tmp_path, stop_timeout_s=5) as it, anyio.create_task_group() as tasks:
        await it.start()
        it.fleet[0].may_stop.clear()
        tasks.start_soon(it.stop)
        # Were it one after the other, this one would wait for the first.
        await until(lambda: it.fleet[1].order is None, "the other one has stopped meanwhile")
        assert it.fleet[0].order is not None
        it.fleet[0].may_stop.set()


async def test_two_stops_get_the_same_answer(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        reports: list[dict[str, Any]] = []

        async def stop() -> None:
            reports.append(await it.stop())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop)
            tasks.start_soon(stop)
        assert reports[0] == reports[1]
        assert reports[0]["success"]
        assert it.fleet[0].asked.count("stop") == 1


async def test_a_client_that_cancels_its_stop_changes_nothing(tmp_path: Path) -> None:
    async with studio(tmp_path, stop_timeout_s=5) as it:
        await it.start()
        it.fleet[0].may_stop.clear()
        with anyio.move_on_after(0.1) as impatient:
            await it.stop()
        assert impatient.cancelled_caught
        it.fleet[0].may_stop.set()
        await until(it.is_free, "it is stopped all the same")
        assert it.manifest().state == "finished"


async def test_a_stop_while_it_starts_waits_for_the_start(tmp_path: Path) -> None:
    async with studio(tmp_path, start_timeout_s=5) as it:
        it.fleet[0].may_start.clear()
        reports: list[dict[str, Any]] = []

        async def stop() -> None:
            reports.append(await it.stop())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(it.start)
            await until(lambda: "record" in it.fleet[0].asked, "the start has begun")
            tasks.start_soon(stop)
            await anyio.wait_all_tasks_blocked()
            it.fleet[0].may_start.set()
        assert reports[0]["success"]
        assert it.is_free()


async def test_a_stop_while_a_start_fails_finds_nothing_to_stop(tmp_path: Path) -> None:
    async with studio(tmp_path, start_timeout_s=5) as it:
        it.fleet[0].may_start.clear()
        it.fleet[0].on_record = "fails"
        reports: list[dict[str, Any]] = []

        async def stop() -> None:
            reports.append(await it.stop())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(it.start)
            await until(lambda: "record" in it.fleet[0].asked, "the start has begun")
            tasks.start_soon(stop)
            await anyio.wait_all_tasks_blocked()
            it.fleet[0].may_start.set()
        assert reports == [NOTHING_TO_STOP]


# ------------------------------------------------------------------ stops that go wrong


async def test_a_worker_that_dies_at_the_stop_is_a_camera_error_and_its_file_is_mended(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        report = await stopped_with(it, "dies")
        assert report["message"] == "Recording stop completed with camera errors"
        assert report["success"] is report["transport_success"] is report["graceful_stop"] is False
        assert report["camera_stop_results"]["camera_0"]["success"] is True
        camera = report["camera_stop_results"]["camera_1"]
        assert camera["success"] is camera["finalized"] is False
        assert camera["error"]
        assert camera["integrity_ok"] is True  # what was filmed is there
        assert all(segment.finalized for segment in it.manifest().segments)
        assert it.alerts.types() == [
            "recording_stop_transport_failure",
            "recording_stop_non_graceful",
        ]
        assert it.is_free()


async def test_a_worker_that_hangs_at_the_stop_is_killed_and_its_file_is_mended(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        report = await stopped_with(it, "says nothing")
        assert report["message"] == "Recording stop completed with camera errors"
        assert all(segment.finalized for segment in it.manifest().segments)
        assert it.is_free()
        await until(lambda: it.context.cameras[1].link.connected, "the next worker is there")
        assert (await it.start("m2"))["success"]


async def test_a_stop_while_a_dead_workers_file_is_mended_waits_and_mends_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path, stop_timeout_s=60) as it:
        await it.start()
        began, may_mend, at_once = threading.Event(), threading.Event(), threading.Semaphore(1)
        overlapped: list[str] = []
        salvage_match = recovery.salvage_match

        def slow(*args: Any, **more: Any) -> recovery.Salvage:
            if any(name.startswith("cam1") for name in more["skip"]):
                return salvage_match(*args, **more)  # the other camera's files
            alone = at_once.acquire(blocking=False)
            began.set()
            try:
                assert may_mend.wait(60)
                if not alone:
                    overlapped.append("mended twice at once")
                return salvage_match(*args, **more)
            finally:
                if alone:
                    at_once.release()

        monkeypatch.setattr(recovery, "salvage_match", slow)
        it.fleet[1].die()
        await until(began.is_set, "its file is being mended")
        reports: list[dict[str, Any]] = []

        async def stop() -> None:
            reports.append(await it.stop())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop)
            await until(lambda: "stop" in it.fleet[1].asked, "its successor is asked to stop")
            await anyio.wait_all_tasks_blocked()
            assert not reports
            may_mend.set()
        assert overlapped == []
        assert reports[0]["integrity"]["all_ok"] is True, reports[0]
        assert all(segment.finalized for segment in it.manifest().segments)


async def test_a_file_that_could_not_be_mended_when_its_worker_died_is_mended_by_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        tried: list[str] = []

        def away(*_: Any, **__: Any) -> recovery.Salvage:
            tried.append("mend")
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(recovery, "salvage_match", away)
            it.fleet[1].die()
            await until(lambda: tried, "it is tried")
            await until(lambda: not it.recorder.status()["degraded"], "it goes on")
        report = await it.stop()
        assert report["integrity"]["all_ok"] is True, report
        assert len(it.files()) == 3
        assert all(segment.finalized for segment in it.manifest().segments)


async def test_a_stop_does_not_wait_for_ever_for_a_file_that_takes_long_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path, stop_timeout_s=1) as it:
        await it.start()
        may_mend = threading.Event()
        salvage_match = recovery.salvage_match

        def stuck(*args: Any, **more: Any) -> recovery.Salvage:
            assert may_mend.wait(20)
            return salvage_match(*args, **more)

        monkeypatch.setattr(recovery, "salvage_match", stuck)
        try:
            report = await stopped_with(it, "dies")
            assert report["success"] is False
            assert "never finished" in report["integrity"]["cameras"]["camera_1"]["integrity_error"]
            assert it.is_free()
        finally:
            may_mend.set()


@pytest.mark.parametrize("how", ["is timed out", "does not finish"])
async def test_a_file_that_cannot_be_finished_is_no_success(tmp_path: Path, how: Any) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        report = await stopped_with(it, how)
        assert report["success"] is report["graceful_stop"] is False
        assert report["transport_success"] is True
        camera = report["camera_stop_results"]["camera_1"]
        assert camera["timed_out"] is (how == "is timed out")
        assert camera["finalized"] is False
        assert "recording_stop_non_graceful" in it.alerts.types()
        assert it.is_free()


async def test_zero_footage_is_never_a_success(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        for name in it.files():
            (it.root / "m1" / "segments" / name).unlink()
        report = await it.stop()
        assert report["success"] is False
        assert report["integrity"]["all_ok"] is False
        assert report["message"] == "Recording pipelines stopped but integrity checks failed"
        assert "recording_integrity_failed" in it.alerts.types()


async def test_frames_that_a_slow_disk_cost_are_alerted(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        await stopped_with(it, "dropped")
        (alert,) = it.alerts.sent
        assert alert.event_type == "recording_frames_dropped"
        assert alert.details["frames"] == 12
        assert alert.details["camera_id"] == 1


async def test_a_loss_that_lasts_is_listed_as_a_gap_up_to_the_stop(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        it.fleet[1].mark_lost("retrying", "the cable is out")
        await until(lambda: it.recorder.status()["degraded"], "the loss is seen")
        lasting = it.context.current.running
        assert lasting is not None
        assert [g.to_unix_ns for g in lasting.match.tracks[1].all_gaps()] == [None]
        # Longer than the fragment that the fake camera had already written.
        await until(lambda: it.recorder.status()["duration"] > 0.8, "the gap has a length")
        report = await it.stop()
        (gap,) = report["gaps"]
        assert set(gap) == ONLY_GAP
        assert (gap["camera"], gap["reason"]) == ("cam1", "the cable is out")
        assert gap["seconds"] > 0.2
        assert gap["to_unix_ns"] == it.manifest().ended_unix_ns
        assert [g.to_unix_ns for g in it.manifest().gaps] == [gap["to_unix_ns"]]


async def test_a_check_that_cannot_be_made_is_an_error_that_leaves_the_cameras_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path) as it:
        await it.start()

        async def check_stop(*_: Any, **__: Any) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(stopping, "check_stop", check_stop)
            report = await it.stop()
        assert report == {
            "success": False,
            "message": "Error stopping recording: [Errno 5] Input/output error",
            "code": "stop_failed",
        }
        assert it.is_free()
        assert it.manifest().state == "finished"  # nothing may resume what was stopped
        assert (await it.start("m2"))["success"]


async def test_a_manifest_that_cannot_be_saved_at_the_stop_is_saved_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        tried: list[str] = []

        def no_space(folder: Path, manifest: Manifest) -> None:
            tried.append(manifest.state)
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(manifestfile, "save", no_space)
            assert (await it.stop())["success"]
            assert it.manifest().state == "recording"
        assert tried
        await until(lambda: it.manifest().state == "finished", "it is saved")


async def test_a_stop_is_read_back_afterwards(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        await it.stop()
        await until(lambda: all(s.verified for s in it.manifest().segments), "all is read back")
