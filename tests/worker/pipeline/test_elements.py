"""Elements that are missing, cannot be linked or do not take a property are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gi
import pytest

from support.pipelineruns import Run, camera, drawn, file_source
from touchline.ipc.wire import Element
from touchline.worker.pipeline.elements import BuildError, available, set_property

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


def test_a_missing_element_is_named() -> None:
    spec = replace(camera(), source=(Element("nonsensesrc"),))
    with pytest.raises(BuildError, match="the GStreamer element nonsensesrc is not installed"):
        Run(spec)


def test_a_missing_encoder_is_named_though_it_is_needed_only_later(tmp_path: Path) -> None:
    path = drawn(tmp_path / "clip.mp4", 1, "-c:v", "mpeg4")
    spec = replace(file_source(path), encode=(Element("nonsenseenc"),))
    run = Run(spec)
    try:
        with pytest.raises(BuildError, match="nonsenseenc is not installed"):
            run.pipeline.start()
    finally:
        run.pipeline.stop()
    assert not run.frames, "and at once"


@pytest.mark.parametrize(
    ("element", "complaint"),
    [
        (Element("videotestsrc", {"colour": 1}), "videotestsrc has no property colour"),
        (Element("videotestsrc", {"pattern": "tartan"}), "does not accept 'tartan' as its pattern"),
        (Element("videotestsrc", {"num-buffers": "many"}), "does not accept 'many'"),
        (Element("videotestsrc", {"num-buffers": 1 << 40}), "does not accept"),
        (Element("capsfilter", {"caps": "!!,,"}), "capsfilter does not accept '!!,,' as its caps"),
    ],
)
def test_a_property_that_cannot_be_set_is_named(element: Element, complaint: str) -> None:
    with pytest.raises(BuildError, match=complaint):
        Run(replace(camera(), source=(element,)))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pattern", "ball", 18),
        ("pattern", "18", 18),
        ("is-live", True, True),
        ("num-buffers", 7, 7),
        ("num-buffers", "7", 7),
    ],
)
def test_properties_are_set_from_plain_values(name: str, text: Any, expected: Any) -> None:
    source = Gst.ElementFactory.make("videotestsrc", None)
    set_property(source, name, text)
    assert source.get_property(name) == expected


def test_flags_are_set_from_their_names() -> None:
    source = Gst.ElementFactory.make("rtspsrc", None)
    set_property(source, "protocols", "udp+tcp")
    assert set(source.get_property("protocols").value_nicks) - {"unknown"} == {"udp", "tcp"}
    with pytest.raises(BuildError, match="carrier pigeon"):
        set_property(source, "protocols", "carrier pigeon")


def test_elements_that_cannot_be_linked_are_named() -> None:
    spec = replace(camera(), source=(Element("fakesink"), Element("identity")))
    with pytest.raises(BuildError, match="cannot link fakesink to identity"):
        Run(spec)


def test_a_camera_without_a_source_is_refused() -> None:
    with pytest.raises(BuildError, match="no source"):
        Run(replace(camera(), source=()))


def test_only_elements_that_are_there_are_called_available() -> None:
    assert available(("x264enc", "nonsenseenc", "videoconvert")) == ["x264enc", "videoconvert"]
