"""The worker as the server meets it: a process, a socket and signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import touchline
from support.footage import assert_kept, missing, rising
from support.segments import order
from touchline.ipc import wire
from touchline.ipc.wire import Element, Picture, PipelineSpec
from touchline.media.mp4 import scan as mp4scan

DEADLINE_S = 60.0
FPS = 25
SPEC = PipelineSpec(
    kind="test",
    source=(),
    encode=(
        Element(
            "x264enc", {"speed-preset": "ultrafast", "tune": "zerolatency", "key-int-max": FPS}
        ),
    ),
    picture=Picture("Test", 320, 180, FPS),
)
EXIT_TAKEN, EXIT_WEDGED = 75, 70


def eventually(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.01)


class Client:
    """A server's end of the socket."""

    def __init__(self, directory: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(DEADLINE_S)
        fd = os.open(directory, os.O_PATH)
        try:
            self._socket.connect(f"/proc/self/fd/{fd}/cam0.sock")
        finally:
            os.close(fd)
        self._lines = self._socket.makefile("rb")
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def send(self, do: str, **fields: Any) -> int:
        self._number += 1
        self._socket.sendall(wire.encode({"id": self._number, "do": do, **fields}))
        return self._number

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def message(self) -> dict[str, Any]:
        line = self._lines.readline()
        assert line, "the worker closed the connection"
        return wire.decode(line)

    def reply(self, number: int | None) -> dict[str, Any]:
        while True:
            message = self.message()
            if "event" in message:
                self.events.append(message)
            elif message["re"] == number:
                return message

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        return self.reply(self.send(do, **fields))

    def next_status(self) -> dict[str, Any]:
        while True:
            message = self.message()
            if message.get("event") == "status":
                return message

    def record(self, folder: Path, **changed: object) -> dict[str, Any]:
        start_ns = time.monotonic_ns()
        unix_ns = time.time_ns() - start_ns
        told = order(
            folder, start_monotonic_ns=start_ns, unix_minus_monotonic_ns=unix_ns, **changed
        )
        return self.ask("record", order=wire.order_to_json(told))

    def stop(self) -> dict[str, Any]:
        return self.ask("stop", at_ns=time.monotonic_ns())

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class Worker:
    """A worker process whose runtime directory is `directory`."""

    def __init__(self, directory: Path, *options: str, program: str | None = None) -> None:
        self.directory = directory
        self.folder = directory / "segments"
        self.folder.mkdir(exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(Path(touchline.__file__).parents[1])}
        run = ["-c", program] if program else ["-m", "touchline.worker"]
        self._log = (directory / "worker.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, *run, "--directory", str(directory), "--name", "cam0", *options],
            stdout=self._log,
            stderr=self._log,
            env=environment,
            start_new_session=True,
        )
        self.clients: list[Client] = []

    def connect(self) -> Client:
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                client = Client(self.directory)
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < deadline, self.log()
                assert self.process.poll() is None, self.log()
                time.sleep(0.01)
            else:
                self.clients.append(client)
                return client

    def configured(self) -> Client:
        client = self.connect()
        assert client.ask("configure", spec=wire.spec_to_json(SPEC))["ok"]
        return client

    def log(self) -> str:
        return (self.directory / "worker.log").read_text()

    def exit_status(self) -> int:
        return self.process.wait(DEADLINE_S)

    def segments(self) -> list[Path]:
        return sorted(self.folder.glob("*.mp4"))

    def frames_on_disk(self) -> int:
        return sum(mp4scan.scan(p, checksums=False).frames for p in self.segments())

    def on_disk(self, client: Client) -> tuple[int, int]:
        """Return how many frames are on the disk, and how many the camera had left out by then."""
        frames = self.frames_on_disk()
        return frames, client.ask("status")["camera"]["dropped"]["source"]

    def assert_complete(self, report: dict[str, Any]) -> None:
        """The files hold the frames of the report and lack only what the camera never sent."""
        found = rising(*self.segments())
        assert len(found) == report["frames"]
        assert missing(found) <= report["camera"]["dropped"]["source"]

    def close(self) -> None:
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE_S)
        self._log.close()


@contextmanager
def working(directory: Path, *options: str, program: str | None = None) -> Iterator[Worker]:
    worker = Worker(directory, *options, program=program)
    try:
        yield worker
    finally:
        worker.close()


# ------------------------------------------------------------------- requests


