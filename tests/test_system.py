from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import anyio
import pytest

from support.dockerscript import Script, served
from touchline.core.descriptors import SpareDescriptors
from touchline.core.errors import Failed, Refused
from touchline.settings import load_settings
from touchline.system import LOCK_FILE, hold_data_dir, open_system

pytestmark = pytest.mark.anyio


async def test_a_data_directory_has_one_owner_at_a_time(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"
    async with hold_data_dir(data_dir):
        assert (data_dir / LOCK_FILE).read_text() == f"{os.getpid()}\n"
        with pytest.raises(Refused, match=f"process {os.getpid()}") as caught:
            async with hold_data_dir(data_dir):
                pytest.fail("two owners")
        assert caught.value.code == "data_dir_in_use"
    async with hold_data_dir(data_dir):
        pass


async def test_a_data_directory_that_cannot_be_made_is_said_with_the_way_out(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match="--data"):
        async with hold_data_dir(tmp_path / "file" / "data"):
            pytest.fail("there is no such directory")


async def test_a_system_opens_with_its_cameras_and_leaves_the_directory_free(
    tmp_path: Path,
) -> None:
    camera = {"kind": "test", "width": 320, "height": 180}
    settings = load_settings(
        flags={"data_dir": str(tmp_path)}, defaults={"capture": {"cameras": {"0": camera}}}
    )
    async with open_system(settings) as system:
        assert system.settings is settings
        assert system.capture.recorder.status()["recording"] is False
        system.events.record("system", "started", "Opened")
        assert [event.type for event in await system.events.recent(1)] == ["system"]
        assert b"touchline_events_total" in system.metrics.render()
    async with hold_data_dir(tmp_path):
        assert (settings.data_dir / "touchline.db").exists()


@pytest.mark.parametrize("also_in_environment", ["not", "in it, too"])
async def test_the_docker_daemon_of_the_dotenv_file_is_used_where_the_environment_names_none(
    also_in_environment: Literal["in it, too", "not"],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_file, in_environment = Script(), Script()
    async with served(in_file), served(in_environment):
        monkeypatch.delenv("DOCKER_HOST", raising=False)
        both = also_in_environment != "not"
        if both:
            monkeypatch.setenv("DOCKER_HOST", in_environment.host)
        dotenv = tmp_path / ".env"
        dotenv.write_text(f"DOCKER_HOST={in_file.host}\nDOCKER_NETWORK=somewhere\n")
        settings = load_settings(
            flags={"data_dir": str(tmp_path / "data")},
            environ=dict(os.environ),
            dotenv=dotenv,
            defaults={
                "engines": {
                    "runtime": {"kind": "docker"},
                    "scaling": {"min_replicas": 0, "min_free_replicas": 0},
                }
            },
        )
        used, other = (in_environment, in_file) if both else (in_file, in_environment)
        async with open_system(settings):
            with anyio.fail_after(20):
                while not used.asked.total():
                    await anyio.sleep(0.01)
        assert not other.asked.total()


async def test_work_of_the_server_itself_that_fails_is_an_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: SpareDescriptors) -> None:
        raise MemoryError("no room")

    camera = {"kind": "test", "width": 320, "height": 180}
    settings = load_settings(
        flags={"data_dir": str(tmp_path)}, defaults={"capture": {"cameras": {"0": camera}}}
    )
    async with open_system(settings) as system:
        monkeypatch.setattr(SpareDescriptors, "refill", fail)
        with anyio.fail_after(30):
            while "spare descriptors" not in system.supervisor.failing:
                await anyio.sleep(0.02)
        events = system.events.newest(50)
        assert any(
            event.category == "failed" and event.details.get("task") == "spare descriptors"
            for event in events
        )
