from __future__ import annotations

import fcntl
import os
import signal
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from support.links import Ear, linked, make_link, standbys, workers
from support.recorders import until
from touchline.capture.programs import process

pytestmark = pytest.mark.anyio


async def test_a_standby_takes_the_place_of_a_worker_that_dies_and_gets_a_standby_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gi")
    monkeypatch.setattr(process, "_PAUSES", replace(process._PAUSES, stable_s=0.1))
    ear = Ear()
    with workers("real", tmp_path):
        link = make_link(tmp_path, ear, standby=True)
        async with linked(link, ear):
            for died in (1, 2):
                await until(lambda: standbys(tmp_path) not in ([], [link.pid]), "one stands by")
                (ready,) = set(standbys(tmp_path)) - {link.pid}
                assert link.pid is not None
                os.kill(link.pid, signal.SIGKILL)
                await until(lambda: len(ear.hellos) == died + 1, "the next one is met")  # noqa: B023
                assert (link.pid, link.spawns) == (ready, died + 1)
        await until(lambda: not standbys(tmp_path), "all of them are gone")


async def test_a_standby_leaves_with_the_server_and_not_before(tmp_path: Path) -> None:
    pytest.importorskip("gi")
    with workers("real", tmp_path):
        link = make_link(tmp_path, Ear(), standby=True)
        lock = os.open(tmp_path / "run" / "cam0.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)  # the worker that serves
        theirs, ours = os.pipe()
        one = await link._launch_standby(theirs)
        os.close(theirs)
        with anyio.move_on_after(1) as waited:
            await one.wait()
        assert waited.cancelled_caught
        os.close(ours)  # as the kernel does when a server is killed
        with anyio.fail_after(60):
            assert await one.wait() == 0
        os.close(lock)


async def test_a_standby_that_dies_itself_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gi")
    monkeypatch.setattr(process, "_PAUSES", replace(process._PAUSES, stable_s=0.1))
    ear = Ear()
    with workers("real", tmp_path):
        link = make_link(tmp_path, ear, standby=True)
        async with linked(link, ear):
            await until(lambda: standbys(tmp_path), "one stands by")
            os.kill(standbys(tmp_path)[0], signal.SIGKILL)
            await until(lambda: not standbys(tmp_path), "it is gone")
            assert link.pid is not None
            os.kill(link.pid, signal.SIGKILL)
            await until(lambda: len(ear.hellos) == 2, "another worker is met all the same")
            assert link.spawns == 2


async def test_a_standby_that_hangs_costs_a_moment_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gi")
    monkeypatch.setattr(process, "_PAUSES", replace(process._PAUSES, stable_s=0.1))
    monkeypatch.setattr(process, "_STANDBY_S", 0.5)
    ear = Ear()
    with workers("real", tmp_path):
        link = make_link(tmp_path, ear, standby=True)
        async with linked(link, ear):
            await until(lambda: standbys(tmp_path), "one stands by")
            (hangs,) = standbys(tmp_path)
            os.kill(hangs, signal.SIGSTOP)
            assert link.pid is not None
            os.kill(link.pid, signal.SIGKILL)
            await until(lambda: len(ear.hellos) == 2, "another worker is met")
            assert link.pid != hangs
            # Those that were started too early, while the standby still had the worker's place.
            reasons = [reason for _, reason in ear.lost]
            assert reasons[0] == "it closed the connection"
            assert all("exited with status 75" in reason for reason in reasons[1:]), reasons
            await until(lambda: hangs not in standbys(tmp_path), "it is gone")
