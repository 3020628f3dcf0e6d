"""Every event that a process of ours emits is in a table, and something is done about each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import touchline
from support.recorders import studio, until
from touchline.ipc import wire

SOURCE = Path(touchline.__file__).parent


def emitted(*folders: str) -> set[str]:
    """The kinds of all `wire.event` calls; a dictionary with `event` in it is no way around it."""
    kinds = set()
    for folder in folders:
        for path in (SOURCE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Dict):
                    keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
                    assert "event" not in keys or path.name == "wire.py", (path, node.lineno)
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr == "event"
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "wire"
                ):
                    kind = node.args[0]
                    assert isinstance(kind, ast.Constant), (path, node.lineno)
                    kinds.add(str(kind.value))
    return kinds


def test_a_worker_emits_what_its_table_lists_and_nothing_else() -> None:
    assert emitted("worker") == set(wire.WORKER_EVENTS)


def test_the_live_process_emits_what_its_table_lists_and_nothing_else() -> None:
    assert emitted("live") == set(wire.LIVE_EVENTS) - {"lost"}


def test_no_thread_of_ours_dies_unnoticed() -> None:
    """`ipc.threads.watched` asks for what is done about it; nothing else makes threads."""
    outlives_anything = {SOURCE / "ipc" / "threads.py", SOURCE / "capture" / "logs" / "linelog.py"}
    for folder in ("worker", "live", "ipc", "media", "capture"):
        for path in set((SOURCE / folder).rglob("*.py")) - outlives_anything:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    assert node.func.attr != "Thread", (path, node.lineno)


def test_an_event_that_no_table_lists_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="unknown event"):
        wire.event("writer_fialed")


@pytest.mark.anyio
async def test_the_server_does_something_about_each_event_of_a_worker(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        assert set(it.recorder.follower.handlers) == set(wire.WORKER_EVENTS)


@pytest.mark.anyio
async def test_a_writer_that_failed_is_alerted_once_and_shown_until_footage_is_written_again(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        it.fleet[0].writer_is("error: argument out of range")
        await until(lambda: it.recorder.status()["degraded"], "the camera is degraded")
        status = it.recorder.status()
        assert "argument out of range" in status["degraded_cameras"]["camera_0"]
        assert status["cameras"]["camera_0"]["state"] == "error"
        assert "Footage cannot be written" in it.recorder.health()["message"]
        it.fleet[0].writer_is("error: argument out of range")
        it.fleet[0].writer_is(None)
        await until(lambda: not it.recorder.status()["degraded"], "it is well again")
        assert it.alerts.types() == ["recording_writer_failed", "recording_writer_recovered"]
        await until(
            lambda: it.recorder.status()["cameras"]["camera_0"]["state"] == "running", "running"
        )


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("state", "alert"),
    [
        ("full", "recording_disk_full"),
        ("read_only", "recording_disk_read_only"),
        ("gone", "recording_disk_gone"),
        ("slow", "recording_disk_slow"),
        ("file_too_large", "recording_file_too_large"),
        ("error", "recording_disk_failed"),
    ],
)
async def test_each_state_of_the_disk_is_alerted_once_and_shown_with_what_to_do(
    tmp_path: Path, state: str, alert: str
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        for camera in (0, 1):
            it.fleet[camera].disk_is(state, "as the kernel says it")
        await until(lambda: len(it.recorder.status()["degraded_cameras"]) == 2, "both say so")
        status = it.status()
        assert status["disk"]["state"] == state
        assert len(status["disk"]["what_to_do"]) > 20
        assert not it.recorder.health()["healthy"]
        for camera in (0, 1):
            it.fleet[camera].disk_is("ok")
        await until(lambda: not it.recorder.status()["degraded"], "both are well")
        assert it.alerts.types() == [alert, "recording_disk_recovered"]
        assert it.status()["disk"]["state"] == "ok"


@pytest.mark.anyio
async def test_a_server_that_comes_later_knows_of_the_disk_all_the_same(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        it.fleet[0].disk = "read_only"  # told in the status only: the event was before our time
        await until(lambda: it.recorder.status()["degraded"], "it is shown")
        assert it.alerts.types() == ["recording_disk_read_only"]
        it.fleet[0].disk = "ok"
        await until(lambda: not it.recorder.status()["degraded"], "it is over")


@pytest.mark.anyio
async def test_the_reason_of_a_gap_is_the_one_that_the_worker_knows(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        it.fleet[0].gap("it could not be written: error: argument out of range")
        await until(
            lambda: it.recorder.status()["cameras"]["camera_0"]["gaps"] == 1, "it is listed"
        )
        losses = it.status()["losses"]
        stopped = await it.stop()
        (gap,) = stopped["gaps"]
        assert gap["reason"] == "it could not be written: error: argument out of range"
        (loss,) = losses
        assert (loss["reason"], loss["kind"], loss["ended"]) == (gap["reason"], "writer", True)
        (listed,) = it.manifest().gaps
        assert (listed.camera, listed.reason) == ("cam0", gap["reason"])


@pytest.mark.anyio
async def test_a_folder_that_is_taken_away_is_an_issue_of_the_recording(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        folder = it.root / "m1" / "segments"
        for camera in (0, 1):
            it.fleet[camera].delivers = False  # the fake workers open their files anew each time
        folder.rename(it.root / "m1" / "elsewhere")
        await until(
            lambda: it.recorder.health()["message"] == "Segments directory does not exist",
            "the issue",
        )
        (it.root / "m1" / "elsewhere").rename(folder)
        for camera in (0, 1):
            it.fleet[camera].delivers = True
        await until(lambda: it.recorder.health()["healthy"], "it is over")


@pytest.mark.anyio
async def test_a_refused_start_is_an_event(tmp_path: Path) -> None:
    async with studio(tmp_path, min_free_bytes=1 << 60) as it:
        report = await it.start()
        assert (report["success"], report["code"]) == (False, "disk_full")
        assert ("recording", "refused", report["message"]) in it.events.recorded
