"""Another machine with a Docker daemon, as far as the network shows: a network namespace.

It has an address, a loopback and a firewall of its own, and one cable to this machine, which can be
unplugged. Its daemon is reached at its address only.
"""

from __future__ import annotations

import ipaddress
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.docker import (
    CannotRun,
    Daemon,
    free_network,
    ip,
    private_daemon,
    skip_where_impossible,
)

PORT, TLS_PORT = 2375, 2376

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


@dataclass(frozen=True)
class RemoteDocker:
    """A daemon on another machine.

    `client` are the variables by which a server on this one finds it, and is let in.
    """

    machine: OtherMachine
    daemon: Daemon
    client: Mapping[str, str]


@contextmanager
def remote_docker(certificates: Path | None = None) -> Iterator[RemoteDocker]:
    """A daemon on another machine, with the tests' images; skips where none can run.

    With a folder for `certificates`, both sides prove by them who they are. The tests' own commands
    reach it by a socket, whatever becomes of the cable.
    """
    skip_where_impossible()
    try:
        machine = OtherMachine()
    except CannotRun as error:
        pytest.skip(str(error))
    try:
        if certificates is None:
            url, options = f"tcp://{machine.address}:{PORT}", ["--tls=false"]
            client = {"DOCKER_HOST": url}
        else:
            url, options = f"tcp://{machine.address}:{TLS_PORT}", ["--tlsverify"]
            _certify(certificates, machine.address)
            for name in ("ca", "cert", "key"):
                file = certificates / f"{'' if name == 'ca' else 'server-'}{name}.pem"
                options.append(f"--tls{'cacert' if name == 'ca' else name}={file}")
            client = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}
            client["DOCKER_HOST"] = url
        options.append(f"--host={url}")
        with private_daemon(live_restore=True, enter=machine.enter, options=options) as daemon:
            machine.leads_to(daemon.network)
            yield RemoteDocker(machine, daemon, client)
    finally:
        machine.close()


def _certify(folder: Path, address: str) -> None:
    """Make an authority, and certificates of a daemon at this address and of its client."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not installed (Debian: openssl)")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "rsa:2048", "-nodes")
    openssl(
        "req", "-x509", *new, "-days", "2", "-subj", "/CN=tests", "-keyout", "ca-key.pem",
        "-out", "ca.pem",
    )  # fmt: skip
    for prefix, usage in (("server-", "serverAuth"), ("", "clientAuth")):
        openssl(
            "req", *new, "-subj", "/CN=tests-docker", "-keyout", f"{prefix}key.pem",
            "-out", "request.pem",
        )  # fmt: skip
        extensions = f"subjectAltName=IP:{address}\nextendedKeyUsage={usage}\n"
        (folder / "extensions").write_text(extensions)
        openssl(
            "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
            "-CAcreateserial", "-days", "2", "-extfile", "extensions",
            "-out", f"{prefix}cert.pem",
        )  # fmt: skip
