"""GStreamer."""

from __future__ import annotations

import gi
import pytest

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    Gst.init(None)
