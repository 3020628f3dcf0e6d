"""VPN containers on a real daemon: the simulated control server with a health check."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from support.docker import ENGINE, Docker

DEADLINE_S = 20.0


class VpnContainer:
    """One of them; engines join its network, and its ports are published."""

    def __init__(
        self, docker: Docker, name: str, first_port: int, *, forwarded_port: int, count: int
    ) -> None:
        self.docker, self.name = docker, name
        self.ports = range(first_port, first_port + count)
        self._control = first_port + count
        self._forwarded_port = forwarded_port

    def start(self) -> None:
        published = [f"127.0.0.1:{port}:{port}" for port in self.ports]
        published.append(f"127.0.0.1:{self._control}:8000")
        check = "python3 -m touchline.sim.vpn --check"
        self.docker.run(
            *("run", "--detach", "--name", self.name, "--env", "VPN_SERVICE_PROVIDER=mullvad"),
            *(word for each in published for word in ("--publish", each)),
            *("--health-cmd", check, "--health-interval", "300ms", "--health-retries", "1"),
            *("--health-timeout", "2s", "--entrypoint", "python3", ENGINE),
            *("-m", "touchline.sim.vpn", "--forwarded-port", str(self._forwarded_port)),
        )

    def set(self, **changes: Any) -> None:
        """Have it behave so."""
        end_s = time.monotonic() + DEADLINE_S
        while True:
            try:
                url = f"http://127.0.0.1:{self._control}/sim/set"
                httpx.get(url, params=changes, timeout=2).raise_for_status()
            except httpx.HTTPError:
                assert time.monotonic() < end_s, "the control server does not answer"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        self.docker.run("kill", self.name)

    def remove(self) -> None:
        self.docker.run("rm", "--force", self.name, check=False)

    def restart(self) -> None:
        self.docker.run("restart", "--time", "1", self.name)

    def pause(self) -> None:
        self.docker.run("pause", self.name)

    def unpause(self) -> None:
        self.docker.run("unpause", self.name)

    @property
    def id(self) -> str:
        return str(json.loads(self.docker.run("inspect", self.name))[0]["Id"])


@contextmanager
def vpn_container(
    docker: Docker, name: str, first_port: int, *, forwarded_port: int = 51413, count: int = 6
) -> Iterator[VpnContainer]:
    """A running VPN container; it is gone at the end."""
    made = VpnContainer(docker, name, first_port, forwarded_port=forwarded_port, count=count)
    made.start()
    try:
        yield made
    finally:
        made.remove()
