"""The server in a container with the daemon's socket mounted, and clients in other containers."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.docker import ENGINE, PLAIN, Docker
from support.server import wait_for

ROOT = Path(__file__).parents[2]
BASE = "touchline/base:test"
"""Nothing but the links of a Debian root: this machine's /usr is mounted over it."""

PORT = 8099
KEY = "a-key-that-only-tests-know"

ACEXY = """
import json, sys, time, urllib.request

api, key, fallback = sys.argv[1:4]

def ask(method, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
    request = urllib.request.Request(api + path, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200, answer.status
        return json.load(answer)

def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)

status = ask("GET", "/orchestrator/status")
assert status["provisioning"]["can_provision"], status
for each in ask("GET", "/engines"):
    ask("GET", "/streams?container_id=%s&status=started" % each["container_id"])
made = ask("POST", "/provision/acestream", {"labels": {}, "env": {}})
deadline = time.monotonic() + 20
while True:
    found = [e for e in ask("GET", "/engines") if e["container_id"] == made["container_id"]]
    if found and found[0]["health_status"] == "healthy":
        break
    assert time.monotonic() < deadline, found
    time.sleep(0.1)
(engine,) = found
host, port = engine["host"], engine["port"]
if fallback != "-":  # what acexy uses for an engine that it has just ordered
    host, port = fallback, made["host_http_port"]
in_url = "[%s]" % host if ":" in host else host
session = get("http://%s:%s/ace/getstream?id=key&pid=1&format=json" % (in_url, port))["response"]
names = ("playback_session_id", "stat_url", "command_url", "is_live")
stream = ask("POST", "/events/stream_started", {
    "engine": {"host": host, "port": port},
    "stream": {"key_type": "content_id", "key": "key"},
    "session": {name: session[name] for name in names},
    "labels": {"stream_id": "key|1"},
})
assert stream["container_id"] == made["container_id"], (stream, made)
get(session["stat_url"])
deadline = time.monotonic() + 20
while not ask("GET", "/streams/key%7C1/stats"):
    assert time.monotonic() < deadline, "no sample of the stream"
    time.sleep(0.1)
assert len(ask("GET", "/engines")) == 1, "an engine of nobody's"
ended = ask("POST", "/events/stream_ended", {"stream_id": "key|1", "reason": "eof"})
assert ended["updated"], ended
print(json.dumps({"host": engine["host"], "port": engine["port"], "used": [host, port], **made}))
"""
"""acexy's calls, in its order, with what it makes of the answers."""


def base_image(docker: Docker) -> None:
    """Put the image there in which this machine's own Python runs."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("usr", "etc", "proc", "sys", "dev", "tmp", "run", "var", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for name in ("bin", "lib", "lib64", "sbin"):
            if not Path("/", name).is_symlink():
                continue
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, str(Path("/", name).readlink())
            tar.addfile(entry)
    subprocess.run(
        ["docker", "--host", docker.host, "import", "-", BASE],
        input=packed.getvalue(),
        capture_output=True,
        check=True,
        timeout=60,
    )


@contextmanager
def network_of(docker: Docker, subnet: str) -> Iterator[str]:
    """A network of containers with this subnet."""
    name = f"touchline-{secrets.token_hex(4)}"
    docker.run("network", "create", "--subnet", subnet, name)
    try:
        yield name
    finally:
        docker.run("network", "rm", name, check=False)


class ContainedServer:
    """The real server in a container; its API is asked by other containers."""

    def __init__(self, docker: Docker, name: str, label: str) -> None:
        self._docker, self.name, self.label = docker, name, label

    def log(self) -> str:
        """What it wrote."""
        # The command prints the log of standard error to its own.
        done = subprocess.run(
            ["docker", "--host", self._docker.host, "logs", self.name],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return done.stdout + done.stderr

    def address(self) -> str:
        """Its address in the first of its networks."""
        return self._docker.run(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
            self.name,
        )  # fmt: skip

    def ready(self) -> None:
        """Return once it answers."""
        wait_for(lambda: "ready http://" in self.log() or self._ended(), "ready", 60)
        assert "ready http://" in self.log(), self.log()

    def _ended(self) -> bool:
        state = self._docker.run("inspect", "--format", "{{.State.Running}}", self.name)
        return state != "true"


@contextmanager
def contained_server(
    docker: Docker, data: Path, *options: str, env: Mapping[str, str] | None = None
) -> Iterator[ContainedServer]:
    """A running server in a container of this daemon; nothing of it or its engines is left."""
    name, label = f"server-{secrets.token_hex(4)}", f"touchline.test={secrets.token_hex(4)}"
    socket = docker.host.removeprefix("unix://")
    given = {
        "API_KEY": KEY,
        "HOME": str(data),
        "PYTHONUNBUFFERED": "1",
        "TOUCHLINE_ENGINES__LABEL": label,
        "TOUCHLINE_ENGINES__IMAGE": json.dumps({"name": ENGINE}),
        "TOUCHLINE_ENGINES__SCALING": '{"min_replicas": 0, "min_free_replicas": 0}',
        "TOUCHLINE_ENGINES__COLLECTOR": '{"interval_s": 0.5}',
        **(env or {}),
    }
    mounted = {"/usr": "/usr", str(ROOT): str(ROOT), sys.prefix: sys.prefix}
    docker.run(
        "run", "--detach", "--name", name, "--label", "touchline.tests=server",
        *(word for k, v in mounted.items() for word in ("--volume", f"{k}:{v}:ro")),
        "--volume", f"{data}:{data}", "--volume", f"{socket}:/var/run/docker.sock",
        *(word for k, v in given.items() for word in ("--env", f"{k}={v}")),
        *options, BASE,
        sys.executable, "-m", "touchline", "serve", "--data", str(data),
        "--host", "0.0.0.0", "--port", str(PORT),
    )  # fmt: skip
    server = ContainedServer(docker, name, label)
    try:
        server.ready()
        yield server
    finally:
        docker.run("rm", "--force", name, check=False)
        docker.remove(f"label={label}")


def acexy(docker: Docker, api: str, *options: str, fallback: str = "-") -> dict[str, Any]:
    """Run acexy's calls in a container with these options, and return what it was told."""
    told = docker.run(
        "run", "--rm", *options, "--entrypoint", "", PLAIN,
        "python3", "-c", ACEXY, api, KEY, fallback,
    )  # fmt: skip
    return dict(json.loads(told.splitlines()[-1]))


def acexy_here(
    api: str, *, key: str = KEY, fallback: str = "-", before: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The same as a process of this machine."""
    done = subprocess.run(
        [*before, sys.executable, "-c", ACEXY, api, key, fallback],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))
