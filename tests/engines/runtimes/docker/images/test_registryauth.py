"""Credentials of private registries, from files and helpers to what the daemon is sent."""

from __future__ import annotations

import base64
import json
import os
import shlex
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiohttp import web

from support.dockerscript import Script, in_turn, refuse, served, show
from touchline.engines.model.model import EngineSpec
from touchline.engines.model.runtime import ImageNotFound
from touchline.engines.runtimes.docker.images.registryauth import (
    HUB,
    NoCredentials,
    RegistryLogins,
    helper_of,
    login_in,
    read_helper_answer,
    registry_of,
)
from touchline.engines.runtimes.docker.runtime import DockerRuntime, open_docker_runtime
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings

pytestmark = pytest.mark.anyio

REGISTRY = "registry.example:5000"
IMAGE = f"{REGISTRY}/team/engine:1"
ID = "8" * 64


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(header: str | None) -> dict[str, Any] | None:
    return None if header is None else dict(json.loads(base64.urlsafe_b64decode(header)))


def written(folder: Path, config: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(
        config if isinstance(config, str) else json.dumps(config), encoding="utf-8"
    )
    return folder


def helper(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def logins(tmp_path: Path, config: Any, *, within_s: float = 20.0) -> RegistryLogins:
    folder = written(tmp_path / "docker", config)
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    environ = {"DOCKER_CONFIG": str(folder), "PATH": path, "TOUCHLINE_AUTH__API_KEY": "secret"}
    return RegistryLogins(environ, helper_timeout_s=within_s)


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("engine", HUB),
        ("engine:1", HUB),
        ("team/engine:1", HUB),
        ("docker.io/team/engine", HUB),
        ("index.docker.io/team/engine", HUB),
        ("registry.example/engine:1", "registry.example"),
        ("registry.example:5000/a/b/c@sha256:0", "registry.example:5000"),
        ("localhost/engine", "localhost"),
        ("localhost:5000/engine", "localhost:5000"),
        ("[::1]:5000/engine", "[::1]:5000"),
    ],
)
def test_the_registry_of_an_image(image: str, registry: str) -> None:
    assert registry_of(image) == registry


@pytest.mark.parametrize(
    ("config", "registry", "expected"),
    [
        ({}, REGISTRY, None),
        ({"credsStore": "pass"}, REGISTRY, "pass"),
        ({"credsStore": "pass", "credHelpers": {REGISTRY: "ecr-login"}}, REGISTRY, "ecr-login"),
        ({"credHelpers": {REGISTRY: "ecr-login"}}, "other.example", None),
        ({"credHelpers": {HUB: "desktop"}}, HUB, "desktop"),
        ({"credHelpers": {"index.docker.io": "desktop"}}, HUB, "desktop"),
        ({"credHelpers": []}, REGISTRY, None),
    ],
)
def test_the_helper_of_a_registry(
    config: dict[str, Any], registry: str, expected: str | None
) -> None:
    assert helper_of(config, registry) == expected


@pytest.mark.parametrize("name", ["../../bin/sh", "a b", "a;b", "-x", "", "x" * 200, 7, ["a"]])
def test_a_helper_that_is_no_name_is_no_program(name: Any) -> None:
    if name:
        with pytest.raises(NoCredentials):
            helper_of({"credHelpers": {REGISTRY: name}}, REGISTRY)
    else:
        assert helper_of({"credHelpers": {REGISTRY: name}}, REGISTRY) is None


@pytest.mark.parametrize(
    ("auths", "registry", "expected"),
    [
        ({REGISTRY: {"auth": encoded("me:pass:word")}}, REGISTRY, ("me", "pass:word")),
        ({f"https://{REGISTRY}/v1/": {"auth": encoded("me:x")}}, REGISTRY, ("me", "x")),
        ({HUB: {"auth": encoded("me:x")}}, HUB, ("me", "x")),
        ({REGISTRY: {"username": "me", "password": "é"}}, REGISTRY, ("me", "é")),
        ({"other.example": {"auth": encoded("me:x")}}, REGISTRY, ("", "")),
        ({REGISTRY: {}}, REGISTRY, ("", "")),
        ({REGISTRY: None}, REGISTRY, ("", "")),
        ([], REGISTRY, ("", "")),
    ],
)
def test_what_the_file_itself_holds(auths: Any, registry: str, expected: tuple[str, str]) -> None:
    login = login_in({"auths": auths}, registry)
    assert (login.username, login.password) == expected


