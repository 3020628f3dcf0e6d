from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from support import surroundings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from support.docker import Docker
    from support.postgres import Cluster


surroundings.settle()  # before a test module is imported, as that may read the environment

# The same examples in each run, so that a failure belongs to a change.
# `scripts/test --all` looks for new ones.
hypothesis.settings.register_profile("fixed", derandomize=True)
hypothesis.settings.register_profile("new")
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(scope="session", autouse=True)
def _in_the_checkout() -> Iterator[None]:
    """Tests run in the checkout's folder, wherever they are started."""
    before = Path.cwd()
    os.chdir(Path(__file__).parents[1])
    yield
    os.chdir(before)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL of the tests' own; a test that stops it starts it again."""
    from support.postgres import cluster

    with cluster() as made:
        yield made


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """A Docker daemon with the tests' images; nothing bad is done to it."""
    from support.docker import any_daemon

    with any_daemon() as daemon:
        yield daemon
        left = daemon.containers("label=touchline.test")
        assert not left, f"containers run on after the tests that started them: {left}"


@pytest.fixture(scope="session")
def podman() -> Iterator[Docker]:
    """Podman's service with the tests' images."""
    from support.podman import podman_service

    with podman_service() as service:
        yield service


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser; one a module, because two at a time cannot be driven from one thread."""
    from support.browser import browser

    with browser() as running:
        yield running


@pytest.fixture(scope="session")
def two_views() -> str:
    """Cameras LEFT and RIGHT that look at one world, as a setting."""
    from support.dashboard import two_views

    return two_views()


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new and empty database, on each of the two kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/touchline.db"
    return str(request.getfixturevalue("postgres").database())
