import time

import anyio
import pytest

from touchline.core import looplag
from touchline.core.looplag import open_loop_watch
from touchline.core.metrics import Metrics


def counted(metrics: Metrics, name: str) -> float:
    text = metrics.render().decode()
    [line] = [line for line in text.splitlines() if line.startswith(name)]
    return float(line.split()[-1])


@pytest.mark.anyio
async def test_what_blocks_the_loop_is_measured_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(looplag, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(looplag, "TELL_FROM_S", 0.1)
    metrics = Metrics()
    name = "touchline_event_loop_lag_seconds"
    with anyio.fail_after(10):
        async with open_loop_watch(metrics):
            while counted(metrics, f"{name}_count") == 0:  # it has looked, and looks again
                await anyio.sleep(0.005)
            before = counted(metrics, f"{name}_count")
            time.sleep(0.3)  # noqa: ASYNC251  (this is the fault to be seen)
            while counted(metrics, f"{name}_count") == before:
                await anyio.sleep(0.005)
            assert counted(metrics, f"{name}_sum") > 0.2
    assert "The event loop was blocked for 0." in caplog.text
