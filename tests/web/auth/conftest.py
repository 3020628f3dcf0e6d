"""A server without a key, and one with a key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.serving import KEY


@pytest.fixture
def system(tmp_path: Path) -> FakeSystem:
    return FakeSystem.make(tmp_path)


@pytest.fixture
def locked(system: FakeSystem) -> FakeSystem:
    system.settings.auth.api_key = SecretStr(KEY)
    return system
