"""Finding, starting, hearing and replacing a worker; and that the fake is like the real one."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.links import NAME, Ear, linked, make_link, processes, workers
from support.recorders import until
from touchline.backoff import RetryPauses
from touchline.capture.cameras.pipelines import build_pipeline
from touchline.capture.programs import process
from touchline.capture.settings.tree import CaptureSettings
from touchline.core.errors import Blocked, Failed
from touchline.ipc import wire

pytestmark = pytest.mark.anyio


def order(folder: Path, match_id: str = "m1") -> dict[str, Any]:
    segments = folder / "recordings" / match_id / "segments"
    segments.mkdir(parents=True, exist_ok=True)
    now = time.monotonic_ns() + 50_000_000
    return wire.order_to_json(
        wire.RecordOrder(
            match_id=match_id,
            directory=str(segments),
            prefix=NAME,
            label="20260211_220241",
            first_index=0,
            unix_minus_monotonic_ns=time.time_ns() - time.monotonic_ns(),
            start_monotonic_ns=now,
            segment_s=600,
            fragment_s=0.25,
            min_free_bytes=1,
            backlog_bytes=64 << 20,
            max_match_s=3600,
        )
    )


def spec(elements: Any) -> dict[str, Any]:
    settings = CaptureSettings.model_validate(
        {"cameras": {0: {"kind": "test", "width": 320, "height": 240}}}
    )
    return wire.spec_to_json(build_pipeline(0, settings.cameras[0], settings, elements))


# ------------------------------------------- what fake and real workers have in common


@pytest.mark.parametrize("kind", ["fake", "real"])
async def test_a_worker_records_from_its_order_to_its_report(tmp_path: Path, kind: str) -> None:
    ear = Ear()
    with workers(kind, tmp_path):
        link = make_link(tmp_path, ear)
        async with linked(link, ear):
            assert link.spawns == 1
            hello = ear.hellos[0]
            assert hello["protocol"] == wire.PROTOCOL
            assert hello["order"] is hello["report"] is None
            with pytest.raises(Failed) as caught:
                await link.ask("stop", timeout_s=60, at_ns=time.monotonic_ns(), wait_s=1)
            assert caught.value.code == "not_recording"

            configured = spec(hello["elements"])
            await link.ask("configure", timeout_s=60, spec=configured)
            reply = await link.ask("record", timeout_s=60, order=order(tmp_path), wait_s=60)
            assert reply["started"] is True
            assert reply["segment"]["name"] == "cam0_20260211_220241_00.mp4"
            assert reply["segment"]["index"] == 0
            await until(lambda: ear.heard("status"), "it tells its status")
            opened = [e["segment"]["name"] for e in ear.events if e.get("change") == "opened"]
            assert opened == ["cam0_20260211_220241_00.mp4"]

            with pytest.raises(Failed) as caught:
                await link.ask("record", timeout_s=60, order=order(tmp_path), wait_s=60)
            assert caught.value.code == "recording"
            hello = await link.ask("hello", timeout_s=60)
            assert hello["order"]["match_id"] == hello["report"]["match_id"] == "m1"
            # Configured as configuration is compared when a worker is taken over.
            assert hello["spec"] == configured

            report = await link.ask("stop", timeout_s=60, at_ns=time.monotonic_ns(), wait_s=60)
            assert report["finalized"] is report["eos_received"] is True
            assert report["timed_out"] is False
            assert report["error"] is None
            (segment,) = report["segments"]
            assert segment["finalized"] is True
            assert segment["frames"] > 0
            status = await link.ask("status", timeout_s=60)
            assert status["recording"] is None
            assert status["camera"].keys() >= {"state", "fps", "last_frame_age_s", "last_error"}
        assert ear.lost == []


@pytest.mark.parametrize("kind", ["fake", "real"])
async def test_a_worker_that_dies_is_replaced_by_an_idle_one(tmp_path: Path, kind: str) -> None:
    ear = Ear()
    with workers(kind, tmp_path) as fleet:
        link = make_link(tmp_path, ear)
        async with linked(link, ear):
            await link.ask("configure", timeout_s=60, spec=spec(ear.hellos[0]["elements"]))
            await link.ask("record", timeout_s=60, order=order(tmp_path), wait_s=60)
            if fleet is None:
                assert link.pid is not None
                os.kill(link.pid, signal.SIGKILL)
            else:
                fleet[0].die()
            await until(lambda: len(ear.hellos) >= 2, "the next one is there")
            assert ear.hellos[1]["order"] is None
            assert [reason for _, reason in ear.lost] == ["it closed the connection"]
            assert link.spawns == 2


# ------------------------------------------------------------- real processes


async def test_a_worker_that_is_there_is_taken_over_with_its_recording(tmp_path: Path) -> None:
    pytest.importorskip("gi")
    first, second = Ear(), Ear()
    before = make_link(tmp_path, first)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(before.run)
        await until(lambda: first.hellos, "a worker is met")
        await before.ask("configure", timeout_s=60, spec=spec(first.hellos[0]["elements"]))
        await before.ask("record", timeout_s=60, order=order(tmp_path), wait_s=60)
        tasks.cancel_scope.cancel()
    after = make_link(tmp_path, second)
    async with linked(after, second):
        assert (after.pid, after.spawns) == (before.pid, 0)
        assert second.hellos[0]["order"]["match_id"] == "m1"
        assert (await after.ask("stop", timeout_s=60, at_ns=time.monotonic_ns(), wait_s=60))[
            "finalized"
        ]


async def test_a_worker_that_hangs_is_killed_and_replaced(tmp_path: Path) -> None:
    pytest.importorskip("gi")
    ear = Ear()
    link = make_link(tmp_path, ear, unresponsive_after_s=5.0)
    async with linked(link, ear):
        hung = link.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(Blocked) as caught:
            await link.ask("hello", timeout_s=0.1)
        assert caught.value.code == "worker_silent"
        await until(lambda: len(ear.hellos) >= 2, "the next one is there")
        assert link.pid != hung
        assert "it said nothing for " in ear.lost[0][1]


async def test_a_worker_that_dies_at_once_is_started_with_growing_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    ear = Ear()
    link = make_link(tmp_path, ear)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(link.run)
        await until(lambda: len(ear.lost) >= 5, "five attempts")
        tasks.cancel_scope.cancel()
    times = [at for at, _ in ear.lost]
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[0] >= 0.05
    assert pauses[3] >= 0.4
    assert "it exited with status 1; see" in ear.lost[0][1]
    assert not link.connected
    with pytest.raises(Blocked) as caught:
        await link.ask("hello", timeout_s=60)
    assert caught.value.code == "worker_gone"


async def test_a_worker_that_does_not_get_ready_in_time_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold the place of the worker, which then nobody else could take."""
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nwhile :; do sleep 0.1; done\n")
    hanging.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(hanging))
    monkeypatch.setattr(process, "_START_S", 1.0)
    # The next attempt is not waited for.
    monkeypatch.setattr(process, "_PAUSES", RetryPauses(600, 600, stable_s=600))
    ear = Ear()
    link = make_link(tmp_path, ear)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(link.run)
        await until(lambda: ear.lost, "it is given up")
        tasks.cancel_scope.cancel()
    assert "it was not ready within 1 s and was killed" in ear.lost[0][1]
    await until(lambda: not processes(tmp_path), "it is gone")


