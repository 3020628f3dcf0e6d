"""A server that is asked for more than it can do: who records does not notice."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.footage import gaps
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
        (gap,) = gaps(server, "m1")
        assert (gap["to_unix_ns"] - gap["from_unix_ns"]) / 1e9 < 3
        assert len(server.output().splitlines()) < 400


def test_a_server_raises_its_limit_of_descriptors_at_its_start(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with serving(tmp_path) as server:
            assert resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[0] > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def get(port: int, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, f"/api/v1{path}")
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def studios(server: Server) -> list[int]:
    """Processes of the studio that this server has started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_bytes().split(b"\0")
            if b"touchline.studio" in words and str(server.pid).encode() in words:
                found.append(int(entry.parent.name))
    return found


def test_any_number_of_clips_is_cut_two_at_a_time_behind_the_recorder(tmp_path: Path) -> None:
    """0.1.0: forty processes at once, and a third of the frames lost."""
    with serving(tmp_path) as server:
        server.started("m1")
        wait_for(lambda: both_record(server), "recording")
        wait_for(lambda: server.status()["duration"] >= 5.5, "long enough")
        server.stop()
        server.started("m2")
        wait_for(lambda: both_record(server), "recording")
        port, most, nice = port_of(server), 0, set()
        clip = "/recordings/m1/clip?camera=cam0&start=4.3&end=5.1"
        with ThreadPoolExecutor(50) as pool:
            clips = [pool.submit(get, port, clip) for _ in range(50)]
            while not all(each.done() for each in clips):
                running = studios(server)
                most = max(most, len(running))
                for pid in running:
                    with contextlib.suppress(ProcessLookupError):
                        nice.add(os.getpriority(os.PRIO_PROCESS, pid))
                time.sleep(0.02)
        answers = [each.result() for each in clips]
        assert {status for status, _, _ in answers} <= {200, 503}
        assert sum(status == 200 for status, _, _ in answers) >= 34
        for status, headers, body in answers:
            if status == 503:
                assert int(headers["retry-after"]) > 0
                assert json.loads(body)["code"] == "too_busy"
        assert 1 <= most <= 2
        assert max(nice) == 10
        for worker in server.worker_pids().values():
            assert os.getpriority(os.PRIO_PROCESS, worker) == (-5 if os.geteuid() == 0 else 0)
        stopped = server.stop()
        assert not faults(stopped), stopped
        assert len(server.segments("m2", 0)) == len(server.segments("m2", 1)) == 1


def test_a_client_that_goes_takes_its_clip_with_it(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        wait_for(lambda: both_record(server), "recording")
        wait_for(lambda: server.status()["duration"] >= 5.5, "long enough")
        server.stop()
        with socket.create_connection(("127.0.0.1", port_of(server)), 5) as client:
            client.sendall(
                b"GET /api/v1/recordings/m1/clip?camera=cam0&start=4.3&end=5.1 HTTP/1.1\r\n"
                b"Host: localhost\r\n\r\n"
            )
            (pid,) = wait_for(lambda: studios(server), "being cut")
            os.kill(pid, signal.SIGSTOP)  # it would be too quick
        wait_for(lambda: not studios(server), "given up")
