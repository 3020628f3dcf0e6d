from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from support.fakerecorders import NeverRecorder
from support.fakesystem import FakeSystem
from support.segmentfiles import write_segment
from support.serving import served
from touchline.capture.library.library import Library
from touchline.client import Client, Rejected, Unreachable

pytestmark = pytest.mark.anyio

KEY = "a-key-of-some-length"
SEGMENT = "cam0_20260211_220241_00.mp4"


@pytest.fixture
def system(tmp_path: Path) -> FakeSystem:
    made = FakeSystem.make(tmp_path)
    root = tmp_path / "recordings"
    write_segment(root / "m 1" / "segments" / SEGMENT)
    made.capture.library = Library(root, is_running=lambda match_id: False)
    return made


async def test_a_match_from_start_to_deletion(system: FakeSystem, tmp_path: Path) -> None:
    with served(system) as port:
        async with Client(f"http://127.0.0.1:{port}/") as client:
            started = await client.start_recording("m2")
            assert (started["success"], started["match_id"]) == (True, "m2")
            assert (await client.status())["recording"]["match_id"] == "m2"
            assert (await client.recording())["recording"] is True
            assert (await client.pipeline_state())["mode"] == "recording"
            assert (await client.recording_health())["healthy"] is True
            declined = await client.stop_recording()
            assert (declined["success"], declined["protected"]) == (False, True)
            stopped = await client.stop_recording(force=True)
            assert stopped["integrity"]["all_ok"] is True

            assert list(await client.recordings()) == ["m 1"]
            assert [s["name"] for s in (await client.segments("m 1"))["cam0"]] == [SEGMENT]
            assert (await client.verify("m 1"))["ok"] is True
            await client.save_segment("m 1", SEGMENT, tmp_path / "one.mp4")
            original = tmp_path / "recordings" / "m 1" / "segments" / SEGMENT
            assert (tmp_path / "one.mp4").read_bytes() == original.read_bytes()
            await client.save_match("m 1", tmp_path / "match.zip")
            with zipfile.ZipFile(tmp_path / "match.zip") as archive:
                assert archive.testzip() is None
            assert (await client.delete("m 1"))["status"] == "deleted"
            assert await client.recordings() == {}


async def test_the_machine_is_asked_about_too(system: FakeSystem) -> None:
    with served(system) as port:
        async with Client(f"http://127.0.0.1:{port}") as client:
            assert (await client.health())["status"] == "healthy"
            assert [camera["id"] for camera in await client.cameras()] == [0, 1]
            assert "memory" in await client.system_metrics()
            assert await client.logs("alerts", lines=5) == []


async def test_a_refusal_has_the_servers_words_and_nothing_is_left_half_saved(
    system: FakeSystem, tmp_path: Path
) -> None:
    system.capture.recorder = NeverRecorder()
    with served(system) as port:
        async with Client(f"http://127.0.0.1:{port}") as client:
            with pytest.raises(Rejected) as caught:
                await client.start_recording("m2")
            assert (caught.value.status, caught.value.code) == (503, "cameras_busy")
            assert caught.value.detail == "Could not acquire camera resources for recording"
            for match_id in ("none", "..", "a/b", "%2e"):
                with pytest.raises(Rejected) as caught:
                    await client.save_match(match_id, tmp_path / "none.zip")
                assert caught.value.status == 404
            assert not list(tmp_path.glob("none*"))


async def test_a_file_that_cannot_be_written_is_no_fault_of_the_server(
    system: FakeSystem, tmp_path: Path
) -> None:
    with served(system) as port:
        async with Client(f"http://127.0.0.1:{port}") as client:
            with pytest.raises(FileNotFoundError):
                await client.save_match("m 1", tmp_path / "no folder" / "m.zip")


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("wrong", 403), (KEY, None)])
async def test_the_key_is_sent_where_there_is_one(
    system: FakeSystem, key: str | None, status: int | None
) -> None:
    system.settings.auth.api_key = SecretStr(KEY)
    with served(system) as port:
        async with Client(f"http://127.0.0.1:{port}", api_key=key) as client:
            if status is None:
                assert (await client.start_recording())["success"] is True
                return
            with pytest.raises(Rejected) as caught:
                await client.start_recording()
            assert caught.value.status == status


async def test_no_server_is_said_so() -> None:
    async with Client("http://127.0.0.1:9") as client:
        with pytest.raises(Unreachable):
            await client.status()


async def test_a_client_that_is_not_open_says_so() -> None:
    client: Any = Client("http://127.0.0.1:9")
    with pytest.raises(RuntimeError, match="async with"):
        await client.status()
