"""The engines' API over the whole half on a runtime in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from support.enginesapi import Api
from support.fakesystem import FakeSystem
from support.half import opened_half, settings_for
from support.serving import KEY, client_of


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    settings = settings_for(
        scaling={"max_replicas": 3, "lease_s": 2.0}, collector={"interval_s": 60.0}
    )
    async with opened_half(settings) as half:
        system = FakeSystem.make(tmp_path)
        system.engines = half.front
        system.settings.auth.api_key = SecretStr(KEY)
        async with client_of(system) as client:
            yield Api(half, system, client)
