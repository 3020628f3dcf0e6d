from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from touchline.capture.encoding.encoding import Encoding
from touchline.capture.sources.libcamera import LibcameraSource
from touchline.capture.sources.source import BaseSource, PipelineContext
from touchline.ipc.wire import PipelineSpec

pytestmark = pytest.mark.anyio


def test_a_camera_is_called_by_its_name_or_its_number() -> None:
    assert LibcameraSource(kind="libcamera").label(3) == "cam3"
    assert LibcameraSource(kind="libcamera", name="  Main stand ").label(3) == "Main stand"


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "\x7f", "x" * 65])
def test_a_name_can_be_printed_on_a_line(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        LibcameraSource(kind="libcamera", name=name)


async def test_a_kind_that_says_nothing_else_needs_no_files_and_has_no_finding(
    tmp_path: Path,
) -> None:
    source = LibcameraSource(kind="libcamera")
    await source.prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert source.finding(0, required=True) is None


def test_a_kind_without_a_pipeline_is_none() -> None:
    class Unfinished(BaseSource):
        """A kind that somebody has begun to write."""

    with pytest.raises(TypeError, match="pipeline"):
        Unfinished()  # type: ignore[abstract]


def test_what_a_pipeline_depends_on_is_complete_without_files() -> None:
    context = PipelineContext(2, Encoding("x264enc", "fast", None))
    spec = LibcameraSource(kind="libcamera").pipeline(PipelineSpec("libcamera", ()), context)
    assert context.folder is None
    assert [each.factory for each in spec.source] == ["libcamerasrc", "capsfilter"]
