"""What goes wrong with engines on a real daemon, by name: each is done to a running server."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from support.docker import PLAIN, Daemon
from support.engineserver import EngineServer

LEAST, MOST = 2, 5
ENV = {
    "TOUCHLINE_ENGINES__SCALING": (
        f'{{"min_replicas": {LEAST}, "min_free_replicas": 0, "max_replicas": {MOST},'
        ' "grace_period_s": 0, "lease_s": 1, "resync_s": 5, "startup_timeout_s": 10}'
    ),
    "TOUCHLINE_ENGINES__PORTS": '{"host": "27000-27099"}',
    "TOUCHLINE_ENGINES__BREAKER": '{"failure_threshold": 50}',
}


@dataclass
class Rig:
    """A server whose daemon is the test's own.

    A place gets three engines a minute, so faults of one kind in a row may take that long.
    """

    server: EngineServer
    daemon: Daemon

    def one(self) -> dict[str, Any]:
        return self.server.until(self.server.healthy)[0]  # type: ignore[no-any-return]

    def fault(self, **query: Any) -> dict[str, Any]:
        """Have one engine misbehave."""
        engine = self.one()
        httpx.get(f"http://127.0.0.1:{engine['port']}/sim/fault", params=query, timeout=5)
        return engine

    def gone(self, engine: dict[str, Any]) -> None:
        ids = [each["container_id"] for each in self.server.engines()]
        assert engine["container_id"] not in ids

    def replaced(self, engine: dict[str, Any]) -> None:
        """Wait until it is gone."""
        self.server.until(
            lambda: (
                engine["container_id"] not in {e["container_id"] for e in self.server.engines()}
            ),
            within_s=90.0,
        )

    def reachable(self) -> None:
        """Wait until the server reaches the daemon; before, orders are refused for now."""
        self.server.until(lambda: self.server.root.get("/health/ready").status_code == 200)

    def forget(self) -> None:
        """Have the server forget earlier failures, as an operator who has resolved the cause.

        Otherwise it would replace engines ever more rarely, one fault after the other.
        """
        self.server.ask("POST", "/health/circuit-breaker/reset")

    def label(self) -> str:
        return f"label={self.server.label}"

    def at_rest(self) -> None:
        """As many engines as are wanted, all well; nothing of ours is left besides."""

        def quiet() -> bool:
            if not self.server.ask("GET", "/health/ready")["ready"]:
                return False
            shown = {e["container_id"] for e in self.server.healthy()}
            there = set(self.daemon.run("ps", "-aq", "--no-trunc", "-f", self.label()).split())
            return len(shown) == LEAST and shown == there

        def tolerant() -> bool:
            with contextlib.suppress(AssertionError):
                return quiet()
            return False

        try:
            self.server.until(tolerant, within_s=90.0)
        except AssertionError as error:
            events = self.server.ask("GET", "/events?limit=30")
            told = "\n".join(f"{e['timestamp']} {e['category']} {e['message']}" for e in events)
            there = self.daemon.run("ps", "-a", "--no-trunc", "-f", self.label())
            shown = self.server.root.get("/engines").text
            raise AssertionError(f"{there}\n{shown}\n{told}") from error


def killed(rig: Rig) -> None:
    engine = rig.one()
    rig.daemon.run("kill", engine["container_id"])
    rig.replaced(engine)


def stopped(rig: Rig) -> None:
    engine = rig.one()
    rig.daemon.run("stop", "--time", "1", engine["container_id"])
    rig.replaced(engine)


def removed(rig: Rig) -> None:
    engine = rig.one()
    rig.daemon.run("rm", "--force", engine["container_id"])
    rig.replaced(engine)


def frozen(rig: Rig) -> None:
    engine = rig.one()
    pid = rig.daemon.run("inspect", "--format", "{{.State.Pid}}", engine["container_id"]).strip()
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(int(child), signal.SIGSTOP)
    rig.replaced(engine)


def paused(rig: Rig) -> None:
    engine = rig.one()
    rig.daemon.run("pause", engine["container_id"])
    rig.replaced(engine)


def restarted_by_hand(rig: Rig) -> None:
    rig.daemon.run("restart", "--time", "1", rig.one()["container_id"])


def renamed(rig: Rig) -> None:
    rig.daemon.run("rename", rig.one()["container_id"], f"renamed-{time.time_ns()}")


def hanging(rig: Rig) -> None:
    rig.replaced(rig.fault(hang=1))


def talking_nonsense(rig: Rig) -> None:
    rig.replaced(rig.fault(garbage=1))


def failing(rig: Rig) -> None:
    rig.replaced(rig.fault(status=500))


def slow(rig: Rig) -> None:
    rig.replaced(rig.fault(delay_ms=3000))


def empty(rig: Rig) -> None:
    rig.replaced(rig.fault(empty=1))


def hiccup(rig: Rig) -> None:
    """One that misses a single check stays."""
    engine = rig.fault(delay_ms=900)
    time.sleep(0.7)
    httpx.get(f"http://127.0.0.1:{engine['port']}/sim/heal", timeout=5)


def ended_by_itself(rig: Rig) -> None:
    engine = rig.one()
    httpx.get(f"http://127.0.0.1:{engine['port']}/sim/die?code=0", timeout=5)
    rig.replaced(engine)


def crashed(rig: Rig) -> None:
    engine = rig.one()
    httpx.get(f"http://127.0.0.1:{engine['port']}/sim/die?code=3", timeout=5)
    rig.replaced(engine)


def session_lost(rig: Rig) -> None:
    engine = rig.one()
    stream = rig.server.play({**engine, "host_http_port": engine["port"]}, "key")
    httpx.get(f"http://127.0.0.1:{engine['port']}/sim/lose", timeout=5)
    path = f"/streams/{stream['id']}"
    rig.server.until(lambda: rig.server.ask("GET", path)["end_reason"] == "stale_stream_detected")


def killed_with_a_stream(rig: Rig) -> None:
    engine = rig.one()
    stream = rig.server.play({**engine, "host_http_port": engine["port"]}, "other")
    rig.daemon.run("kill", engine["container_id"])
    path = f"/streams/{stream['id']}"
    rig.server.until(lambda: rig.server.ask("GET", path)["end_reason"] == "engine_died")


def all_killed(rig: Rig) -> None:
    engines = rig.server.until(rig.server.healthy)
    rig.daemon.run("kill", *(each["container_id"] for each in engines))
    rig.replaced(engines[0])


def all_removed(rig: Rig) -> None:
    engines = rig.server.until(rig.server.healthy)
    rig.daemon.run("rm", "--force", *(each["container_id"] for each in engines))
    rig.replaced(engines[0])


def missing_image(rig: Rig) -> None:
    rig.reachable()
    refused = rig.server.ask(
        "POST", "/provision/acestream", 404, json={"image": "touchline.invalid/none:1"}
    )
    assert refused["detail"]["code"] == "image_not_found"


def engine_that_ends_at_once(rig: Rig) -> None:
    rig.reachable()
    order = {"env": {"CONF": "--http-port=nonsense"}}
    refused = rig.server.ask("POST", "/provision/acestream", 500, json=order)
    assert refused["detail"]["code"] == "start_failed"


def port_taken(rig: Rig) -> None:
    rig.reachable()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        refused = rig.server.ask("POST", "/provision/acestream", 409, json={"host_port": port})
    assert refused["detail"]["code"] == "port_in_use"


def many_ports_taken(rig: Rig) -> None:
    """Somebody holds half of the range: others are found."""
    rig.reachable()
    with contextlib.ExitStack() as stack:
        for port in range(27000, 27100, 2):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        made = rig.server.provision()
        assert made["host_http_port"] % 2 == 1
    rig.server.ask("DELETE", f"/containers/{made['container_id']}")


def name_taken(rig: Rig) -> None:
    """Containers of somebody else have the names that come next."""
    rig.reachable()
    for number in range(1, 4):
        rig.daemon.run("create", "--name", f"acestream-{number}", PLAIN, check=False)
    made = rig.server.provision()
    rig.server.ask("DELETE", f"/containers/{made['container_id']}")
    for number in range(1, 4):
        rig.daemon.run("rm", f"acestream-{number}", check=False)


def generic_container_comes_and_goes(rig: Rig) -> None:
    rig.reachable()
    made = rig.server.ask("POST", "/provision", json={"image": PLAIN, "labels": {"a": "b"}})
    rig.daemon.run("kill", made["container_id"])
    rig.server.ask("DELETE", f"/containers/{made['container_id']}")


def daemon_killed(rig: Rig) -> None:
    before = {each["container_id"] for each in rig.server.healthy()}
    rig.daemon.kill()
    rig.server.until(lambda: rig.server.root.get("/health/ready").status_code == 503)
    assert before <= {each["container_id"] for each in rig.server.engines()}
    refused = rig.server.ask("POST", "/provision/acestream", 503, json={"labels": {"a": "b"}})
    assert refused["detail"]["code"] == "runtime_unavailable"
    rig.daemon.start()


def daemon_killed_while_starting(rig: Rig) -> None:
    asking = in_background(rig, "/provision/acestream", {"labels": {"a": "b"}})
    time.sleep(0.1)
    rig.daemon.kill()
    asking.join(30)
    rig.daemon.start()


def daemon_stopped(rig: Rig) -> None:
    rig.daemon.stop()
    rig.server.until(lambda: rig.server.root.get("/health/ready").status_code == 503)
    rig.daemon.start()


def daemon_stopped_while_scaling(rig: Rig) -> None:
    rig.server.ask("POST", f"/scale/{MOST}")
    time.sleep(0.15)
    rig.daemon.stop()
    rig.daemon.start()
    rig.server.ask("POST", "/scale/0")


def daemon_frozen(rig: Rig) -> None:
    rig.daemon.pause()
    began_s = time.monotonic()
    for _ in range(20):
        rig.server.engines()
    assert time.monotonic() - began_s < 2
    rig.daemon.resume()


def server_killed(rig: Rig) -> None:
    before = {each["container_id"] for each in rig.server.healthy()}
    rig.server.kill()
    rig.server.start()
    # An engine that was being started in the place of another one may be there as well.
    assert before <= {each["container_id"] for each in rig.server.engines()}


def server_killed_while_starting(rig: Rig) -> None:
    asking = in_background(rig, "/provision/acestream", {"labels": {"a": "b"}})
    time.sleep(0.12)
    rig.server.kill()
    asking.join(30)
    rig.server.start()
    rig.server.ask("POST", "/scale/0")


def server_killed_while_scaling(rig: Rig) -> None:
    rig.server.ask("POST", f"/scale/{MOST}")
    time.sleep(0.2)
    rig.server.kill()
    rig.server.start()
    rig.server.until(lambda: len(rig.server.healthy()) == MOST)
    rig.server.ask("POST", "/scale/0")


def engine_dies_while_no_server_runs(rig: Rig) -> None:
    engine = rig.one()
    rig.server.terminate()
    rig.daemon.run("kill", engine["container_id"])
    rig.server.start()
    rig.replaced(engine)


def engine_goes_while_no_server_runs(rig: Rig) -> None:
    engine = rig.one()
    rig.server.terminate()
    rig.daemon.run("rm", "--force", engine["container_id"])
    rig.server.start()
    rig.gone(engine)


def in_background(rig: Rig, path: str, body: dict[str, Any]) -> threading.Thread:
    url = str(rig.server.root.base_url).rstrip("/")

    def ask() -> None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(f"{url}{path}", json=body, timeout=30)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


FAULTS: list[Callable[[Rig], None]] = [
    killed,
    stopped,
    removed,
    frozen,
    paused,
    restarted_by_hand,
    renamed,
    hanging,
    talking_nonsense,
    failing,
    slow,
    empty,
    hiccup,
    ended_by_itself,
    crashed,
    session_lost,
    killed_with_a_stream,
    all_killed,
    all_removed,
    missing_image,
    engine_that_ends_at_once,
    port_taken,
    many_ports_taken,
    name_taken,
    generic_container_comes_and_goes,
    daemon_killed,
    daemon_killed_while_starting,
    daemon_stopped,
    daemon_stopped_while_scaling,
    daemon_frozen,
    server_killed,
    server_killed_while_starting,
    server_killed_while_scaling,
    engine_dies_while_no_server_runs,
    engine_goes_while_no_server_runs,
]
