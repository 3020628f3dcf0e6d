"""Podman's service, which answers as Docker does, with storage of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.docker import ENGINE, PLAIN, ROOT, Docker

START_WITHIN_S = 20.0
STOP_WITHIN_S = 20.0

# As root in a container of somebody else's, where the hard limits may not be raised.
CONFIGURATION = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class Podman(Docker):
    """A service of the tests' own; `close` leaves nothing of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"unix://{folder}/podman.sock")
        self._folder = folder
        configuration = folder / "containers.conf"
        configuration.write_text(CONFIGURATION)
        self._environ = {**os.environ, "CONTAINERS_CONF": str(configuration)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers; skip where it cannot run."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("system", "service", "--time", "0", self.host),
                env=self._environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_WITHIN_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = (self._folder / "log").read_text().strip().splitlines()[-1:]
                pytest.skip(f"podman does not run here: {' '.join(words)}")
            time.sleep(0.1)

    def make_images(self) -> None:
        """Put the tests' images there."""
        subprocess.run(
            [str(ROOT / "scripts" / "engine-image"), ENGINE],
            env={**os.environ, "DOCKER_HOST": self.host},
            capture_output=True,
            check=True,
            timeout=120,
        )
        made = self.run("create", "--entrypoint", "", ENGINE, "sleep", "600")
        # Its service does not take the command's way of asking for this.
        self._podman("commit", "--quiet", made, PLAIN)
        self.run("rm", made)
        if self.run("run", "--rm", "--init", PLAIN, "sh", "-c", "echo runs", check=False) != "runs":
            pytest.skip("podman cannot run a container here")

    def close(self) -> None:
        """Take away the service, its containers and its mounts."""
        if self._process is not None and self._process.poll() is None:
            self.remove()
            self._process.terminate()
            self._process.wait(STOP_WITHIN_S)
        subprocess.run(
            self._command("rm", "--all", "--force", "--time", "0"),
            env=self._environ,
            capture_output=True,
            check=False,
            timeout=60,
        )
        rows = Path("/proc/self/mounts").read_text().splitlines()
        below = [row.split()[1] for row in rows if row.split()[1].startswith(f"{self._folder}/")]
        for mount in reversed(below):
            subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)

    def _podman(self, *arguments: str) -> None:
        done = subprocess.run(
            self._command(*arguments),
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr

    def _command(self, *arguments: str) -> list[str]:
        folders = {
            "--root": "root",
            "--runroot": "run",
            "--tmpdir": "tmp",
            "--network-config-dir": "net",
        }
        options = [word for k, v in folders.items() for word in (k, str(self._folder / v))]
        return ["podman", *options, *arguments]


@contextmanager
def podman_service() -> Iterator[Podman]:
    """A running service with the tests' images; skips where none can run."""
    if os.geteuid() != 0:
        pytest.skip("only root can run Podman's service for the tests")
    needed = {"podman": "podman", "catatonit": "catatonit", "docker": "docker.io"}
    for program, package in needed.items():
        if shutil.which(program) is None:
            pytest.skip(f"the program {program} is not installed (Debian: {package})")
    folder = Path(tempfile.mkdtemp(prefix="tl-podman-"))
    service = Podman(folder)
    try:
        service.start()
        service.make_images()
        yield service
    finally:
        service.close()
        shutil.rmtree(folder, ignore_errors=True)
