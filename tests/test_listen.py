from __future__ import annotations

import asyncio
import errno
import socket
from typing import cast

import anyio
import pytest

from touchline.core.errors import Failed
from touchline.listen import Acceptor, bind


def test_a_free_port_is_the_same_one_for_every_address_of_the_host() -> None:
    sockets = bind("localhost", 0)
    try:
        assert len({each.getsockname()[1] for each in sockets}) == 1
        port = sockets[0].getsockname()[1]
        socket.create_connection(("127.0.0.1", port), 2).close()
    finally:
        for each in sockets:
            each.close()


def test_a_port_in_use_is_named_and_nothing_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Failed, match=f"Port {port} on 127.0.0.1 is in use") as caught:
            bind("127.0.0.1", port)
    assert caught.value.code == "port_in_use"
    for each in bind("127.0.0.1", port):
        each.close()


def test_a_host_of_another_machine_is_refused_with_its_name() -> None:
    with pytest.raises(Failed, match=r"Cannot listen on 192\.0\.2\.1") as caught:
        bind("192.0.2.1", 0)
    assert caught.value.code == "cannot_listen"


def test_a_second_server_of_ours_does_not_get_the_same_port() -> None:
    first = bind("127.0.0.1", 0)
    try:
        with pytest.raises(Failed):
            bind("127.0.0.1", first[0].getsockname()[1])
    finally:
        first[0].close()


@pytest.mark.anyio
async def test_without_descriptors_the_acceptor_pauses_and_logs_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (listener,) = bind("127.0.0.1", 0)
    clients = [socket.create_connection(listener.getsockname()[:2], 2) for _ in range(40)]
    room = anyio.Event()
    asked = relieved = 0

    class Exhausted:
        """The listener of a process that has no descriptors left, until somebody makes room."""

        def accept(self) -> tuple[socket.socket, tuple[str, int]]:
            nonlocal asked
            asked += 1
            if not room.is_set():
                raise OSError(errno.EMFILE, "Too many open files")
            return listener.accept()

        def fileno(self) -> int:
            return listener.fileno()

    def relieve() -> None:
        nonlocal relieved
        relieved += 1
        if relieved == 3:
            room.set()

    made: list[asyncio.Protocol] = []

    def make(_: str) -> asyncio.Protocol:
        made.append(asyncio.Protocol())
        return made[-1]

    acceptor = Acceptor(
        cast("socket.socket", Exhausted()), refuse=lambda *_: None, make=make, relieve=relieve
    )
    acceptor.start()
    try:
        with anyio.fail_after(10):
            while len(made) < 40:
                await anyio.sleep(0.01)
        assert asked < 40 + 10
        assert len(caplog.records) == 1
    finally:
        acceptor.close()
        await acceptor.wait_closed()
        for each in (listener, *clients):
            each.close()


@pytest.mark.anyio
async def test_who_may_not_come_in_reads_why() -> None:
    (listener,) = bind("127.0.0.1", 0)
    acceptor = Acceptor(
        listener, refuse=lambda *_: b"no", make=lambda _: asyncio.Protocol(), relieve=lambda: None
    )
    acceptor.start()
    try:
        with anyio.fail_after(10):
            async with await anyio.connect_tcp(*listener.getsockname()[:2]) as stream:
                assert await stream.receive() == b"no"
                with pytest.raises(anyio.EndOfStream):
                    await stream.receive()
    finally:
        acceptor.close()
        listener.close()
