from __future__ import annotations

import socket

import pytest

from touchline.core.errors import Failed
from touchline.listen import bind


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
