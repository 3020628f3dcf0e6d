"""Whoever the engines half asks may answer anything: the call ends in time, and says why."""

from __future__ import annotations

import encodings
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from support.hostile import (
    FLOODS,
    NONSENSE,
    REDIRECTS,
    SLOW,
    Hostile,
    Send,
    Watch,
    hostile,
    redirecting,
    saying,
)
from touchline.core.errors import TouchlineError
from touchline.engines.fleet.acestream import EngineAnswer, EngineUnreachable, open_acestream
from touchline.engines.runtimes.docker.runtime import docker_answers, open_docker_runtime
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings
from touchline.engines.settings.tree import VpnSettings
from touchline.engines.vpn.control import ControlFailed, open_vpn_control

pytestmark = pytest.mark.anyio

WITHIN_S = 0.4
ENDS_S = 20.0
"""A limit of a busy machine; what never ends takes longer."""

CPU_S = 2.0
"""What reading the largest answer may cost the event loop."""

MOST_SENT_BYTES = 48 << 20
ID = "a" * 64
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANSWERS: dict[str, Send] = {**SLOW, **FLOODS, **NONSENSE}

Ask = Callable[[Any], Awaitable[Any]]


@asynccontextmanager
async def engine(port: int) -> AsyncIterator[Ask]:
    async with open_acestream(concurrency=2) as client:
        yield lambda path: client.stat(
            f"http://127.0.0.1:{port}/{path}", now=lambda: NOON, within_s=WITHIN_S
        )


@asynccontextmanager
async def engine_of_content(port: int) -> AsyncIterator[Ask]:
    async with open_acestream(concurrency=2) as client:
        yield lambda _: client.analyze(f"http://127.0.0.1:{port}", "a" * 40, within_s=WITHIN_S)


@asynccontextmanager
async def vpn(port: int) -> AsyncIterator[Ask]:
    async with open_vpn_control(VpnSettings(api_key="secret")) as control:
        yield lambda _: control.location(f"http://127.0.0.1:{port}")


def docker(call: str) -> Callable[[int], Any]:
    @asynccontextmanager
    async def opened(port: int) -> AsyncIterator[Ask]:
        settings = DockerRuntimeSettings(
            kind="docker",
            host=f"tcp://127.0.0.1:{port}",
            call_timeout_s=WITHIN_S,
            pull_timeout_s=2 * WITHIN_S,
        )
        async with open_docker_runtime(
            settings, label=("a", "b"), bind_address="127.0.0.1", environ={}
        ) as runtime:
            # The version is asked for before everything else, and would end each call.
            runtime._api._docker.api_version = "v1.41"
            runtime._located = call != "locate"
            calls: dict[str, Ask] = {
                "list": lambda _: runtime.list(),
                "locate": lambda _: runtime.list(),
                "inspect": lambda _: runtime.inspect(ID),
                "last words": lambda _: runtime._api.last_words(ID),
                "processes": lambda _: runtime._api.processes(ID),
                "statistics": lambda _: runtime._api.statistics(ID),
                "execute": lambda _: runtime.execute(ID, ["true"], within_s=WITHIN_S),
                "events": lambda _: first_event(runtime),
                "pull": lambda _: runtime._pulls.pull("some/image"),
                "version": lambda _: runtime._api.version(),
                "ping": lambda _: runtime._api.ping(),
            }
            yield calls[call]

    return opened


async def first_event(runtime: Any) -> Any:
    async with runtime.watch() as events:
        return await anext(events)


CLIENTS: dict[str, tuple[Callable[[int], Any], tuple[type[TouchlineError], ...]]] = {
    "engine": (engine, (EngineAnswer, EngineUnreachable)),
    "engine, of a content": (engine_of_content, (EngineAnswer, EngineUnreachable)),
    "VPN": (vpn, (ControlFailed,)),
}
DAEMON_CALLS = (
    "list",
    "locate",
    "inspect",
    "last words",
    "processes",
    "statistics",
    "execute",
    "events",
    "pull",
    "version",
    "ping",
)
QUIET = {
    # Whatever it says are words, or progress; and a ping is answered by any 200.
    "last words",
    "pull",
    "ping",
}


