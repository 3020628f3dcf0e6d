"""What the watch over a recording writes to the log, for those who look for it there."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.recorders import studio, until
from support.runningmatches import match
from touchline.capture.library.verification.probe import Probe
from touchline.capture.logs.diagnostics import PROBE_PHRASE
from touchline.capture.recording import monitor
from touchline.capture.recording.monitor import RecordingMonitor
from touchline.capture.settings.tree import CaptureSettings


class Due:
    """A watch that wants the newest segment of camera 0 probed at every look."""

    segment = "cam0_20260211_220241_00.mp4"

    def due_for_probe(self, _now_s: float, _recording: Any) -> list[Any]:
        return [SimpleNamespace(camera_id=0, segment_name=self.segment)]


@pytest.mark.anyio
async def test_a_segment_that_a_probe_refuses_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = [Probe(checked=True, ok=False, error="moov atom not found")] * 3

    async def probe(_path: Path) -> Probe:
        return answers.pop(0)

    recorded = match()
    recorded.begin()
    context: Any = SimpleNamespace(
        settings=CaptureSettings(),
        current=SimpleNamespace(running=SimpleNamespace(match=recorded)),
        prober=SimpleNamespace(probe=probe),
    )
    it, due = RecordingMonitor(context), Due()
    it.watch = due  # type: ignore[assignment]
    await it.probe_once()
    await it.probe_once()
    due.segment = "cam0_20260211_220241_01.mp4"
    await it.probe_once()
    assert [record.getMessage() for record in caplog.records] == [
        f"{PROBE_PHRASE} for cam0: cam0_20260211_220241_0{n}.mp4: moov atom not found"
        for n in (0, 1)
    ]
    assert recorded.tracks[0].probe == {
        "checked": True,
        "ok": False,
        "error": "moov atom not found",
        "cached": False,
    }


@pytest.mark.anyio
async def test_a_folder_that_went_away_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "FOLDER_EVERY_S", 0.02)
    async with studio(tmp_path) as it:
        await it.start()
        folder = it.root / "m1" / "segments"
        folder.rename(it.root / "m1" / "elsewhere")
        said = "Segments directory does not exist"
        await until(lambda: it.recorder.health()["message"] == said, "it is told")
        (it.root / "m1" / "elsewhere").rename(folder)
        await until(lambda: it.recorder.health()["message"] != said, "it is there again")
