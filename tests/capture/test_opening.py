"""The capture half, opened whole and without cameras."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from support.fakeengines import MemoryEvents
from support.recorders import until
from touchline.capture.front import Capture
from touchline.capture.host.machine import MachineSampler
from touchline.capture.opening import open_capture
from touchline.capture.settings.tree import CaptureSettings
from touchline.core.descriptors import SpareDescriptors
from touchline.core.metrics import Metrics

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def opened(folder: Path, events: MemoryEvents) -> AsyncIterator[Capture]:
    async with open_capture(
        CaptureSettings(),
        data_dir=folder,
        log_dir=folder / "logs",
        events=cast("Any", events),
        metrics=Metrics(),
        spare=SpareDescriptors(),
    ) as capture:
        yield capture


async def test_a_background_task_that_fails_is_an_alert_and_so_is_its_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, broken = MachineSampler.once, True

    async def once(self: MachineSampler) -> None:
        if broken:
            raise ValueError("no such sensor")
        await good(self)

    monkeypatch.setattr(MachineSampler, "once", once)
    events = MemoryEvents()

    def sent(kind: str) -> list[Any]:
        return events.of(f"background_task_{kind}", "alert")

    async with opened(tmp_path, events) as capture:
        await until(lambda: sent("failed"), "the failure is an alert")
        assert [reason["code"] for reason in capture.reasons()] == ["task_failing"]
        assert not sent("recovered")
        assert not capture.recorder.status()["recording"]
        broken = False
        await until(lambda: sent("recovered"), "the recovery is an alert")
        assert capture.reasons() == []
    lines = [json.loads(line) for line in (tmp_path / "logs/alerts.log").read_text().splitlines()]
    told = {line["event_type"]: line for line in lines}
    failed, recovered = told["background_task_failed"], told["background_task_recovered"]
    assert (failed["severity"], recovered["severity"]) == ("error", "warning")
    assert "ValueError: no such sensor" in failed["message"]
    assert failed["details"]["task"] == recovered["details"]["task"] == "machine"
