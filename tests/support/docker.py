"""A real Docker daemon for tests, with the images that they run.

The one that the environment names is used where it answers; otherwise a `dockerd` of the tests'
own is started, with its own socket, data and bridge, and without a rule in the machine's firewall,
so that it disturbs no other. What tests do bad things to is always their own.
"""

from __future__ import annotations

import ipaddress
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support import surroundings
from support.server import wait_for
from touchline.engines.model.model import EngineSpec
from touchline.engines.runtimes.docker.runtime import DockerRuntime, open_docker_runtime
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings

LOOPBACK = "127.0.0.1"
ROOT = Path(__file__).parents[2]

ENGINE = "touchline/engine:test"
"""The simulated engine."""

PLAIN = "touchline/plain:test"
"""The same files; it runs the spec's command, such as `sleep 600`."""

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 20.0
NETWORKS = ipaddress.IPv4Network("10.213.0.0/16")
"""Where the bridges of the tests' daemons are."""


class Docker:
    """A daemon at `host`, seen through the `docker` command."""

    def __init__(self, host: str) -> None:
        self.host = host

    def run(self, *arguments: str, check: bool = True) -> str:
        """What the command prints."""
        done = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, "DOCKER_HOST": self.host},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout.strip()

    def answers(self) -> bool:
        """Whether the daemon does."""
        return bool(self.run("version", "--format", "{{.Server.Version}}", check=False))

    def make_images(self) -> None:
        """Put the tests' images there."""
        environ = {**os.environ, "DOCKER_HOST": self.host}
        subprocess.run(
            [str(ROOT / "scripts" / "engine-image"), ENGINE],
            env=environ,
            capture_output=True,
            check=True,
            timeout=120,
        )
        made = self.run("create", "--entrypoint", "", ENGINE, "sleep", "600")
        self.run("commit", made, PLAIN)
        self.run("rm", made)

    def containers(self, *filters: str) -> list[str]:
        """The names of all containers for which these filters hold."""
        options = [word for each in filters for word in ("--filter", each)]
        return self.run("ps", "--all", "--format", "{{.Names}}", *options).split()

    def remove(self, *filters: str) -> None:
        """Remove the containers for which these filters hold."""
        if found := self.containers(*filters):
            self.run("rm", "--force", "--volumes", *found, check=False)


class Daemon(Docker):
    """A `dockerd` of the tests' own. `close` leaves nothing of it, whatever was done to it.

    `enter` is the beginning of a command that runs the rest in another network namespace, and
    `options` are further ones of `dockerd`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        live_restore: bool,
        enter: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(f"unix://{folder}/docker.sock")
        self._folder, self._live_restore = folder, live_restore
        self._enter, self._options = enter, options
        self._bridge = f"tl{secrets.token_hex(4)}"
        self.network = free_network(NETWORKS)
        """The network of its containers."""
        self._process: subprocess.Popen[bytes] | None = None
        self._has_run = False
        ip("link", "add", self._bridge, "type", "bridge", enter=enter)
        gateway = f"{self.network[1]}/{self.network.prefixlen}"
        ip("addr", "add", gateway, "dev", self._bridge, enter=enter)
        ip("link", "set", self._bridge, "up", enter=enter)

    def start(self) -> None:
        """Return when it answers."""
        command = [
            *self._enter,
            "dockerd",
            f"--host={self.host}",
            f"--data-root={self._folder}/data",
            f"--exec-root={self._folder}/exec",
            f"--pidfile={self._folder}/pid",
            f"--bridge={self._bridge}",
            # Ports are published on the loopback by docker-proxy, which needs no firewall.
            "--iptables=false",
            "--ip-masq=false",
            # Containers that ignore a polite stop are not waited for.
            "--shutdown-timeout=1",
            *(["--live-restore"] if self._live_restore else []),
            *self._options,
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = (self._folder / "log").read_text().strip().splitlines()[-1:]
                raise CannotRun(f"dockerd does not run here: {' '.join(words)}")
            time.sleep(0.05)
        self._has_run = True

    def stop(self) -> None:
        """As an administrator does; its containers end with it."""
        self._signal(signal.SIGTERM)
        self._wait()

    def kill(self) -> None:
        """As a crash does; its containers run on without it."""
        self._signal(signal.SIGKILL)
        self._wait()

    def pause(self) -> None:
        """It accepts connections and answers nothing, from now on."""
        self._signal(signal.SIGSTOP)
        # The signal reaches its threads one after the other, and each may answer until then.
        assert self._process is not None
        wait_for(partial(_all_stopped, self._process.pid), "stopped, every thread of it")

    def resume(self) -> None:
        """It goes on where it was paused."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Take away the daemon, its containers, its mounts and its bridge."""
        try:
            if self._process is not None:
                self.resume()
                if self._process.poll() is not None and self._has_run:
                    # Only a daemon knows how to take down the containers of one that was killed.
                    self.start()
                self.remove()
                self.stop()
        finally:
            _end_processes_with(str(self._folder / "exec"))
            _unmount_below(self._folder)
            ip("link", "delete", self._bridge, enter=self._enter)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _wait(self) -> None:
        assert self._process is not None
        self._process.wait(_STOP_TIMEOUT_S)
        # Where they are left, the next daemon takes whoever has the numbers now, be it a zombie,
        # for a daemon and a containerd that still run.
        for left in ("pid", "exec/containerd/containerd.pid"):
            (self._folder / left).unlink(missing_ok=True)