def test_a_worker_says_who_it_is_and_what_this_machine_has(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        hello = worker.connect().ask("hello")
        assert hello["ok"]
        assert hello["protocol"] == wire.PROTOCOL
        assert (hello["name"], hello["pid"]) == ("cam0", worker.process.pid)
        assert "x264enc" in hello["elements"]
        assert set(hello["elements"]) <= set(wire.PROBED_ELEMENTS)
        assert (hello["spec"], hello["order"], hello["report"]) == (None, None, None)


def test_a_recording_from_order_to_report(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.configured()
        before_ns = time.time_ns()
        started = client.record(worker.folder)
        assert started["started"], started
        assert worker.segments()[0].name == started["segment"]["name"]
        assert before_ns <= started["segment"]["start_unix_ns"] <= time.time_ns()
        eventually(lambda: worker.frames_on_disk() >= 40, "footage")
        hello = client.ask("hello")
        assert hello["spec"] == wire.spec_to_json(SPEC)
        assert hello["order"]["match_id"] == "m1"
        assert hello["report"]["segments"][0]["name"] == started["segment"]["name"]
        stop_ns = time.time_ns()
        report = client.stop()
        assert report["ok"]
        assert (report["finalized"], report["eos_received"]) == (True, True)
        assert (report["timed_out"], report["error"], report["gaps"]) == (False, None, [])
        (segment,) = report["segments"]
        assert abs(segment["end_unix_ns"] - stop_ns) < 3e9 / FPS, "to the frame"
        worker.assert_complete(report)
        scan = mp4scan.scan(worker.segments()[0], checksums=True)
        assert (scan.finalized, scan.faults) == (True, ())
        changes = [e["change"] for e in client.events if e["event"] == "segment"]
        assert changes == ["opened", "closed"]


def test_a_worker_records_again_and_again(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.configured()
        for n in range(3):
            started = client.record(worker.folder)
            assert started["started"], started
            assert started["segment"]["name"].endswith(f"_0{n}.mp4"), "no name is used twice"
            eventually(lambda: len(worker.segments()) == n + 1, "a segment")  # noqa: B023
            assert client.stop()["finalized"]


def test_the_status_comes_unasked(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.configured()
        client.record(worker.folder)
        for _ in range(5):
            status = client.next_status()
        assert status["camera"]["state"] == "running"
        assert status["recording"]["match_id"] == "m1"
        assert status["recording"]["disk"] == "ok"


def test_requests_that_make_no_sense_get_an_answer_and_cost_nothing(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.connect()
        assert client.ask("dance")["code"] == "unknown_request"
        assert client.ask("record", order={"match_id": "m1"})["code"] == "bad_request"
        assert client.ask("record")["code"] == "bad_request"
        assert client.ask("configure", spec=[])["code"] == "bad_request"
        assert client.ask("stop", at_ns="soon")["code"] == "bad_request"
        assert client.ask("stop", at_ns=1)["code"] == "not_recording"
        assert client.record(worker.folder)["code"] == "not_configured"
        for line in (b"{bad json\n", b"[1,2]\n", b"\xff\xfe\n", b"\n"):
            client.send_raw(line)
            assert client.reply(None)["code"] == "bad_request"
        assert client.ask("hello")["ok"]


def test_a_line_without_end_costs_only_its_own_connection(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client, other = worker.connect(), worker.connect()
        with suppress(BrokenPipeError, ConnectionResetError):
            client.send_raw(b"x" * (wire.MAX_LINE_BYTES * 3))
        assert other.ask("hello")["ok"]


def test_while_it_records_a_camera_is_neither_changed_nor_started_twice(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.configured()
        assert client.record(worker.folder)["started"]
        other = wire.spec_to_json(replace(SPEC, kind="other"))
        assert client.ask("configure", spec=other)["code"] == "recording"
        assert client.ask("configure", spec=wire.spec_to_json(SPEC))["ok"], "nothing changes"
        assert client.record(worker.folder)["code"] == "recording"
        assert client.stop()["finalized"]


def test_two_stops_at_once_get_the_same_answer(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        first, second = worker.configured(), worker.connect()
        first.record(worker.folder)
        eventually(lambda: worker.frames_on_disk() > 5, "footage")
        at_ns = time.monotonic_ns() + 200_000_000  # so that both are there before it ends
        one, two = first.send("stop", at_ns=at_ns), second.send("stop", at_ns=at_ns)
        answers = [first.reply(one), second.reply(two)]
        for answer in answers:
            del answer["re"]
        assert answers[0] == answers[1]
        assert answers[0]["finalized"]
        assert first.stop()["code"] == "not_recording"


def test_a_camera_that_cannot_start_says_why(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.connect()
        broken = replace(SPEC, picture=None, source=(Element("nonsensesrc"),))
        client.ask("configure", spec=wire.spec_to_json(broken))
        told = order(worker.folder, start_monotonic_ns=time.monotonic_ns())
        answer = client.ask("record", order=wire.order_to_json(told), wait_s=0.5)
        assert answer["ok"]
        assert not answer["started"]
        assert "nonsensesrc is not installed" in answer["error"]
        report = client.stop()
        assert report["error"] == "no footage was written"
        assert worker.segments() == []


def test_a_folder_that_is_not_there_is_the_reason_given(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        client = worker.configured()
        told = order(worker.folder / "away", start_monotonic_ns=time.monotonic_ns())
        answer = client.ask("record", order=wire.order_to_json(told), wait_s=1)
        assert not answer["started"]
        assert "No such file or directory" in answer["error"]


# ------------------------------------------------------------------ its life


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
        "from touchline.worker.pipeline import camera\n"
        "camera._TEARDOWN_S = 0.2\n"
        "camera.Pipeline.stop = lambda pipeline: time.sleep(1000)\n"
        "sys.exit(worker.main())\n"
    )
    with working(tmp_path, program=hangs) as worker:
        client = worker.configured()
        client.record(worker.folder)
        assert client.stop()["finalized"]
        assert worker.exit_status() == EXIT_WEDGED
        assert "did not stop within" in worker.log()


def test_a_server_that_reads_nothing_does_not_stop_the_recording(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        deaf, client = worker.configured(), worker.connect()
        deaf.send_raw(b"".join(wire.encode({"id": n, "do": "hello"}) for n in range(2000)))
        client.record(worker.folder)
        frames = worker.frames_on_disk()
        eventually(lambda: worker.frames_on_disk() > frames + 10, "footage")
        assert json.dumps(client.ask("status"))
        assert client.stop()["finalized"]


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
