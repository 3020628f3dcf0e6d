"""Starting on fake workers: a start that fails leaves nothing, and a full disk is seen before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from support.recorders import studio, until
from touchline.capture.library import libraryrecord, recordingsdisk
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.recording.context import RecordingContext
from touchline.capture.recording.verdict import laststop
from touchline.core.errors import Blocked, Failed, Refused

pytestmark = pytest.mark.anyio


async def test_a_camera_that_is_missing_fails_the_start_and_leaves_nothing(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        it.fleet[1].on_record = "is late"
        assert await it.start() == {
            "success": False,
            "message": "Failed to start all required cameras",
            "code": "cameras_not_started",
            "cameras_started": [],
            "cameras_failed": [1],
            "require_all_cameras": True,
            "errors": {"camera_1": "nobody answers"},
        }
        assert it.is_free()
        assert list(it.root.iterdir()) == []
        assert it.fleet[0].order is None
        it.fleet[1].on_record = "starts"
        assert (await it.start())["success"]


@pytest.mark.parametrize("what", ["fails", "says nothing", "dies", "dies writing"])
async def test_a_worker_that_fails_while_it_starts_leaves_nothing(
    tmp_path: Path, what: Any
) -> None:
    async with studio(tmp_path) as it:
        it.fleet[1].on_record = what
        report = await it.start()
        assert report["success"] is False
        assert report["cameras_failed"] == [1]
        assert report["errors"]["camera_1"]
        assert it.is_free()
        assert list(it.root.iterdir()) == []
        await until(lambda: it.context.cameras[1].link.connected, "a worker is there again")
        it.fleet[1].on_record = "starts"
        assert (await it.start())["success"]


async def test_a_failed_start_takes_nothing_from_an_earlier_take(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        await it.stop()
        await until(lambda: all(s.verified for s in it.manifest().segments), "all is read back")
        before, names = it.manifest(), it.files()
        it.fleet[1].on_record = "is late"
        assert (await it.start())["success"] is False
        assert it.files() == names
        assert it.manifest() == before


async def test_one_start_can_be_made_without_a_camera_that_the_settings_require(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        it.fleet[1].on_record = "is late"
        assert (await it.start())["success"] is False
        report = await it.start(require_all=False)
        assert report["success"]
        assert (report["cameras_started"], report["cameras_failed"]) == ([0], [1])
        assert report["require_all_cameras"] is False
        assert it.status()["require_all_cameras"] is False
        it.fleet[1].record_now()
        await until(lambda: not it.recorder.status()["degraded"], "the late camera has joined")
        await it.stop()
        it.fleet[1].on_record = "is late"
        assert (await it.start("m2"))["success"] is False, "it holds for that start only"


async def test_one_start_can_require_every_camera_where_the_settings_do_not(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path, require_all_cameras=False) as it:
        it.fleet[1].on_record = "is late"
        assert (await it.start(require_all=True))["message"] == (
            "Failed to start all required cameras"
        )
        assert it.is_free()


async def test_where_not_all_are_required_the_others_record_and_the_late_one_joins(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path, require_all_cameras=False) as it:
        it.fleet[1].on_record = "is late"
        report = await it.start()
        assert report["success"]
        assert (report["cameras_started"], report["cameras_failed"]) == ([0], [1])
        status = it.recorder.status()
        assert status["degraded"] is True
        assert status["degraded_cameras"] == {"camera_1": "nobody answers"}
        assert status["camera_recovery"]["camera_1"]["recovering"] is True
        assert it.alerts.types() == ["recording_camera_lost"]
        it.fleet[1].record_now()
        await until(lambda: not it.recorder.status()["degraded"], "it joins")
        stopped = await it.stop()
        assert stopped["success"], stopped
        (gap,) = stopped["gaps"]
        assert (gap["camera"], gap["reason"]) == ("cam1", "nobody answers")
        assert it.alerts.types() == ["recording_camera_lost", "recording_camera_recovered"]


async def test_a_worker_that_died_while_it_started_joins_with_its_successor(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path, require_all_cameras=False) as it:
        it.fleet[1].on_record = "dies"
        assert (await it.start())["cameras_failed"] == [1]
        await until(lambda: it.fleet[1].segments, "the next worker records")
        await until(lambda: not it.recorder.status()["degraded"], "and it is seen")


async def test_a_start_that_failed_is_logged_with_what_each_camera_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with studio(tmp_path) as it:
        it.fleet[1].on_record = "fails"
        assert not (await it.start())["success"]
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told == ["camera 1 did not start: no camera there"]
    assert not [record for record in caplog.records if "is not there" in record.getMessage()]


async def test_no_camera_at_all_is_a_failure_even_where_none_is_required(tmp_path: Path) -> None:
    async with studio(tmp_path, require_all_cameras=False) as it:
        it.fleet[0].on_record = it.fleet[1].on_record = "fails"
        assert await it.start() == {
            "success": False,
            "message": "Failed to start any cameras",
            "code": "cameras_not_started",
            "failed_cameras": [0, 1],
            "errors": {"camera_0": "no camera there", "camera_1": "no camera there"},
        }
        assert it.is_free()
        assert list(it.root.iterdir()) == []


async def test_a_camera_that_still_records_something_else_is_freed_first(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start("m1")
        it.fleet[1].on_stop = "says nothing"
        order = it.fleet[1].order
        await it.stop()
        await until(lambda: it.context.cameras[1].link.connected, "the next worker is there")
        it.fleet[1].order = order  # as if the order to stop had never reached it
        before = it.files("m1")
        assert (await it.start("m1"))["success"]
        assert set(before) <= set(it.files("m1"))


async def test_a_folder_that_cannot_be_made_is_an_error_that_leaves_the_cameras_free(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        (it.root / "m1").write_text("a file is in the way")
        with pytest.raises(Failed, match="could not be started"):
            await it.start("m1")
        assert it.is_free()
        assert (await it.start("m2"))["success"]


async def test_a_manifest_that_cannot_be_saved_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path) as it:
        with monkeypatch.context() as patch:
            patch.setattr(manifestfile, "save", _no_space)
            with pytest.raises(Failed, match="No space left"):
                await it.start("m1")
        assert it.is_free()
        assert list(it.root.iterdir()) == []


def _no_space(folder: Path, manifest: Manifest) -> None:
    raise OSError(28, "No space left on device")


async def test_the_manifest_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "m1"
    folder.mkdir(parents=True)
    (folder / "match.json").write_text('{"format_version": 99}')
    async with studio(tmp_path) as it:
        with pytest.raises(Refused) as caught:
            await it.start("m1")
        assert caught.value.code == "manifest_too_new"
        assert (folder / "match.json").read_text() == '{"format_version": 99}'
        assert it.is_free()


async def test_the_cameras_of_a_holder_that_does_not_give_way_cannot_be_had(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        with it.lease.hold("calibration", "api-calibration"):
            with pytest.raises(Blocked) as caught:
                await it.start()
            assert caught.value.message == "Could not acquire camera resources for recording"
            assert it.lease.to_json()["holder"] == "api-calibration"
        assert it.is_free()
        assert (await it.start())["success"]


async def test_a_client_that_cancels_its_start_changes_nothing(tmp_path: Path) -> None:
    async with studio(tmp_path, start_timeout_s=5) as it:
        it.fleet[0].may_start.clear()
        with anyio.move_on_after(0.1) as impatient:
            await it.start()
        assert impatient.cancelled_caught
        it.fleet[0].may_start.set()
        await until(lambda: it.recorder.status()["recording"], "it is recorded all the same")
        assert (await it.stop())["success"]


# ------------------------------------------------------------------ the disk


async def test_a_full_disk_refuses_the_start_with_advice(tmp_path: Path) -> None:
    async with studio(tmp_path, min_free_bytes=1 << 60) as it:
        report = await it.start()
        assert report["success"] is False
        assert "The disk is full" in report["message"]
        assert "Delete matches that are no longer needed" in report["message"]
        assert list(it.root.iterdir()) == []
        assert it.is_free()


async def test_a_forced_start_that_a_full_disk_refuses_does_not_end_the_running_match(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path) as it:
        await it.start("m1")
        monkeypatch.setattr(RecordingContext, "free_bytes", _nothing_free)
        assert (await it.start("m2", force=True))["success"] is False
        assert it.recorder.status()["match_id"] == "m1"


async def _nothing_free(context: RecordingContext) -> int:
    return 0


async def test_room_is_made_before_a_start_where_that_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path, delete_oldest_when_full=True) as it:
        made: list[bool] = []

        async def free_bytes(context: RecordingContext) -> int:
            return 1 << 40 if made else 0

        async def make_space(context: RecordingContext) -> None:
            made.append(True)

        monkeypatch.setattr(RecordingContext, "free_bytes", free_bytes)
        monkeypatch.setattr(RecordingContext, "make_space", make_space)
        assert (await it.start())["success"]
        assert made == [True]


async def test_a_full_data_directory_refuses_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recordings may be on another disk, which has space."""

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    for module in (libraryrecord, laststop, recordingsdisk):
        monkeypatch.setattr(module, "write_whole", full)
    async with studio(tmp_path) as it:
        assert (await it.start())["success"]
        assert (await it.stop())["success"]
        assert (await it.start("m2"))["success"]
        assert [it.manifest(match_id).number for match_id in ("m1", "m2")] == [1, 2]
