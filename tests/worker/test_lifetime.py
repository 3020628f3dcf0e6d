"""A worker from its start to its end: its server goes, signals come, another takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import touchline
from support.footage import assert_kept
from support.workerprocess import FPS, eventually, working
from touchline.media.mp4 import scan as mp4scan

EXIT_TAKEN, EXIT_WEDGED = 75, 70


def test_a_second_worker_for_the_same_camera_leaves_at_once(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.connect()
        with working(tmp_path) as second:
            assert second.exit_status() == EXIT_TAKEN
        assert client.ask("hello")["pid"] == worker.process.pid
        assert worker.connect().ask("hello")["pid"] == worker.process.pid


def test_a_runtime_directory_may_have_a_long_name(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 120) / ("e" * 120)
    directory.mkdir(parents=True)
    with working(directory) as worker:
        assert worker.connect().ask("hello")["ok"]


def test_the_recording_goes_on_without_the_server_and_is_found_by_the_next(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        first = worker.configured()
        started = first.record(worker.folder)
        first.close()
        worker.clients.clear()
        frames = worker.frames_on_disk()
        eventually(lambda: worker.frames_on_disk() > frames + 10, "footage without a server")
        second = worker.connect()
        hello = second.ask("hello")
        assert hello["order"]["match_id"] == "m1"
        assert hello["report"]["segments"][0]["name"] == started["segment"]["name"]
        report = second.stop()
        assert report["finalized"]
        worker.assert_complete(report)


def test_an_idle_worker_leaves_when_it_is_alone(tmp_path: Path) -> None:
    with working(tmp_path, "--idle-leave-s", "0.2") as worker:
        client = worker.connect()
        for _ in range(3):
            client.next_status()
        assert worker.process.poll() is None, "not while somebody is there"
        client.close()
        worker.clients.clear()
        assert worker.exit_status() == 0


def test_a_recording_that_nobody_adopts_ends_at_the_longest_match(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.configured()
        client.record(worker.folder, max_match_s=1.0)
        client.close()
        worker.clients.clear()
        assert worker.exit_status() == 0
        (segment,) = worker.segments()
        assert mp4scan.scan(segment, checksums=True).finalized


def test_sigterm_finishes_the_recording_first(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.configured()
        client.record(worker.folder)
        eventually(lambda: worker.frames_on_disk() > 10, "footage")
        before = worker.on_disk(client)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.exit_status() == 0
        (segment,) = worker.segments()
        assert mp4scan.scan(segment, checksums=True).finalized
        assert_kept(segment, before)


def test_quit_is_answered_and_then_obeyed(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        assert worker.configured().ask("quit")["ok"]
        assert worker.exit_status() == 0


def test_ctrl_c_is_the_servers_business(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.configured()
        client.record(worker.folder)
        worker.process.send_signal(signal.SIGINT)
        frames = worker.frames_on_disk()
        eventually(lambda: worker.frames_on_disk() > frames + 5, "footage after Ctrl-C")
        assert client.stop()["finalized"]


def test_kill_9_costs_nothing_that_was_on_the_disk(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.configured()
        client.record(worker.folder)
        eventually(lambda: worker.frames_on_disk() > 2 * FPS, "footage")
        before = worker.on_disk(client)
        worker.process.kill()
        worker.exit_status()
        (segment,) = worker.segments()
        mp4scan.salvage(segment)
        scan = mp4scan.scan(segment, checksums=True)
        assert (scan.finalized, scan.faults) == (True, ())
        assert len(assert_kept(segment, before)) == scan.frames


def test_a_new_worker_takes_over_from_a_killed_one(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        worker.connect()
        worker.process.kill()
        worker.exit_status()
        with working(tmp_path) as second:
            eventually((tmp_path / "cam0.sock").exists, "a socket")
            assert second.connect().ask("hello")["pid"] == second.process.pid


def test_a_worker_whose_pipeline_hangs_ends_so_that_a_new_one_can_take_over(
    tmp_path: Path,
) -> None:
    hangs = (
        "import sys, time\n"
        "from touchline.worker import __main__ as worker\n"
        "from touchline.worker.camera import runner\n"
        "runner._TEARDOWN_S = 0.2\n"
        "runner.Pipeline.stop = lambda pipeline: time.sleep(1000)\n"
        "sys.exit(worker.main())\n"
    )
    with working(tmp_path, program=hangs) as worker:
        client = worker.configured()
        client.record(worker.folder)
        assert client.stop()["finalized"]
        assert worker.exit_status() == EXIT_WEDGED
        assert "did not stop within" in worker.log()


@pytest.mark.parametrize("option", ["--directory", "--name"])
def test_what_a_worker_needs_to_know_must_be_said(tmp_path: Path, option: str) -> None:
    given = {"--directory": str(tmp_path), "--name": "cam0"}
    del given[option]
    command = [sys.executable, "-m", "touchline.worker"]
    command += [word for pair in given.items() for word in pair]
    environment = {**os.environ, "PYTHONPATH": str(Path(touchline.__file__).parents[1])}
    ended = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert ended.returncode == 2
    assert option.encode() in ended.stderr
