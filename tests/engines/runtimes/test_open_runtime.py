"""Which runtime is opened."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from pydantic import TypeAdapter

from support.docker import Docker
from touchline.core.errors import Invalid
from touchline.engines.model.runtime import Runtime, RuntimeUnavailable
from touchline.engines.runtimes import OpeningContext, open_runtime
from touchline.engines.runtimes.kinds import RuntimeSettings

pytestmark = pytest.mark.anyio

SETTINGS: TypeAdapter[RuntimeSettings] = TypeAdapter(RuntimeSettings)


@asynccontextmanager
async def opened(
    settings: Mapping[str, object], folder: Path, *, docker_host: str = "unix:///no/such/socket"
) -> AsyncIterator[Runtime]:
    async with open_runtime(
        SETTINGS.validate_python(settings),
        OpeningContext(
            data_dir=folder,
            label=("touchline.test", "open"),
            bind_address="127.0.0.1",
            bind_is_default=False,
            also=(),
            environ={"DOCKER_HOST": docker_host},
        ),
    ) as runtime:
        yield runtime


async def test_auto_is_docker_where_it_answers(docker: Docker, tmp_path: Path) -> None:
    async with opened({"kind": "auto"}, tmp_path, docker_host=docker.host) as runtime:
        assert runtime.kind == "docker"
        assert list(await runtime.list()) == []


async def test_auto_is_processes_where_nobody_answers(tmp_path: Path) -> None:
    async with opened({"kind": "auto"}, tmp_path) as runtime:
        assert runtime.kind == "process"
    assert (tmp_path / "engines").is_dir()


async def test_auto_is_processes_where_a_daemon_accepts_and_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with anyio.fail_after(10):
            async with opened({"kind": "auto"}, tmp_path, docker_host=host) as runtime:
                assert runtime.kind == "process"


async def test_docker_is_opened_whether_it_answers_or_not(tmp_path: Path) -> None:
    async with opened({"kind": "docker"}, tmp_path) as runtime:
        assert runtime.kind == "docker"
        with pytest.raises(RuntimeUnavailable):
            await runtime.list()


async def test_an_address_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        async with opened({"kind": "docker"}, tmp_path, docker_host="ssh://host"):
            pytest.fail("it was opened")


async def test_processes_are_opened_in_their_folder(tmp_path: Path) -> None:
    settings = {"kind": "process", "directory": str(tmp_path / "elsewhere")}
    async with opened(settings, tmp_path / "data") as runtime:
        assert runtime.kind == "process"
    assert (tmp_path / "elsewhere").is_dir()
    assert not (tmp_path / "data").exists()
