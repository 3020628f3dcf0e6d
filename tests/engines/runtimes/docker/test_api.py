"""Lists, removals and versions of a daemon that says what a test wants."""

from __future__ import annotations

from functools import partial

import anyio
import pytest
from aiohttp import web

from support.dockerscript import Answer, Script, hang_up, in_turn, never, refuse, say, show
from support.scriptedcontainer import ID, inspection
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.docker.api import DaemonError
from touchline.engines.runtimes.docker.runtime import STOPS_AT_A_TIME, DockerRuntime, docker_answers
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "answer",
    [
        say(text="<html>", content_type="text/html"),
        say(text="{", content_type="application/json"),
        refuse(500, "the disk is full"),
        say(status=502, text="bad gateway"),
        show({"words": "without a message"}, status=400),
        never,
        hang_up,
    ],
    ids=["html", "half", "500", "502", "wordless", "never", "hang up"],
)
async def test_a_list_without_sense_is_an_unavailable_runtime(
    script: Script, runtime: DockerRuntime, answer: Answer
) -> None:
    script.answers["GET /containers/json"] = answer
    with anyio.fail_after(5), pytest.raises(RuntimeUnavailable) as caught:
        await runtime.list()
    assert script.host in caught.value.message


async def test_a_list_is_one_call_however_many_there_are(
    script: Script, runtime: DockerRuntime
) -> None:
    shown = {
        "Image": "i",
        "Created": 1,
        "Ports": [],
        "Labels": {"a": "b"},
        "State": "running",
        "HostConfig": {},
        "NetworkSettings": None,
    }
    many = [{**shown, "Id": f"{n:064}", "Names": [f"/engine-{n}"]} for n in range(500)]
    script.answers["GET /containers/json"] = show(many)
    assert len(await runtime.list()) == 500
    assert script.asked == {"GET /containers/json": 1}


async def test_a_daemon_of_another_version_is_asked_for_it_again(
    script: Script, runtime: DockerRuntime
) -> None:
    script.answers["GET /containers/json"] = show([])
    await runtime.list()
    script.version = "1.50"
    with pytest.raises(RuntimeUnavailable):
        await runtime.list()
    assert list(await runtime.list()) == []


async def test_a_removal_that_is_under_way_is_waited_for(
    script: Script, runtime: DockerRuntime
) -> None:
    under_way = refuse(409, f"removal of container {ID} is already in progress")
    script.answers |= {
        f"POST /containers/{ID}/stop": say(status=204),
        f"DELETE /containers/{ID}": under_way,
        f"GET /containers/{ID}/json": in_turn(
            show(inspection("removing")), show(inspection("removing")), refuse(404, "none")
        ),
    }
    await runtime.stop(ID, grace_s=0)
    assert script.asked[f"GET /containers/{ID}/json"] == 3
    script.answers[f"GET /containers/{ID}/json"] = show(inspection("removing"))
    with pytest.raises(DaemonError, match="does not complete"):
        await runtime.stop(ID, grace_s=0)


async def test_what_cannot_be_stopped_politely_is_removed_by_force(
    script: Script, runtime: DockerRuntime
) -> None:
    script.answers |= {
        f"POST /containers/{ID}/stop": refuse(500, "cannot stop container"),
        f"DELETE /containers/{ID}": say(status=204),
    }
    await runtime.stop(ID, grace_s=0)
    assert script.asked[f"DELETE /containers/{ID}"] == 1


async def test_a_daemon_is_not_asked_to_stop_hundreds_at_once(
    script: Script, runtime: DockerRuntime
) -> None:
    at_once = most = 0
    full = anyio.Event()

    async def stop(_: web.Request) -> web.StreamResponse:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        if at_once == STOPS_AT_A_TIME:
            full.set()
        await full.wait()
        await anyio.sleep(0.01)  # meanwhile more would arrive
        at_once -= 1
        return web.Response(status=204)

    script.otherwise = stop
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(partial(runtime.stop, f"{number:064}", grace_s=0))
    assert sum(script.asked.values()) == 200
    assert most == STOPS_AT_A_TIME


async def test_whether_a_daemon_answers(script: Script) -> None:
    settings = DockerRuntimeSettings(kind="docker")
    assert await docker_answers(settings, environ={"DOCKER_HOST": script.host})
    script.answers["GET /_ping"] = say(status=500, text="no")
    assert not await docker_answers(settings, environ={"DOCKER_HOST": script.host})
    assert not await docker_answers(settings, environ={"DOCKER_HOST": "unix:///no/such/socket"})
    assert not await docker_answers(settings, environ={"DOCKER_HOST": "ssh://host"})
