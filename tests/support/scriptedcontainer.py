"""One container, as a scripted Docker daemon shows it."""

from __future__ import annotations

from typing import Any

from support.dockerscript import Script, say, show
from touchline.engines.model.model import EngineSpec

SPEC = EngineSpec(name="engine-1", image="registry.example/engine:1")
ID = "8" * 64


def inspection(status: str = "running", exit_code: int = 0) -> dict[str, Any]:
    return {
        "Id": ID,
        "Name": "/engine-1",
        "Created": "2026-11-26T11:40:32.2Z",
        "State": {"Status": status, "ExitCode": exit_code},
        "Config": {"Image": SPEC.image, "Env": [], "Labels": {}, "Tty": False},
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"Ports": {}, "Networks": {}},
    }


def startable(script: Script) -> None:
    script.answers |= {
        "POST /containers/create": show({"Id": ID}, status=201),
        f"POST /containers/{ID}/start": say(status=204),
        f"GET /containers/{ID}/json": show(inspection()),
        f"DELETE /containers/{ID}": say(status=204),
        "GET /containers/json": show([]),
    }
