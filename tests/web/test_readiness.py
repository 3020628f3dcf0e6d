"""What `/health/ready` says of the work of all parts of the server."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from support.fakesystem import FakeSystem
from support.serving import BASE_URL
from touchline.core.supervision import Supervisor
from touchline.web import create_app

pytestmark = pytest.mark.anyio


async def broken() -> None:
    raise KeyError("HostConfig")


async def test_work_of_every_part_that_fails_is_a_reason_and_sends_nobody_away(
    tmp_path: Path,
) -> None:
    system: Any = FakeSystem.make(tmp_path)
    system.engines.fleet.freshness.listed(0.0)
    app = create_app(system)
    parts: dict[str, Supervisor] = {
        "The host sampler": system.capture.supervisor,
        "The channel status": app.state.hub._supervisor,
    }
    async with anyio.create_task_group() as tasks:
        for name, supervisor in parts.items():
            tasks.start_soon(partial(supervisor.keep, name, broken, every_s=30.0))
        with anyio.fail_after(10):
            while not all(each.failing for each in parts.values()):
                await anyio.sleep(0.005)
        status, told = await asked(app)
        tasks.cancel_scope.cancel()
    assert status == 200
    assert told["ready"] is True
    failing = [each for each in told["reasons"] if each["code"] == "task_failing"]
    assert [each["message"] for each in failing] == [
        f"{name} fails and is retried: KeyError: 'HostConfig'" for name in parts
    ]


async def asked(app: Any) -> tuple[int, dict[str, Any]]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        answer = await client.get("/health/ready")
    return answer.status_code, answer.json()
