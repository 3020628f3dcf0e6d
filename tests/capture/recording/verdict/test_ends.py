"""Every end of a recording leaves a verdict, until the next start or until it is dismissed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from support.recorders import studio, until
from touchline.capture.library.wholefile import write_whole
from touchline.capture.recording import stop as stopping
from touchline.capture.recording.verdict import laststop

pytestmark = pytest.mark.anyio


async def test_the_verdict_of_a_stop_stays_until_the_next_start_or_somebody_dismisses_it(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        report = await it.stop()
        verdict = it.recorder.last_stop
        assert verdict is not None
        assert (verdict["match_id"], verdict["success"], verdict["files_ok"]) == ("m1", True, True)
        assert (verdict["message"], verdict["duration"]) == (report["message"], report["duration"])
        assert await it.recorder.dismiss_last_stop(verdict["id"]) == {"dismissed": verdict["id"]}
        assert it.recorder.last_stop is None
        await it.start("m2")
        await it.stop()
        await it.start("m3")
        assert it.recorder.last_stop is None


async def test_a_start_that_fails_leaves_the_verdict(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        await it.stop()
        verdict = it.recorder.last_stop
        it.fleet[0].on_record = "fails"
        assert not (await it.start("m2"))["success"]
        assert it.recorder.last_stop == verdict is not None


async def test_the_verdict_names_the_camera_and_outlives_the_server(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        it.fleet[1].on_stop = "dies"
        await it.stop()
        verdict = it.recorder.last_stop
        assert verdict is not None
        assert (verdict["success"], verdict["files_ok"]) == (False, True)
        assert [(f["camera"], f["name"]) for f in verdict["faults"]] == [("camera_1", "CAM 1")]
    async with studio(tmp_path) as it:
        assert it.recorder.last_stop == verdict


async def test_a_stop_of_the_server_s_own_has_a_verdict_too(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
    async with studio(tmp_path) as it:
        assert it.recorder.last_stop is not None
        assert it.recorder.last_stop["success"] is True


async def test_a_check_that_cannot_be_made_is_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path) as it:
        await it.start()

        async def check_stop(*_: Any, **__: Any) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(stopping, "check_stop", check_stop)
        report = await it.stop()
        verdict = it.recorder.last_stop
        assert verdict is not None
        assert (verdict["message"], verdict["files_ok"]) == (report["message"], None)


async def test_a_verdict_that_cannot_be_made_costs_no_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        monkeypatch.setattr(stopping, "verdict_of_stop", lambda *_: 1 / 0)
        assert (await it.stop())["success"]
        assert it.recorder.last_stop is None


async def test_a_stop_does_not_wait_until_a_slow_disk_has_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write = threading.Event()

    def hangs(*arguments: Any) -> None:
        assert may_write.wait(60)
        write_whole(*arguments)

    monkeypatch.setattr(laststop, "write_whole", hangs)
    monkeypatch.setattr(laststop, "_WAIT_S", 60.0)
    async with studio(tmp_path) as it:
        await it.start()
        report = await it.stop()
        verdict = it.recorder.last_stop
        assert verdict is not None
        assert verdict["message"] == report["message"]
        assert not (tmp_path / laststop.FILE_NAME).exists()
        may_write.set()
        await until((tmp_path / laststop.FILE_NAME).exists, "the verdict is stored")


async def test_the_end_of_the_server_waits_until_the_verdict_is_stored(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        await it.recorder.close()
        assert (tmp_path / laststop.FILE_NAME).exists()