class DockerRig:
    """A runtime on a daemon, with a label that nobody else has, and specs that work there."""

    def __init__(
        self, daemon: Docker, runtime: DockerRuntime, settings: DockerRuntimeSettings
    ) -> None:
        self.daemon, self.runtime = daemon, runtime
        self._settings, self._label = settings, runtime.label

    def second(
        self, *, label: tuple[str, str] | None = None
    ) -> AbstractAsyncContextManager[DockerRuntime]:
        """Another runtime on the daemon, as after the server's restart, or with another label."""
        return open_docker_runtime(
            self._settings, label=label or self._label, bind_address=LOOPBACK
        )

    def spec(self, name: str, /, **changes: Any) -> EngineSpec:
        """A container that runs until it is stopped."""
        spec = EngineSpec(name=self.name(name), image=PLAIN, command=("sleep", "600"))
        return replace(spec, **changes)

    def name(self, name: str) -> str:
        """A name that no other test gives to a container."""
        return f"{name}-{self._label[1]}"

    def left(self) -> list[str]:
        """The names of the containers that are there."""
        return self.daemon.containers(f"label={'='.join(self._label)}")


@asynccontextmanager
async def docker_rig(
    daemon: Docker, *, also: Collection[str] = (), **changes: Any
) -> AsyncIterator[DockerRig]:
    """A runtime on this daemon; at the end none of its containers is left."""
    settings = DockerRuntimeSettings(kind="docker", host=daemon.host, **changes)
    label = "touchline.test", secrets.token_hex(4)
    async with open_docker_runtime(
        settings, label=label, bind_address=LOOPBACK, also=also
    ) as runtime:
        try:
            yield DockerRig(daemon, runtime, settings)
        finally:
            daemon.remove(f"label={'='.join(label)}")


class CannotRun(Exception):
    """No daemon can run on this machine; the message says why."""


@contextmanager
def private_daemon(
    *, live_restore: bool = False, enter: Sequence[str] = (), options: Sequence[str] = ()
) -> Iterator[Daemon]:
    """A running daemon with the tests' images, of this test alone; skips where none can run.

    With `live_restore` its containers run on without it, and the next one takes them over.
    """
    skip_where_impossible()
    # Short: the path of a socket has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="tl-docker-"))
    try:
        daemon = _started(folder, live_restore=live_restore, enter=enter, options=options)
        try:
            daemon.make_images()
            yield daemon
        finally:
            daemon.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def any_daemon() -> Iterator[Docker]:
    """A daemon with the tests' images: the environment's if it answers, else one of our own."""
    if shutil.which("docker") is None:
        pytest.skip("the command `docker` is not installed (Debian: docker.io)")
    there = Docker(surroundings.given_docker_host or "unix:///var/run/docker.sock")
    if not there.answers():
        with private_daemon() as daemon:
            yield daemon
        return
    there.make_images()
    try:
        yield there
    finally:
        there.run("rmi", "--force", PLAIN, ENGINE, check=False)


def _started(
    folder: Path, *, live_restore: bool, enter: Sequence[str], options: Sequence[str]
) -> Daemon:
    try:
        daemon = Daemon(folder, live_restore=live_restore, enter=enter, options=options)
        try:
            daemon.start()
        except BaseException:
            daemon.close()
            raise
    except CannotRun as error:
        pytest.skip(str(error))
    return daemon


def skip_where_impossible() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can start a Docker daemon for the tests")
    for program, package in (
        ("dockerd", "docker.io"),
        ("docker", "docker.io"),
        ("ip", "iproute2"),
    ):
        if shutil.which(program) is None:
            pytest.skip(f"the program {program} is not installed (Debian: {package})")


def ip(*arguments: str, enter: Sequence[str] = ()) -> str:
    """What the command `ip` prints, run in the namespace that `enter` enters."""
    done = subprocess.run([*enter, "ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotRun(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def free_network(among: ipaddress.IPv4Network) -> ipaddress.IPv4Network:
    """A network that no interface of this machine has an address in, and no route leads to."""
    interfaces: list[Mapping[str, list[Mapping[str, str]]]] = json.loads(ip("-json", "addr"))
    taken = {
        ipaddress.ip_address(address["local"])
        for interface in interfaces
        for address in interface.get("addr_info", [])
        if "local" in address
    }
    routes: list[Mapping[str, str]] = json.loads(ip("-json", "route"))
    routed = {each["dst"] for each in routes}
    subnets = list(among.subnets(new_prefix=24))
    random.shuffle(subnets)  # others may look for one at the same time
    for network in subnets:
        if str(network) not in routed and not any(address in network for address in taken):
            return network
    raise CannotRun(f"no network in {among} is free")


def _end_processes_with(word: str) -> None:
    """End whatever a killed daemon left: containerd and its shims have our folder as argument."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if word in (entry / "cmdline").read_bytes().decode(errors="replace"):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue


def _unmount_below(folder: Path) -> None:
    rows = Path("/proc/self/mounts").read_text().splitlines()
    below = [row.split()[1] for row in rows if row.split()[1].startswith(f"{folder}/")]
    for mount in reversed(below):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)


def _all_stopped(pid: int) -> bool:
    try:
        stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    except (FileNotFoundError, ProcessLookupError):
        return False  # a thread ended meanwhile, so not all are stopped
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)
