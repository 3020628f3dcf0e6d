from __future__ import annotations

import os
import socket
import subprocess
import time

from touchline.capture.programs.pid import is_alive, kill, peer_pid


def test_the_process_at_the_other_end_is_known() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_pid(ours) == os.getpid()


def test_a_killed_process_is_not_alive_even_before_it_is_reaped() -> None:
    process = subprocess.Popen(["sleep", "600"])
    try:
        assert is_alive(process.pid)
        kill(process.pid)
        deadline = time.monotonic() + 60
        while is_alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not is_alive(process.pid)
    finally:
        process.kill()
        process.wait()
    assert not is_alive(process.pid)
    kill(process.pid)  # gone: no error


def test_nobody_is_killed_where_no_process_is_known() -> None:
    kill(None)
    assert is_alive(os.getpid())
