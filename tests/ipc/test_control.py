"""The control socket of a process, as servers meet it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from touchline.ipc import wire
from touchline.ipc.control import ControlServer, Problem

pytestmark = pytest.mark.anyio

NAME = "cam0"


class Program:
    """What a control socket is of: it can wait, refuse and fail."""

    def __init__(self, *, gives_up: bool) -> None:
        self.control = ControlServer(
            self._do, alone=self._alone, error_code="program_error", gives_up=gives_up
        )
        self.released = asyncio.Event()
        self.waits = 0
        self.ended: list[str] = []
        self.was_alone = 0

    async def _do(self, message: dict[str, Any]) -> dict[str, Any]:
        match message.get("do"):
            case "hello":
                return {"name": NAME}
            case "wait":
                self.waits += 1
                try:
                    await self.released.wait()
                except asyncio.CancelledError:
                    self.ended.append("given up")
                    raise
                self.ended.append("done")
                return {}
            case "refuse":
                raise Problem("refused", "not now")
        raise RuntimeError("nobody expects it")

    async def _alone(self) -> None:
        self.was_alone += 1


class Server:
    """The other end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, line: bytes) -> None:
        self._writer.write(line)

    def ask(self, number: int, do: str) -> None:
        self.send(wire.encode({"id": number, "do": do}))

    async def hear(self) -> dict[str, Any]:
        with anyio.fail_after(60):
            message: dict[str, Any] = json.loads(await self._reader.readline())
        return message

    async def is_closed(self) -> bool:
        with anyio.fail_after(60):
            return await self._reader.read() == b""

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def serving(tmp_path: Path, *, gives_up: bool = True) -> AsyncIterator[Program]:
    program = Program(gives_up=gives_up)
    server = await program.control.listen(tmp_path, NAME)
    try:
        yield program
    finally:
        program.released.set()
        server.close()


async def connect(tmp_path: Path) -> Server:
    return Server(*await asyncio.open_unix_connection(tmp_path / f"{NAME}.sock"))


async def until(condition: Any, what: str) -> None:
    with anyio.fail_after(60):
        while not condition():
            await anyio.sleep(0.005)
    assert condition(), what


async def test_a_request_that_waits_holds_up_no_other(tmp_path: Path) -> None:
    async with serving(tmp_path) as program:
        server = await connect(tmp_path)
        server.ask(1, "wait")
        server.ask(2, "hello")
        assert await server.hear() == {"re": 2, "ok": True, "name": NAME}
        program.released.set()
        assert await server.hear() == {"re": 1, "ok": True}
        server.close()


async def test_what_fails_is_answered_with_a_code_and_ends_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path):
        server = await connect(tmp_path)
        server.ask(1, "refuse")
        refused = {"re": 1, "ok": False, "code": "refused", "message": "not now"}
        assert await server.hear() == refused
        server.ask(2, "break")
        broken = await server.hear()
        assert (broken["re"], broken["ok"], broken["code"]) == (2, False, "program_error")
        for junk in (b"GET / HTTP/1.1\n", b"[]\n", b"\xff\n"):
            server.send(junk)
            assert (await server.hear())["code"] == "bad_request"
        server.ask(3, "hello")
        assert (await server.hear())["re"] == 3
        server.close()


async def test_a_line_without_end_costs_its_connection_only(tmp_path: Path) -> None:
    async with serving(tmp_path) as program:
        endless, server = await connect(tmp_path), await connect(tmp_path)
        endless.send(b"x" * (wire.MAX_LINE_BYTES + 2))
        assert await endless.is_closed()
        server.ask(1, "hello")
        assert (await server.hear())["ok"]
        assert program.was_alone == 0
        server.close()


@pytest.mark.parametrize(("gives_up", "ended"), [(True, "given up"), (False, "done")])
async def test_what_a_lost_server_waited_for_is_given_up_or_goes_on(
    tmp_path: Path,
    gives_up: bool,  # noqa: FBT001
    ended: str,
) -> None:
    async with serving(tmp_path, gives_up=gives_up) as program:
        server = await connect(tmp_path)
        server.ask(1, "wait")
        await until(lambda: program.waits == 1, "it waits")
        server.close()
        await until(lambda: program.was_alone == 1, "nobody is there")
        assert not program.control.connected
        program.released.set()
        await until(lambda: program.ended, "it ended")
        assert program.ended == [ended]


async def test_every_server_is_notified_and_the_last_to_go_leaves_it_alone(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as program:
        first, second = await connect(tmp_path), await connect(tmp_path)
        for server in (first, second):
            server.ask(1, "hello")
            await server.hear()
        program.control.notify({"event": "segment"})
        assert [(await server.hear())["event"] for server in (first, second)] == ["segment"] * 2
        first.close()
        second.ask(2, "hello")
        await second.hear()
        assert program.control.connected
        second.close()
        await until(lambda: program.was_alone == 1, "nobody is there")
