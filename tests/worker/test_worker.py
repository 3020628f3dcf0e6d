"""The worker as the server meets it: requests over its socket, and their reports."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from support.segments import order
from support.workerprocess import FPS, SPEC, eventually, working
from touchline.ipc import wire
from touchline.ipc.wire import Element
from touchline.media.mp4 import scan as mp4scan


def test_a_worker_says_who_it_is_and_what_this_machine_has(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        hello = worker.connect().ask("hello")
        assert hello["ok"]
        assert hello["protocol"] == wire.PROTOCOL
        assert (hello["name"], hello["pid"]) == ("cam0", worker.process.pid)
        assert "x264enc" in hello["elements"]
        assert set(hello["elements"]) <= set(wire.PROBED_ELEMENTS)
        asked = worker.connect().ask("hello", elements=["videotestsrc", "no-such-element"])
        assert asked["elements"] == ["videotestsrc"]
        refused = worker.connect().ask("hello", elements="videotestsrc")
        assert (refused["ok"], refused["code"]) == (False, "bad_request")
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


def test_a_server_that_reads_nothing_does_not_stop_the_recording(tmp_path: Path) -> None:
    with working(tmp_path) as worker:
        deaf, client = worker.configured(), worker.connect()
        deaf.send_raw(b"".join(wire.encode({"id": n, "do": "hello"}) for n in range(2000)))
        client.record(worker.folder)
        frames = worker.frames_on_disk()
        eventually(lambda: worker.frames_on_disk() > frames + 10, "footage")
        assert json.dumps(client.ask("status"))
        assert client.stop()["finalized"]
