"""A Docker daemon that says what a test wants, and a runtime on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.dockerscript import Script, served
from touchline.engines.runtimes.docker.runtime import DockerRuntime, open_docker_runtime
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    made = Script()
    async with served(made):
        yield made


@pytest.fixture
async def runtime(script: Script) -> AsyncIterator[DockerRuntime]:
    settings = DockerRuntimeSettings(
        kind="docker", host=script.host, call_timeout_s=0.5, pull_timeout_s=0.5
    )
    async with open_docker_runtime(
        settings, label=("a", "b"), bind_address="127.0.0.1", environ={}
    ) as made:
        yield made