# ------------------------------------------------------------- whatever a worker says


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"what?\n", "it sent an invalid message"),
        (b"[1, 2]\n", "it sent an invalid message"),
        (b"x" * (wire.MAX_LINE_BYTES + 10), "it sent a line that is too long"),
    ],
    ids=["not JSON", "not an object", "endless"],
)
async def test_a_worker_that_talks_nonsense_loses_its_connection_and_nothing_else(
    tmp_path: Path, said: bytes, reason: str
) -> None:
    ear = Ear()
    with workers("fake", tmp_path) as fleet:
        assert fleet is not None
        link = make_link(tmp_path, ear)
        async with linked(link, ear):
            fleet[0].tell_bytes(said)
            await until(lambda: len(ear.hellos) == 2, "it is connected again")
            assert reason in ear.lost[0][1]
            assert link.spawns == 1  # the same worker


async def test_requests_that_wait_are_told_when_the_worker_dies(tmp_path: Path) -> None:
    ear = Ear()
    with workers("fake", tmp_path) as fleet:
        assert fleet is not None
        link = make_link(tmp_path, ear)
        async with linked(link, ear):
            fleet[0].on_record = "dies"
            with pytest.raises(Blocked) as caught:
                await link.ask("record", timeout_s=60, order=order(tmp_path), wait_s=60)
            assert caught.value.code == "worker_gone"
            await until(lambda: len(ear.hellos) >= 2, "the next one is there")


async def test_a_process_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    ear = Ear()
    with workers("fake", tmp_path) as fleet:
        assert fleet is not None
        fleet.refuses_to_spawn = True
        link = make_link(tmp_path, ear)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(link.run)
            await until(lambda: len(ear.lost) == 2, "two attempts")
            assert ear.lost[0][1] == "no more processes"
            fleet.refuses_to_spawn = False
            await until(lambda: ear.hellos, "it is there")
            await link.quit()


async def test_a_runtime_directory_that_was_removed_is_created_again(tmp_path: Path) -> None:
    """As by a program that cleans up temporary files."""
    pytest.importorskip("gi")
    ear = Ear()
    link = make_link(tmp_path, ear)
    async with linked(link, ear):
        shutil.rmtree(tmp_path / "run")
        assert link.pid is not None
        os.kill(link.pid, signal.SIGKILL)
        await until(lambda: len(ear.hellos) == 2, "the next one is there")
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


async def test_a_worker_that_leaves_as_told_is_not_replaced(tmp_path: Path) -> None:
    ear = Ear()
    with workers("fake", tmp_path) as fleet:
        assert fleet is not None
        link = make_link(tmp_path, ear)
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(link.run)
                await until(lambda: ear.hellos, "a worker is met")
                await link.quit()  # and `run` ends by itself
        assert (link.spawns, ear.lost) == (1, [])
