"""The recipes of CONTRIBUTING.md, each followed once in a copy of the project.

A kind of something is a module, and one line that lists it, with its import. The modules are in
`tests/assets/recipes`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
RECIPES = TESTS / "assets" / "recipes"
SOURCE = TESTS.parent / "src" / "touchline"
WITHIN_S = 120.0


class Checkout:
    """A copy of the project's packages, in which recipes are followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        left_out = shutil.ignore_patterns("static", "__pycache__")
        shutil.copytree(SOURCE, root / "touchline", ignore=left_out)

    def add(self, recipe: str, place: str) -> None:
        """Put a module of the recipes at its place."""
        shutil.copyfile(RECIPES / f"{recipe}.py", self._root / "touchline" / place)

    def register(self, module: str, before: str, line: str, *, imports: str = "") -> None:
        """Put a line before one that is there, and its import before the others."""
        path = self._root / "touchline" / module
        text = path.read_text("utf-8")
        assert text.count(before) == 1
        text = text.replace(before, line + before)
        if imports:
            text = text.replace("\nfrom touchline", f"\n{imports}\nfrom touchline", 1)
        path.write_text(text, "utf-8")

    def says(self, program: str, *arguments: str) -> Any:
        """Run a program with this copy, and return what it prints as JSON."""
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env={**os.environ, "PYTHONPATH": f"{self._root}:{TESTS}"},
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "src")


def test_a_camera_kind_is_one_module_and_one_line(checkout: Checkout) -> None:
    checkout.add("bars", "capture/sources/bars.py")
    checkout.register(
        "capture/sources/kinds.py",
        "TestSource |",
        "BarsSource | ",
        imports="from touchline.capture.sources.bars import BarsSource",
    )
    program = """
import json
from touchline.capture import PROBED_ELEMENTS
from touchline.capture.cameras.pipelines import build_pipeline
from touchline.settings.tree import load_settings

settings = load_settings(environ={"TOUCHLINE_CAPTURE__CAMERAS__0__KIND": "bars"}).capture
spec = build_pipeline(0, settings.cameras[0], settings, ["videotestsrc", "x264enc"])
probed = "videotestsrc" in PROBED_ELEMENTS
print(json.dumps([spec.kind, [element.factory for element in spec.source], probed]))
"""
    assert checkout.says(program) == ["bars", ["videotestsrc"], True]


def test_a_runtime_is_one_module_and_one_line(checkout: Checkout) -> None:
    checkout.add("memory", "engines/runtimes/memory.py")
    checkout.register(
        "engines/runtimes/kinds.py",
        "    PROCESS,\n",
        "    MEMORY,\n",
        imports="from touchline.engines.runtimes.memory import MEMORY",
    )
    program = """
import json, sys
from pathlib import Path
import anyio
from touchline.engines.readiness import engine_readiness
from touchline.engines.runtimes import OpeningContext, open_runtime
from touchline.settings.tree import load_settings

settings = load_settings(environ={"TOUCHLINE_ENGINES__RUNTIME__KIND": "memory"}).engines
place = OpeningContext(Path(sys.argv[1]), ("a", "b"), "127.0.0.1", True, (), None)

async def listed():
    async with open_runtime(settings.runtime, place) as runtime:
        return runtime.kind, list(await runtime.list())

found = next(engine_readiness(settings, wanted=True, environ={}))
print(json.dumps([*anyio.run(listed), found.what, found.state]))
"""
    assert checkout.says(program, "/nowhere") == ["fake", [], "memory", "ok"]


def test_a_job_is_one_module_and_one_line_on_each_side(checkout: Checkout, tmp_path: Path) -> None:
    checkout.add("slowmotion_verb", "studio/verbs/slowmotion.py")
    checkout.register(
        "studio/verbs/__init__.py",
        '        case "upload":\n',
        '        case "slowmotion":\n'
        "            from touchline.studio.verbs.slowmotion import run\n",
    )
    checkout.add("slowmotion_kind", "capture/jobkinds/slowmotion.py")
    checkout.register(
        "capture/jobkinds/kinds.py",
        "        UPLOAD,\n",
        "        SLOWMOTION,\n",
        imports="from touchline.capture.jobkinds.slowmotion import SLOWMOTION",
    )
    program = """
import json, sys
from pathlib import Path
import anyio
from support.jobcontext import MATCH_ID, job_context
from support.libraryservices import idle_services, orders_of
from touchline.capture.settings.processing import ProcessingSettings
from touchline.web.models.capture.processing import ProcessMatch

root = Path(sys.argv[1])
library = job_context(root).library
ProcessingSettings(after_recording=("slowmotion",))

async def made():
    steps = ProcessMatch(steps=["upload", "slowmotion"]).steps
    jobs = await idle_services(root, library).processing.start(MATCH_ID, steps)
    run = await orders_of(root, library).prepare(jobs[0])
    return [job.kind for job in jobs], await run.run(lambda _: None)

print(json.dumps(anyio.run(made)))
"""
    folder = tmp_path / "data"
    folder.mkdir()
    said = checkout.says(program, str(folder))
    assert said == [["slowmotion", "upload"], {"file": "slowmotion.txt"}]
    written = folder / "recordings" / "m1" / "slowmotion.txt"
    assert written.read_text("utf-8") == "1:4\n"


def test_a_module_of_routes_is_one_line(checkout: Checkout) -> None:
    checkout.add("weather", "web/routes/capture/weather.py")
    checkout.register(
        "web/app.py",
        "    cloud.router,\n",
        "    weather.router,\n",
        imports="from touchline.web.routes.capture import weather",
    )
    program = """
import json
from fastapi.testclient import TestClient
from touchline.web.app import bare_app

app = bare_app()
described = "get" in app.openapi()["paths"]["/api/v1/weather"]
print(json.dumps([described, TestClient(app).get("/api/v1/weather").json()]))
"""
    assert checkout.says(program) == [True, {"sky": "overcast"}]


def test_a_channel_is_one_line(checkout: Checkout) -> None:
    checkout.register(
        "web/websocket/channels.py",
        '        Channel("status", 1.0, capture.status),\n',
        '        Channel("machine", 5.0, capture.machine.metrics),\n',
    )
    program = """
from unittest.mock import Mock
import anyio
from touchline.web.websocket.channels import channels_of

capture = Mock()
capture.machine.metrics.return_value = {"cpu_percent": 12.5}
(channel,) = (each for each in channels_of(capture) if each.name == "machine")
subscriber = Mock()

async def broadcast():
    channel.add(subscriber)
    channel.refresh()
    await channel.once()

anyio.run(broadcast)
print(subscriber.outbox.status.call_args.args[1])
"""
    said = checkout.says(program)
    assert (said["type"], said["data"]) == ("machine", {"cpu_percent": 12.5})
