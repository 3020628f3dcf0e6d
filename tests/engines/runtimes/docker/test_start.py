"""Starts and pulls on a daemon that says what a test wants."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import pytest
from aiohttp import web

from support.dockerscript import Answer, Script, hang_up, in_turn, never, refuse, say, show, stream
from support.scriptedcontainer import ID, SPEC, inspection, startable
from touchline.engines.model.runtime import ImageNotFound, RuntimeUnavailable, StartFailed
from touchline.engines.runtimes.docker.runtime import DockerRuntime

pytestmark = pytest.mark.anyio


async def test_a_program_that_ended_at_once_is_told_with_its_last_words(
    script: Script, runtime: DockerRuntime
) -> None:
    startable(script)
    words = b"no licence\n"
    script.answers |= {
        f"GET /containers/{ID}/json": show(inspection("exited", 3)),
        f"GET /containers/{ID}/logs": say(body=b"\2\0\0\0" + len(words).to_bytes(4, "big") + words),
    }
    with pytest.raises(
        StartFailed, match=r"^engine-1 exited immediately with status 3: no licence$"
    ):
        await runtime.start(SPEC, within_s=5)
    assert script.asked[f"DELETE /containers/{ID}"] == 1


INIT = "/sbin/docker-init -- /no/such/program"


def processes(*commands: str) -> Answer:
    titles = ["UID", "PID", "CMD"]
    rows = [["root", str(pid), each] for pid, each in enumerate(commands, 100)]
    return show({"Titles": titles, "Processes": rows})


async def test_a_program_that_does_not_exist_is_never_told_to_run(
    script: Script, runtime: DockerRuntime
) -> None:
    """The daemon's init process runs before it finds that out."""
    startable(script)
    ended = refuse(409, f"container {ID} is not running")
    script.answers |= {
        f"GET /containers/{ID}/top": in_turn(processes(INIT), processes(INIT, INIT), ended),
        f"GET /containers/{ID}/json": in_turn(show(inspection("exited", 127))),
        f"GET /containers/{ID}/logs": say(body=b""),
    }
    with pytest.raises(StartFailed, match=r"^engine-1 exited immediately with status 127$"):
        await runtime.start(SPEC, within_s=5)
    assert script.asked[f"GET /containers/{ID}/top"] == 3
    assert script.asked[f"DELETE /containers/{ID}"] == 1


async def test_a_start_returns_when_the_program_runs(
    script: Script, runtime: DockerRuntime
) -> None:
    startable(script)
    runs = processes(INIT, "/no/such/program")
    script.answers[f"GET /containers/{ID}/top"] = in_turn(processes(INIT, INIT), runs)
    assert (await runtime.start(SPEC, within_s=5)).state == "running"
    assert script.asked[f"GET /containers/{ID}/top"] == 2


async def test_a_daemon_that_cannot_tell_processes_starts_engines_all_the_same(
    script: Script, runtime: DockerRuntime
) -> None:
    startable(script)
    script.answers[f"GET /containers/{ID}/top"] = refuse(500, "ps: not found")
    assert (await runtime.start(SPEC, within_s=5)).state == "running"


async def test_a_missing_image_is_pulled_once_for_all_who_need_it(
    script: Script, runtime: DockerRuntime
) -> None:
    startable(script)
    go = anyio.Event()
    missing = refuse(404, f"No such image: {SPEC.image}")
    progress = {"current": 10, "total": 40}
    script.answers |= {
        "POST /containers/create": in_turn(missing, missing, show({"Id": ID}, status=201)),
        "POST /images/create": stream(
            {"status": "Downloading", "id": "aa", "progressDetail": progress}, until=go
        ),
    }
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(runtime.start, SPEC, within_s=5))
        tasks.start_soon(partial(runtime.start, SPEC, within_s=5))
        with anyio.fail_after(5):
            while not (seen := runtime.pulling()) or seen[SPEC.image].total_bytes == 0:
                await anyio.sleep(0.01)
        assert (seen[SPEC.image].done_bytes, seen[SPEC.image].total_bytes) == (10, 40)
        go.set()
    assert script.asked["POST /images/create"] == 1
    assert script.asked[f"POST /containers/{ID}/start"] == 2
    assert runtime.pulling() == {}


async def test_a_failed_pull_is_told_in_the_registrys_words(
    script: Script, runtime: DockerRuntime
) -> None:
    startable(script)
    script.answers["POST /containers/create"] = refuse(404, f"No such image: {SPEC.image}")
    ended = anyio.Event()
    ended.set()
    denied = {"errorDetail": {"message": "denied: no access"}, "error": "denied: no access"}
    for answer, words in (
        (stream({"status": "Pulling"}, denied, until=ended), "denied: no access"),
        (refuse(500, "Get https://registry.example/v2/: no such host"), "no such host"),
        (stream({"status": "Waiting"}, until=anyio.Event()), "not pulled within 0.5 s"),
    ):
        script.answers["POST /images/create"] = answer
        with pytest.raises(ImageNotFound, match=words):
            await runtime.start(SPEC, within_s=5)
        assert runtime.starting() == frozenset()


async def test_a_daemon_lost_during_a_pull_is_not_a_missing_image(
    script: Script, runtime: DockerRuntime
) -> None:
    startable(script)
    script.answers |= {
        "POST /containers/create": refuse(404, f"No such image: {SPEC.image}"),
        "POST /images/create": hang_up,
    }
    with pytest.raises(RuntimeUnavailable):
        await runtime.start(SPEC, within_s=5)


async def test_a_container_that_came_too_late_is_not_shown_and_goes(
    script: Script, runtime: DockerRuntime
) -> None:
    startable(script)
    asked: list[Any] = []

    async def create(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        return await never(request)

    script.answers["POST /containers/create"] = create
    with pytest.raises(RuntimeUnavailable):
        await runtime.start(SPEC, within_s=5)
    late = {
        "Id": ID,
        "Names": ["/engine-1"],
        "Image": SPEC.image,
        "Created": 1,
        "Ports": [],
        "Labels": asked[0]["Labels"],
        "State": "created",
        "HostConfig": {},
        "NetworkSettings": None,
    }
    script.answers["GET /containers/json"] = show([late])
    assert list(await runtime.list()) == []
    with anyio.fail_after(5):
        while script.asked[f"DELETE /containers/{ID}"] == 0:
            await anyio.sleep(0.01)
