"""Recordings that start and stop in order are healthy all the while, whoever looks how often."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from support.server import SMALL, Server, serving


class Watcher:
    """Asks for the recording's health without a pause, as long as it is entered."""

    def __init__(self, server: Server) -> None:
        self.asked = 0
        self.unhealthy: list[dict[str, Any]] = []
        self.messages: set[str] = set()
        self._address = server.client.base_url
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        with httpx.Client(base_url=self._address, timeout=60) as client:
            while not self._end.is_set():
                report = client.get("/recording-health").json()
                self.asked += 1
                self.messages.add(report["message"])
                if not report["healthy"]:
                    self.unhealthy.append(report)
                time.sleep(0.002)  # the recorder has the processor first


def red_lines(server: Server) -> list[str]:
    """What the health monitor's log calls an alert."""
    lines = (server.data / "logs" / "health_monitor.log").read_text().splitlines()
    return [line for line in lines if "ALERT" in line]


def record_in_turn(data: Path, times: int) -> None:
    with serving(data, {0: SMALL, 1: SMALL}, protection_s=0) as server, Watcher(server) as watcher:
        for number in range(times):
            server.started(f"m{number}")
            time.sleep(0.1 * (number % 7))  # stopped at each moment of a status's turn
            report = server.stop()
            assert report["success"], report
            assert watcher.unhealthy == [], f"recording {number}"
        assert red_lines(server) == []
        assert server.alerts() == []
        assert {"Recording healthy", "No active recording"} <= watcher.messages
        assert watcher.asked > times


def test_ordinary_starts_and_stops_raise_no_alarm(tmp_path: Path) -> None:
    record_in_turn(tmp_path, 6)


@pytest.mark.slow
def test_a_hundred_ordinary_starts_and_stops_raise_no_alarm(tmp_path: Path) -> None:
    record_in_turn(tmp_path, 100)
