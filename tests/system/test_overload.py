"""A server that is asked for more than it can do: who records does not notice."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import time
from pathlib import Path

from support.overload import both_record, faults
from support.server import Server, serving, wait_for


def port_of(server: Server) -> int:
    port = server.client.base_url.port
    assert port is not None
    return port


def test_a_killed_worker_is_replaced_while_there_are_no_descriptors_left(tmp_path: Path) -> None:
    """0.1.0: 22.9 s of footage lost, the API away for 40 s, 185,766 lines in the log."""
    with serving(tmp_path) as server, contextlib.ExitStack() as stack:
        server.started("m1")
        wait_for(lambda: both_record(server), "recording")
        worker = server.worker_pids()[0]
        used = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
        before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + 60, before[1]))
        for _ in range(300):
            stack.enter_context(socket.create_connection(("127.0.0.1", port_of(server)), 5))
        time.sleep(0.5)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: len(server.segments("m1", 0)) == 2, "going on in a new segment", 5)
        began_s = server.status()["duration"]  # the API answers
        wait_for(lambda: server.status()["duration"] >= began_s + 2, "going on")
        stopped = server.stop()
        assert not faults(stopped), json.dumps(stopped, indent=1)
        (gap,) = server.manifest("m1")["gaps"]
        assert (gap["to_unix_ns"] - gap["from_unix_ns"]) / 1e9 < 3
        assert len(server.output().splitlines()) < 400
