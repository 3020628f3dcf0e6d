"""The runtime on a daemon that says what a test wants: what a real one rarely does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import pytest
from aiohttp import web

from support.dockerscript import (
    Answer,
    Script,
    hang_up,
    in_turn,
    never,
    refuse,
    say,
    served,
    show,
    stream,
)
from touchline.engines.model.model import EngineSpec, RuntimeEvent
from touchline.engines.model.runtime import ImageNotFound, RuntimeUnavailable, StartFailed
from touchline.engines.runtimes.docker import events as dockerevents
from touchline.engines.runtimes.docker.api import DaemonError
from touchline.engines.runtimes.docker.runtime import (
    STOPS_AT_A_TIME,
    DockerRuntime,
    docker_answers,
    open_docker_runtime,
)
from touchline.engines.settings.runtimes import DockerRuntimeSettings

pytestmark = pytest.mark.anyio

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


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    made = Script()
    async with served(made):
        yield made


@pytest.fixture
async def runtime(script: Script) -> AsyncIterator[DockerRuntime]:
    settings = DockerRuntimeSettings(
        kind="docker", host=script.host, call_timeout_s=0.5, pull_timeout_s=0.5
    )
    async with open_docker_runtime(
        settings, label=("a", "b"), bind_address="127.0.0.1", environ={}
    ) as made:
        yield made


def startable(script: Script) -> None:
    script.answers |= {
        "POST /containers/create": show({"Id": ID}, status=201),
        f"POST /containers/{ID}/start": say(status=204),
        f"GET /containers/{ID}/json": show(inspection()),
        f"DELETE /containers/{ID}": say(status=204),
        "GET /containers/json": show([]),
    }


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


def told(number: int) -> dict[str, Any]:
    actor = {"ID": f"{number:064}", "Attributes": {"name": f"engine-{number}", "a": "b"}}
    return {"Type": "container", "Action": "start", "Actor": actor, "timeNano": number}


async def seen(runtime: DockerRuntime) -> tuple[list[str], str]:
    """The names of the events until they ended, and the reason for that."""
    with anyio.fail_after(5):
        async with runtime.watch() as events:
            return await rest_of(events)


async def rest_of(events: AsyncIterator[RuntimeEvent]) -> tuple[list[str], str]:
    names: list[str] = []
    try:
        async for event in events:
            names += [event.name]
    except RuntimeUnavailable as error:
        return names, error.message
    raise AssertionError("they ended without a reason")


async def test_events_end_with_the_stream(script: Script, runtime: DockerRuntime) -> None:
    ended = anyio.Event()
    ended.set()
    script.answers["GET /events"] = stream(told(1), told(2), until=ended)
    assert await seen(runtime) == (["engine-1", "engine-2"], "Docker's events ended")


async def test_events_end_when_the_daemon_is_silent_and_does_not_answer(
    script: Script, runtime: DockerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dockerevents, "PING_EVERY_S", 0.05)
    script.answers |= {
        "GET /events": stream(told(1), until=anyio.Event()),
        "GET /_ping": in_turn(say(text="OK"), never),
    }
    names, reason = await seen(runtime)
    assert names == ["engine-1"]
    assert "did not respond" in reason


async def test_events_end_where_more_come_than_are_read(
    script: Script, runtime: DockerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dockerevents, "KEPT_UNREAD", 3)
    ended = anyio.Event()
    script.answers["GET /events"] = stream(*(told(n) for n in range(10)), until=ended)
    async with runtime.watch() as events:
        # Nobody reads until the daemon has said everything.
        await anyio.sleep(0.1)
        names, reason = await rest_of(events)
    assert names == ["engine-0", "engine-1", "engine-2"]
    assert "were not read" in reason
    ended.set()


@pytest.mark.parametrize("line", [{"Action": "start"}, {"Action": "start", "Actor": {}}])
async def test_an_event_without_sense_ends_them(
    script: Script, runtime: DockerRuntime, line: dict[str, Any]
) -> None:
    script.answers["GET /events"] = stream(line, until=anyio.Event())
    names, reason = await seen(runtime)
    assert names == []
    assert "is invalid" in reason


async def test_events_that_are_refused_are_an_unavailable_runtime(
    script: Script, runtime: DockerRuntime
) -> None:
    script.answers["GET /events"] = refuse(500, "no")
    with pytest.raises(RuntimeUnavailable):
        async with runtime.watch():
            pytest.fail("it was entered")


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


async def test_whether_a_daemon_answers(script: Script) -> None:
    settings = DockerRuntimeSettings(kind="docker")
    assert await docker_answers(settings, environ={"DOCKER_HOST": script.host})
    script.answers["GET /_ping"] = say(status=500, text="no")
    assert not await docker_answers(settings, environ={"DOCKER_HOST": script.host})
    assert not await docker_answers(settings, environ={"DOCKER_HOST": "unix:///no/such/socket"})
    assert not await docker_answers(settings, environ={"DOCKER_HOST": "ssh://host"})
