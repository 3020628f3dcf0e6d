"""Wherever server, engines and clients are: clients are told what they can use.

The clients make acexy's calls. The server runs in a real container with the daemon's socket, or on
this machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deployments import (
    KEY,
    PORT,
    acexy,
    acexy_here,
    base_image,
    contained_server,
    network_of,
)
from support.docker import PLAIN, Docker
from support.engineserver import EngineServer, engine_server

SUBNET = "10.215.1.0/24"
GATEWAY = "10.215.1.1"
NONE_BY_ITSELF = {"TOUCHLINE_ENGINES__SCALING": '{"min_replicas": 0, "min_free_replicas": 0}'}


@pytest.fixture(scope="module")
def images(docker: Docker) -> None:
    base_image(docker)


@pytest.fixture(scope="module")
def network(docker: Docker) -> Iterator[str]:
    with network_of(docker, SUBNET) as name:
        yield name


def log_of(server: EngineServer) -> str:
    return "".join(each.read_text() for each in (server.data / "logs").glob("touchline.log*"))


def test_a_server_in_a_container_reaches_its_engines_and_so_do_clients_in_its_network(
    docker: Docker, images: None, network: str, tmp_path: Path
) -> None:
    with contained_server(docker, tmp_path, "--network", network) as server:
        told = acexy(docker, f"http://{server.name}:{PORT}", "--network", network)
        assert told["host"].startswith("10.215.1.")
        assert told["port"] == told["container_http_port"]
        assert f"runs in the container {server.name}" in server.log()
        # A client on the host goes by what was published, and means the same engine.
        docker.remove(f"label={server.label}")
        told = acexy_here(f"http://{server.address()}:{PORT}", fallback="localhost")
        assert told["used"] == ["localhost", told["host_http_port"]]


@pytest.mark.slow
def test_the_network_alone_breaks_clients_neither_in_it_nor_outside(
    docker: Docker, network: str, tmp_path: Path
) -> None:
    earlier = {"API_KEY": KEY, "DOCKER_HOST": docker.host, "DOCKER_NETWORK": network}
    earlier["TOUCHLINE_ENGINES__RUNTIME__KIND"] = "docker"
    with engine_server(tmp_path, docker=docker, env={**NONE_BY_ITSELF, **earlier}) as server:
        told = acexy_here(server.origin)
        assert told["host"] == GATEWAY
        docker.remove(f"label={server.label}")
        server.until(lambda: server.engines() == [])
        # On the host by the fall-back of acexy, too.
        told = acexy_here(server.origin, fallback="localhost")
        assert told["used"][0] == "localhost"
        told_engine = server.until(server.engines)[0]
        inside = docker.run(
            "run", "--rm", "--network", network, "--entrypoint", "", PLAIN, "python3", "-c",
            "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=10).status)",
            f"http://{told_engine['host']}:{told_engine['port']}/webui/api/service?method=get_version",
        )  # fmt: skip
        assert inside == "200"


@pytest.mark.slow
@pytest.mark.parametrize("where", ["default", "vpn", "host", "other", "everywhere"])
def test_wherever_the_server_is_acexy_plays(
    where: str, docker: Docker, images: None, network: str, tmp_path: Path
) -> None:
    vpn = f"vpn-{tmp_path.name}"[:60].replace("_", "-")
    options: tuple[str, ...] = ()
    env: dict[str, str] = {}
    client: tuple[str, ...] = ()
    if where == "vpn":
        docker.run("run", "--detach", "--name", vpn, "--network", network, "--entrypoint", "",
                   PLAIN, "sleep", "600")  # fmt: skip
        options, client = ("--network", f"container:{vpn}"), ("--network", network)
    elif where == "host":
        options, client = ("--network", "host"), ("--network", "host")
    elif where == "other":
        # Its engines are in a network that it is not in.
        env, client = {"DOCKER_NETWORK": network}, ("--network", network)
    elif where == "everywhere":
        env = {"DOCKER_NETWORK": network, "TOUCHLINE_ENGINES__PORTS": '{"bind_address": "0.0.0.0"}'}
    try:
        with contained_server(docker, tmp_path, *options, env=env) as server:
            if where == "vpn":
                api = f"http://{vpn}:{PORT}"
            elif where == "host":
                api = f"http://127.0.0.1:{PORT}"
            else:
                api = f"http://{server.address()}:{PORT}"
            told = acexy(docker, api, *client)
            assert told["host"] not in {"localhost", "127.0.0.1"} or where == "host"
    finally:
        docker.run("rm", "--force", vpn, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bind", "host"), [("0.0.0.0", None), ("::1", "::1"), ("127.0.0.1", "127.0.0.1")]
)
def test_a_server_on_the_host_tells_where_engines_are_published(
    bind: str, host: str | None, docker: Docker, tmp_path: Path
) -> None:
    env = {
        **NONE_BY_ITSELF,
        "API_KEY": KEY,
        "TOUCHLINE_ENGINES__PORTS": f'{{"bind_address": "{bind}"}}',
    }
    with engine_server(tmp_path, docker=docker, env=env) as server:
        told = acexy_here(server.origin)
        assert host is None or told["host"] == host
        if host is None:
            # This machine's own address serves containers and other machines as well.
            assert told["host"] != "127.0.0.1"
        assert "Clients are told" in log_of(server)
