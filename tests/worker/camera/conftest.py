"""GStreamer, and pipelines that stand in for its own."""

from __future__ import annotations

import gi
import pytest

from support.cameraruns import Bench, FakePipeline
from touchline.worker.camera import runner

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    Gst.init(None)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> type[Bench]:
    Bench.made, Bench.built = [], []
    Bench.plan = staticmethod(lambda _pipeline: None)
    Bench.stop = staticmethod(lambda _pipeline: None)
    monkeypatch.setattr(runner, "Pipeline", FakePipeline)
    return Bench
