"""Where tasks are started in the server: supervised, or in a group that waits for one work."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import touchline

ROOT = Path(touchline.__file__).parent
SERVER = ("core", "capture", "engines", "web")
STARTS = {"start_soon", "start", "create_task", "ensure_future"}
SUPERVISED = {"keep", "guard", "keep_until_done", "keep_running", "keep_trying"}

ONE_WORK = {
    # A group that ends with the request, the call or the pass that opened it; an error of one piece
    # is raised there, to somebody who is supervised or answers a client.
    "capture/panorama/calibration.py": "the feed of one calibration",
    "capture/cameras/cameras.py": "the workers that are told to leave at the end",
    "capture/live/panorama.py": "the feed of one preview",
    "capture/live/preview.py": "the cameras of one start",
    "capture/programs/process.py": "one connection to a worker, made anew by keep_until_done",
    "capture/assembly.py": "the pictures that are drawn before the cameras start",
    "capture/live/shown.py": "the cameras of one stop",
    "capture/recording/start.py": "the cameras of one start",
    "capture/library/verification/stopgate.py": "the verification of one stop",
    "capture/recording/stop.py": "the cameras of one stop",
    "engines/assembly.py": "the engines of one stop",
    "engines/provisioning/runtimesync.py": "the pieces of one pass",
    "engines/fleet/flights.py": "one start, which its callers wait for",
    "engines/runtimes/docker/events.py": "one connection to the daemon",
    "engines/runtimes/docker/usage.py": "the pieces of one look",
    "engines/runtimes/flights.py": "one piece of work that several wait for",
    "engines/runtimes/process/runtime.py": "one launch",
    "engines/runtimes/process/execute.py": "one command",
    "engines/model/schedule.py": "the pieces of one pass, each of which is caught",
    "engines/vpn/fleet.py": "the engines of one question",
    "engines/vpn/vpn.py": "the pieces of one look",
    "web/http/asking.py": "one request",
    "web/files/downloads.py": "one request",
    "web/http/work.py": "one request",
    "web/websocket/sockets.py": "one connection",
}
"""By file: what its task groups wait for."""


def test_every_long_lived_task_is_supervised() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in sorted(p for part in SERVER for p in (ROOT / part).rglob("*.py"))
        for _ in unsupervised(path.read_text())
    }
    found -= {"core/supervision.py"}  # what supervises
    assert found - ONE_WORK.keys() == set()
    assert ONE_WORK.keys() - found == set(), "the list has files that start nothing any more"


def unsupervised(source: str) -> Iterator[ast.Call]:
    """Calls that start a task of which nobody says that it is supervised."""
    if "import Tasks" in source and "create_task_group" not in source:
        return  # it is given `Tasks`, which guards whatever it starts
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in STARTS - {"start"}:
            continue
        owner = ast.unparse(node.func.value)
        if owner.endswith("_tasks") or owner in {"loops", "self.tasks"}:
            continue  # a `Tasks`, which guards whatever it starts
        said = ast.unparse(node)
        if not any(f"{name}" in said for name in SUPERVISED):
            yield node


LOGGED_ONLY = {
    "core/supervision.py": "what supervises",
    "core/tasks.py": "the loop itself",
    "capture/programs/process.py": "reports each end of a program in its own words",
    "engines/provisioning/runtimesync.py": "reports itself that the runtime is away",
}
"""By file: why its repeated work is not given to a supervisor."""


def test_whatever_is_repeated_and_fails_becomes_an_event() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and names_keep_running(node)
    }
    assert found == LOGGED_ONLY.keys()


def names_keep_running(call: ast.Call) -> bool:
    """Whether it calls `keep_running`, or passes it on to be called; as a default it is neither."""
    return any(
        isinstance(each, ast.Name) and each.id == "keep_running" for each in (call.func, *call.args)
    )
