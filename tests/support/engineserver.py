"""The real server with engines, as a process of its own: what an operator runs."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from support.docker import ENGINE, Docker
from support.runtimes import pid_of
from support.server import Server

DEADLINE_S = 60.0


class EngineServer(Server):
    """A server without cameras; its engines are processes, or containers of `docker`.

    DOCKER_HOST in `env` takes the place of the daemon's address in the settings.
    """

    def __init__(
        self, data: Path, *, docker: Docker | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(data, {})
        del self._environment["TOUCHLINE_CAPTURE__CAMERAS"]
        self.docker = docker
        self.label = f"touchline.test={secrets.token_hex(4)}"
        runtime: dict[str, Any] = {
            "kind": "process",
            "command": [sys.executable, "-m", "touchline.sim.engine"],
        }
        image: dict[str, Any] = {}
        if docker is not None:
            runtime = {"kind": "docker"}
            if "DOCKER_HOST" not in (env or {}):
                runtime["host"] = docker.host
            image = {"name": ENGINE}
        self._environment |= {
            "TOUCHLINE_ENGINES__LABEL": self.label,
            **{
                f"TOUCHLINE_ENGINES__RUNTIME__{name.upper()}": value
                if isinstance(value, str)
                else json.dumps(value)
                for name, value in runtime.items()
            },
            "TOUCHLINE_ENGINES__IMAGE": json.dumps(image),
            "TOUCHLINE_ENGINES__COLLECTOR": '{"interval_s": 0.5}',
            **(env or {}),
        }
        self.root = httpx.Client()

    def start(self) -> None:
        super().start()
        url = str(self.client.base_url).rstrip("/").removesuffix("/api/v1")
        self.root = httpx.Client(base_url=url, timeout=60)

    @property
    def origin(self) -> str:
        """Where a browser finds it."""
        return str(self.root.base_url).rstrip("/")

    def ask(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        """The answer's JSON; it must have this status."""
        answer = self.root.request(method, path, **kwargs)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.json()

    def engines(self) -> list[dict[str, Any]]:
        return list(self.ask("GET", "/engines"))

    def healthy(self) -> list[dict[str, Any]]:
        return [each for each in self.engines() if each["health_status"] == "healthy"]

    def until(self, condition: Callable[[], Any], within_s: float = DEADLINE_S) -> Any:
        """What it gave as soon as it is true."""
        deadline_s = time.monotonic() + within_s
        while not (found := condition()):
            assert time.monotonic() < deadline_s, f"never true\n{self.output()}"
            time.sleep(0.02)
        return found

    def provision(self, **order: Any) -> dict[str, Any]:
        return dict(self.ask("POST", "/provision/acestream", json={"labels": {"n": "1"}, **order}))

    def play(
        self, engine: Mapping[str, Any], key: str, *, host: str = "localhost", **labels: str
    ) -> dict[str, Any]:
        """A stream started at the engine's own API at `host`, and reported."""
        at = "127.0.0.1" if host == "localhost" else host
        url = f"http://{at}:{engine['host_http_port']}/ace/getstream"
        session = httpx.get(url, params={"id": key, "pid": "1", "format": "json"}).json()
        response = session["response"]
        report = {
            "container_id": engine["container_id"],
            "engine": {"host": host, "port": engine["host_http_port"]},
            "stream": {"key_type": "content_id", "key": key},
            "session": {
                name: response[name]
                for name in ("playback_session_id", "stat_url", "command_url", "is_live")
            },
            "labels": labels,
        }
        return dict(self.ask("POST", "/events/stream_started", json=report))

    def kill_engine(self, container_id: str) -> None:
        """As a crash would."""
        if self.docker is not None:
            self.docker.run("kill", container_id)
        else:
            os.kill(pid_of(container_id), 9)

    def remove_all(self) -> None:
        """Nothing of this server's is left, whatever became of it."""
        if self.docker is not None:
            self.docker.remove(f"label={self.label}")
            return
        for record in self.data.glob("engines/*/record.json"):
            try:
                os.kill(pid_of(record.parent.name), 9)
            except AssertionError:
                continue


@contextmanager
def engine_server(
    data: Path, *, docker: Docker | None = None, env: Mapping[str, str] | None = None
) -> Iterator[EngineServer]:
    """A running server; neither it nor an engine of it is left afterwards."""
    server = EngineServer(data, docker=docker, env=env)
    server.start()
    try:
        yield server
    finally:
        try:
            if server._process is not None:
                server.terminate()
        finally:
            server.remove_all()
