"""A Docker daemon of answers: it says what a test wants, over a real socket."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Script:
    """A daemon of answers: by `METHOD /path` without the version, and how often each was asked."""

    def __init__(self) -> None:
        self.version = "1.41"
        self.asked: Counter[str] = Counter()
        self.answers: dict[str, Answer] = {"GET /_ping": say(text="OK")}
        self.otherwise = refuse(404, "page not found")
        self.host = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        head, _, rest = request.path.lstrip("/").partition("/")
        if head == "version" or rest == "version":
            return web.json_response({"ApiVersion": self.version})
        if head.startswith("v1.") and head != f"v{self.version}":
            return refusal(400, f"client version {head[1:]} is too old")
        path = f"/{rest}" if head.startswith("v1.") else request.path
        self.asked[f"{request.method} {path}"] += 1
        return await self.answers.get(f"{request.method} {path}", self.otherwise)(request)


def say(*, status: int = 200, **body: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, **body)

    return answer


def show(value: Any, *, status: int = 200) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(value, status=status)

    return answer


def refuse(status: int, message: str) -> Answer:
    return show({"message": message}, status=status)


def refusal(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


def in_turn(*answers: Answer) -> Answer:
    """One after the other; the last one stays."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


def stream(*lines: dict[str, Any], until: anyio.Event) -> Answer:
    """These lines at once; the end when the event is set."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "application/json"
        await response.prepare(request)
        for line in lines:
            await response.write(json.dumps(line).encode() + b"\n")
        await until.wait()
        return response

    return answer


async def never(_: web.Request) -> web.StreamResponse:
    await anyio.sleep_forever()
    raise AssertionError


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def served(script: Script) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    script.host = f"tcp://{host}:{port}"
    try:
        yield
    finally:
        await runner.cleanup()
