"""The API of the engines half, asked over HTTP without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from support.fakeruntime import FakeRuntime
from support.fakesystem import FakeSystem
from support.half import HalfRig, opened_half, settings_for
from support.serving import KEY, client_of
from touchline.engines.settings.tree import EnginesSettings

WITH_KEY = {"Authorization": f"Bearer {KEY}"}


class Api:
    def __init__(self, half: HalfRig, system: FakeSystem, client: httpx.AsyncClient) -> None:
        self.half, self.system, self.client = half, system, client

    async def ask(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        kwargs.setdefault("headers", WITH_KEY)
        answer = await self.client.request(method, path, **kwargs)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.json()

    async def provision(self, **order: Any) -> dict[str, Any]:
        return dict(await self.ask("POST", "/provision/acestream", json={"labels": {}, **order}))

    def report(self, made: dict[str, Any], **changes: Any) -> dict[str, Any]:
        root = f"http://127.0.0.1:{made['host_http_port']}/ace"
        return {
            "container_id": made["container_id"],
            "engine": {"host": "localhost", "port": made["host_http_port"]},
            "stream": {"key_type": "infohash", "key": "0a48"},
            "session": {
                "playback_session_id": "e0d10c40",
                "stat_url": f"{root}/stat/0a48/e0d10c40",
                "command_url": f"{root}/cmd/0a48/e0d10c40",
                "is_live": 1,
            },
            "labels": {"stream_id": "ch-42"},
            **changes,
        }


@asynccontextmanager
async def opened_api(
    folder: Path, *, settings: EnginesSettings | None = None, runtime: FakeRuntime | None = None
) -> AsyncIterator[Api]:
    """The API over a running half, for clients with a key."""
    settings = settings or settings_for(
        scaling={"max_replicas": 3, "lease_s": 2.0}, collector={"interval_s": 60.0}
    )
    async with opened_half(settings, runtime=runtime) as half:
        system = FakeSystem.make(folder)
        system.engines = half.front
        system.settings.auth.api_key = SecretStr(KEY)
        async with client_of(system) as client:
            yield Api(half, system, client)