async def outcome(
    opened: Callable[[int], Any], server: Hostile, *, most_bytes: float = MOST_SENT_BYTES
) -> Any:
    """What came of one call: its error, or what it returned."""
    async with opened(server.port) as ask:
        with Watch() as watch:
            try:
                found = await ask("ace/stat/a/s")
            except TouchlineError as error:
                found = error
    assert watch.took_s < ENDS_S
    assert watch.cpu_s < CPU_S
    assert server.sent_bytes < most_bytes
    return found


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("answer", ANSWERS)
async def test_no_answer_holds_up_or_fills_who_asked(
    client: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("touchline.engines.vpn.control.TIMEOUT_S", WITHIN_S)
    opened, errors = CLIENTS[client]
    with hostile(ANSWERS[answer]) as server:
        found = await outcome(opened, server)
    assert isinstance(found, errors), found
    assert 10 < len(found.message) < 600
    assert found.message.isprintable()


@pytest.mark.parametrize("call", DAEMON_CALLS)
async def test_no_answer_of_a_daemon_holds_up_or_fills_who_asked(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("touchline.engines.runtimes.docker.events.PING_EVERY_S", WITHIN_S)
    for name, answer in ANSWERS.items():
        # What a command says is read on and dropped, as it would wait otherwise.
        most_bytes = math.inf if call == "execute" else MOST_SENT_BYTES
        with hostile(answer) as server:
            found = await outcome(docker(call), server, most_bytes=most_bytes)
        if call not in QUIET:
            assert isinstance(found, TouchlineError), (name, found)
        if isinstance(found, TouchlineError):
            assert 0 < len(found.message) < 4000, name
            assert found.message.isprintable(), name


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See", b"307 T", b"308 P"])
async def test_nobody_is_followed_elsewhere(status: bytes) -> None:
    clients = {**{name: opened for name, (opened, _) in CLIENTS.items()}}
    clients |= {call: docker(call) for call in DAEMON_CALLS}
    with hostile(saying(b'{"port": 1, "public_ip": "203.0.113.7"}')) as elsewhere:
        for where in REDIRECTS:
            for name, opened in clients.items():
                with hostile(redirecting(where.format(port=elsewhere.port), status)) as server:
                    found = await outcome(opened, server)
                assert isinstance(found, TouchlineError), (name, where, found)
                assert server.asked <= 2, (name, where)  # the VPN's older route counts, too
        assert elsewhere.asked == 0


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = {name: made for name, (made, _) in CLIENTS.items()} | {"list": docker("list")}
    with hostile(saying(b"{}")) as proxy, hostile(saying(b"[]")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        for made in opened.values():
            await outcome(made, server)
        assert (proxy.asked, server.asked >= len(opened)) == (0, True)


async def test_the_name_of_no_encoding_is_kept() -> None:
    answer = saying(
        b'{"message": "no"}',
        head=b"Content-Type: application/json; charset=zzqdaemon\r\n",
        status=b"404 Not Found",
    )
    for call in DAEMON_CALLS:
        with hostile(answer) as server:
            await outcome(docker(call), server)
    for opened, _ in CLIENTS.values():
        with hostile(answer) as server:
            await outcome(opened, server)
    kept: Any = encodings._cache
    assert not [name for name in kept if "zzq" in str(name)]


async def test_whether_a_daemon_answers_is_known_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("touchline.engines.runtimes.docker.runtime.ANSWERS_WITHIN_S", WITHIN_S)
    for answer in (*SLOW.values(), *FLOODS.values()):
        with hostile(answer) as server:
            settings = DockerRuntimeSettings(kind="docker", host=f"tcp://127.0.0.1:{server.port}")
            assert not await docker_answers(settings, environ={})