@pytest.mark.parametrize("auth", ["%", encoded("nocolon"), base64.b64encode(b"\xff:\xff").decode()])
def test_credentials_that_cannot_be_read_are_named_and_not_shown(auth: str) -> None:
    with pytest.raises(NoCredentials, match=r"registry\.example") as refused:
        login_in({"auths": {REGISTRY: {"auth": auth}}}, REGISTRY)
    assert auth not in str(refused.value.message)


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b'{"Secret":7}', b"[" * 5000, b'{"Secret":NaN}', b"secret"]
)
def test_an_answer_of_a_helper_without_a_secret_is_refused(answer: bytes) -> None:
    with pytest.raises(NoCredentials):
        read_helper_answer(answer, REGISTRY)


async def test_nothing_is_said_where_nobody_logged_in(tmp_path: Path) -> None:
    for environ in ({}, {"HOME": str(tmp_path)}, {"DOCKER_CONFIG": str(tmp_path / "none")}):
        assert await RegistryLogins(environ).header(IMAGE) is None
    assert await logins(tmp_path, {}).header(IMAGE) is None
    written(tmp_path / ".docker", {"auths": {REGISTRY: {"identitytoken": "t"}}})
    found = await RegistryLogins({"HOME": str(tmp_path)}).header(IMAGE)
    assert decoded(found) == {"identitytoken": "t", "serveraddress": REGISTRY}


@pytest.mark.parametrize("config", ["", "{", "[" * 5000, '{"a":"' + "x" * (1 << 20) + '"}'])
async def test_a_file_that_makes_no_sense_is_named(config: str, tmp_path: Path) -> None:
    with pytest.raises(NoCredentials, match=r"config\.json"):
        await logins(tmp_path, config).header(IMAGE)


async def test_a_pipe_in_the_place_of_the_file_holds_up_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with anyio.fail_after(20), pytest.raises(NoCredentials, match="not a file"):
        await RegistryLogins({"DOCKER_CONFIG": str(tmp_path)}).header(IMAGE)


async def test_a_helper_is_asked_on_its_standard_input_and_sees_no_secret_of_ours(
    tmp_path: Path,
) -> None:
    seen = shlex.quote(str(tmp_path / "seen"))
    script = f"""(echo "$*"; cat; echo; env) >{seen}; echo '{{"Username":"me","Secret":"s3"}}'"""
    helper(tmp_path / "bin", "mine", script)
    header = await logins(tmp_path, {"credHelpers": {REGISTRY: "mine"}}).header(IMAGE)
    assert decoded(header) == {"username": "me", "password": "s3", "serveraddress": REGISTRY}
    told = (tmp_path / "seen").read_text().splitlines()
    assert told[:2] == ["get", REGISTRY]
    assert not [line for line in told if "TOUCHLINE" in line]


async def test_a_token_of_a_helper_is_sent_as_one(tmp_path: Path) -> None:
    helper(tmp_path / "bin", "mine", """echo '{"Username":"<token>","Secret":"t"}'""")
    header = await logins(tmp_path, {"credsStore": "mine"}).header("team/engine")
    assert decoded(header) == {"identitytoken": "t", "serveraddress": HUB}


async def test_where_a_helper_knows_nothing_the_file_counts(tmp_path: Path) -> None:
    helper(tmp_path / "bin", "mine", "echo credentials not found in native keychain; exit 1")
    config: dict[str, Any] = {"credsStore": "mine", "auths": {REGISTRY: {}}}
    assert await logins(tmp_path, config).header(IMAGE) is None
    config["auths"][REGISTRY] = {"auth": encoded("me:x")}
    assert decoded(await logins(tmp_path, config).header(IMAGE)) == {
        "username": "me",
        "password": "x",
        "serveraddress": REGISTRY,
    }


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "exited with status 3"),
        ("echo s3cret; exit 1", "exited with status 1"),
        ("echo s3cret", "did not return JSON"),
        ("cat /dev/zero", "too long"),
        (None, "not installed"),
    ],
)
async def test_a_helper_that_fails_is_told_without_what_it_said(
    script: str | None, why: str, tmp_path: Path
) -> None:
    if script is not None:
        helper(tmp_path / "bin", "mine", script)
    with anyio.fail_after(20), pytest.raises(NoCredentials, match=why) as refused:
        await logins(tmp_path, {"credsStore": "mine"}).header(IMAGE)
    assert "s3cret" not in refused.value.message


