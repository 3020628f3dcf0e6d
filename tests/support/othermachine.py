"""Another machine with a Docker daemon, as far as the network shows: a network namespace.

It has an address, a loopback and a firewall of its own, and one cable to this machine, which can be
unplugged. Its daemon is reached at its address only.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from support.docker import (
    CannotRun,
    Daemon,
    free_network,
    ip,
    private_daemon,
    skip_where_impossible,
)

PORT = 2375

_CABLES = ipaddress.IPv4Network("10.217.0.0/16")


class OtherMachine:
    """A network namespace and the cable to it; `close` takes both away."""

    def __init__(self) -> None:
        self._name = f"tl{secrets.token_hex(4)}"
        self._near, self._far = f"{self._name}n", f"{self._name}f"
        network = free_network(_CABLES)
        self.this_machine, self.address = str(network[1]), str(network[2])
        """The addresses of this machine and of the other one at the cable."""
        self.enter = ("nsenter", f"--net=/run/netns/{self._name}")
        """Begin a command with it to run the rest there."""
        ip("netns", "add", self._name)
        try:
            ip("link", "add", self._near, "type", "veth", "peer", "name", self._far)
            ip("link", "set", self._far, "netns", self._name)
            self._set_up(self._near, f"{network[1]}/{network.prefixlen}")
            self._set_up(self._far, f"{network[2]}/{network.prefixlen}", *self.enter)
            ip("link", "set", "lo", "up", enter=self.enter)
        except BaseException:
            self.close()
            raise

    def unplug(self) -> None:
        """From now on what is sent there is lost, and nothing says so."""
        ip("link", "set", self._far, "down", enter=self.enter)

    def plug_in(self) -> None:
        """The cable is back."""
        ip("link", "set", self._far, "up", enter=self.enter)

    def leads_to(self, network: ipaddress.IPv4Network) -> None:
        """Let containers there and this machine reach each other."""
        ip("route", "add", str(network), "via", self.address)

    def close(self) -> None:
        """Take it away, with whatever is at the cable's other end."""
        with suppress(CannotRun):  # it was not made yet
            ip("link", "delete", self._near)
        ip("netns", "delete", self._name)

    @staticmethod
    def _set_up(interface: str, address: str, *enter: str) -> None:
        ip("addr", "add", address, "dev", interface, enter=enter)
        ip("link", "set", interface, "up", enter=enter)


class RemoteDocker:
    """A daemon on another machine; `url` is where a server on this one finds it."""

    def __init__(self, machine: OtherMachine, daemon: Daemon) -> None:
        self.machine, self.daemon = machine, daemon
        self.url = f"tcp://{machine.address}:{PORT}"


@contextmanager
def remote_docker() -> Iterator[RemoteDocker]:
    """A daemon on another machine, with the tests' images; skips where none can run.

    The tests' own commands reach it by a socket, whatever becomes of the cable.
    """
    skip_where_impossible()
    try:
        machine = OtherMachine()
    except CannotRun as error:
        pytest.skip(str(error))
    try:
        options = (f"--host=tcp://{machine.address}:{PORT}", "--tls=false")
        with private_daemon(live_restore=True, enter=machine.enter, options=options) as daemon:
            machine.leads_to(daemon.network)
            yield RemoteDocker(machine, daemon)
    finally:
        machine.close()
