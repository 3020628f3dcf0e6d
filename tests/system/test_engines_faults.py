"""What goes wrong with engines, on a real daemon, and how the fleet comes right again."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.docker import private_daemon
from support.enginefaults import ENV, FAULTS, Rig
from support.engineserver import engine_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with (
        private_daemon(live_restore=True) as daemon,
        engine_server(tmp_path_factory.mktemp("faults"), docker=daemon, env=ENV) as server,
    ):
        made = Rig(server, daemon)
        made.at_rest()
        yield made


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_fleet_comes_right(rig: Rig, fault: Callable[[Rig], None]) -> None:
    rig.forget()
    fault(rig)
    rig.at_rest()


def test_the_cache_of_an_engine_is_emptied_after_its_last_stream(rig: Rig) -> None:
    engine = rig.one()
    folder = "/home/appuser/.ACEStream/.acestream_cache"
    fill = f"mkdir -p {folder} && cat /usr/bin/python3 > {folder}/pieces"
    rig.daemon.run("exec", engine["container_id"], "sh", "-c", fill)
    stream = rig.server.play({**engine, "host_http_port": engine["port"]}, "cached")
    rig.server.ask("POST", "/events/stream_ended", json={"stream_id": stream["id"]})
    path = f"/engines/{engine['container_id']}"

    def cleaned() -> Any:
        shown = rig.server.ask("GET", path)["engine"]
        return shown if shown["last_cache_cleanup"] else None

    assert rig.server.until(cleaned)["cache_size_bytes"] > 1 << 20
    left = rig.daemon.run("exec", engine["container_id"], "ls", "/home/appuser/.ACEStream", "-A")
    assert left.strip() == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_refuses_events_and_takes_them_again(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=True)
    try:
        with engine_server(small, env=ENV) as server:
            engine = server.until(server.healthy)[0]
            stream = {**engine, "host_http_port": engine["port"]}
            server.play(stream, "before")
            filler = small / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))
            codes = set()
            for number in range(60):
                try:
                    server.play(stream, f"while-{number}")
                except AssertionError as error:
                    codes.add("database_unavailable" in str(error))
                    break
            assert codes == {True}
            assert server.engines()
            filler.unlink()

            def accepted() -> bool:
                with contextlib.suppress(AssertionError):
                    return bool(server.play(stream, "after"))
                return False

            server.until(accepted)
            keys = {s["key"] for s in server.ask("GET", "/streams")}
            assert {"before", "after"} <= keys
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)