async def test_a_helper_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    # The child keeps the output open after the helper itself has gone.
    helper(tmp_path / "bin", "mine", f"sleep 300 & echo $! >{shlex.quote(str(pids))}")
    began_s = time.monotonic()
    with pytest.raises(NoCredentials, match="did not answer within"):
        await logins(tmp_path, {"credsStore": "mine"}, within_s=2.0).header(IMAGE)
    assert time.monotonic() - began_s < 60
    child = Path(f"/proc/{pids.read_text().strip()}/stat")
    with anyio.fail_after(20):
        while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
            await anyio.sleep(0.01)


# ---------------------------------------------------------------------- with the runtime


def registry_daemon(script: Script, accepted: dict[str, Any] | None) -> list[dict[str, Any] | None]:
    """A daemon whose registry hands the image out for this login only; what it was sent."""
    sent: list[dict[str, Any] | None] = []

    async def pull(request: web.Request) -> web.StreamResponse:
        sent.append(decoded(request.headers.get("X-Registry-Auth")))
        assert request.query["fromImage"] in {IMAGE, "engine"}
        assert request.query.get("tag") == (None if ":" in request.query["fromImage"] else "latest")
        if sent[-1] == accepted:
            script.answers["POST /containers/create"] = show({"Id": ID}, status=201)
            line: dict[str, Any] = {"status": "Pull complete"}
        else:
            line = {"error": "unauthorized", "errorDetail": {"message": "unauthorized"}}
        return web.Response(text=json.dumps(line) + "\n", content_type="application/json")

    shown = {
        "Id": ID,
        "Name": "/engine-1",
        "Created": "2026-11-26T11:40:32.2Z",
        "State": {"Status": "running", "ExitCode": 0},
        "Config": {"Image": IMAGE, "Env": [], "Labels": {}, "Tty": False},
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"Ports": {}, "Networks": {}},
    }
    script.answers |= {
        "POST /containers/create": in_turn(refuse(404, "No such image")),
        f"POST /containers/{ID}/start": show(None, status=204),
        f"GET /containers/{ID}/json": show(shown),
        "POST /images/create": pull,
    }
    return sent


@asynccontextmanager
async def runtime_with(script: Script, environ: dict[str, str]) -> AsyncIterator[DockerRuntime]:
    async with (
        served(script),
        open_docker_runtime(
            DockerRuntimeSettings(kind="docker", host=script.host),
            label=("a", "b"),
            bind_address="127.0.0.1",
            environ=environ,
        ) as runtime,
    ):
        yield runtime


@pytest.mark.parametrize("image", [IMAGE, "engine"])
async def test_a_private_image_is_pulled_with_the_users_login(image: str, tmp_path: Path) -> None:
    registry = registry_of(image)
    script = Script()
    sent = registry_daemon(script, {"username": "me", "password": "x", "serveraddress": registry})
    folder = written(tmp_path, {"auths": {}})
    async with runtime_with(script, {"DOCKER_CONFIG": str(folder)}) as runtime:
        spec = EngineSpec(name="engine-1", image=image)
        with pytest.raises(ImageNotFound, match="unauthorized"):
            await runtime.start(spec, within_s=20)
        # The login comes while the server runs.
        written(tmp_path, {"auths": {registry: {"auth": encoded("me:x")}}})
        assert (await runtime.start(spec, within_s=20)).state == "running"
    assert [login is None for login in sent] == [True, False]


async def test_without_credentials_that_should_be_there_the_refusal_says_so(
    tmp_path: Path,
) -> None:
    script = Script()
    registry_daemon(script, {"never": "accepted"})
    folder = written(tmp_path, {"credsStore": "gone"})
    environ = {"DOCKER_CONFIG": str(folder), "PATH": str(tmp_path)}
    async with runtime_with(script, environ) as runtime:
        with pytest.raises(ImageNotFound, match=r"unauthorized.*docker-credential-gone"):
            await runtime.start(EngineSpec(name="engine-1", image=IMAGE), within_s=20)


async def test_a_public_image_is_pulled_where_the_helper_is_broken(tmp_path: Path) -> None:
    script = Script()
    sent = registry_daemon(script, None)
    folder = written(tmp_path, {"credsStore": "gone"})
    environ = {"DOCKER_CONFIG": str(folder), "PATH": str(tmp_path)}
    async with runtime_with(script, environ) as runtime:
        await runtime.start(EngineSpec(name="engine-1", image=IMAGE), within_s=20)
    assert sent == [None]
