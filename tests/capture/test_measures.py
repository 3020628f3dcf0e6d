"""What Prometheus is told of the cameras."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio import studio, until
from touchline.capture.measures import CameraMeasures
from touchline.core.metrics import Metrics

pytestmark = pytest.mark.anyio


async def test_a_camera_is_measured_while_it_runs_and_is_nought_when_it_is_lost(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        metrics = Metrics()
        measures = CameraMeasures(metrics, it.desk.cameras)

        def value(name: str) -> float | None:
            return metrics.registry.get_sample_value(f"touchline_camera_{name}", {"camera": "cam0"})

        await it.start()
        await until(lambda: it.desk.cameras[0].state == "running", "it runs")
        await measures.once()
        assert value("running") == 1
        assert value("frames_per_second") == 25
        assert value("bits_per_second") == 8_000_000
        assert value("worker_starts") == 1
        it.fleet[0].lose()
        await until(lambda: it.desk.cameras[0].state == "error", "it is lost")
        await measures.once()
        assert value("running") == 0
        assert value("frames_per_second") == 0
