from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from touchline.capture.encoding.encoders import ENCODERS
from touchline.capture.sources.argus import ArgusSource
from touchline.capture.sources.file import FileSource
from touchline.capture.sources.kinds import KINDS, PROBED_ELEMENTS, Source
from touchline.capture.sources.libcamera import LibcameraSource
from touchline.capture.sources.rtsp import RtspSource
from touchline.capture.sources.simulated import TestSource
from touchline.capture.sources.v4l2 import V4l2Source
from touchline.ipc import wire

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)

LEAST: dict[str, tuple[type, dict[str, Any]]] = {
    "test": (TestSource, {}),
    "file": (FileSource, {"path": "/srv/match.mp4"}),
    "rtsp": (RtspSource, {"url": "rtsp://10.0.0.1/stream"}),
    "v4l2": (V4l2Source, {"device": "/dev/video0"}),
    "libcamera": (LibcameraSource, {}),
    "argus": (ArgusSource, {}),
}


def test_every_kind_is_listed_and_tested() -> None:
    assert set(KINDS) == {expected for expected, _ in LEAST.values()}


def test_elements_of_encoders_and_kinds_are_looked_for() -> None:
    """Workers of 0.1.0 look for a fixed list, which has all that its kinds and encoders need."""
    needed = {name for kind in KINDS for name in kind.elements} | set(ENCODERS)
    assert needed <= set(PROBED_ELEMENTS) <= set(wire.PROBED_ELEMENTS)


def rtsp(**fields: Any) -> RtspSource:
    return RtspSource.model_validate({"kind": "rtsp", **fields})


@pytest.mark.parametrize("kind", LEAST)
def test_each_kind_is_chosen_by_its_name(kind: str) -> None:
    expected, fields = LEAST[kind]
    source = SOURCE.validate_python({"kind": kind, **fields})
    assert type(source) is expected
    assert source.label(3) == "cam3"
    assert not source.crop


@pytest.mark.parametrize("kind", LEAST)
def test_an_unknown_key_is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        SOURCE.validate_python({"kind": kind, **LEAST[kind][1], "colour": "red"})


def test_an_unknown_kind_is_refused_with_the_kinds_there_are() -> None:
    with pytest.raises(ValidationError, match="'test', 'file', 'rtsp', 'v4l2'"):
        SOURCE.validate_python({"kind": "webcam"})


@pytest.mark.parametrize(
    ("given_fps", "exact"),
    [
        (30, Fraction(30)),
        ("25", Fraction(25)),
        (29.97, Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        (23.976, Fraction(24000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_a_rate_becomes_the_exact_fraction_that_cameras_use(
    given_fps: Any, exact: Fraction
) -> None:
    assert TestSource.model_validate({"kind": "test", "fps": given_fps}).fps == exact


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "test", "fps": 0},
        {"kind": "test", "fps": 1000},
        {"kind": "test", "width": 641},
        {"kind": "test", "height": 20},
        {"kind": "test", "name": ""},
        {"kind": "test", "name": "a\nb"},
        {"kind": "test", "quality": "best"},
        {"kind": "test", "crop": {"left": -2}},
        {"kind": "file", "path": "match.mp4"},
        {"kind": "file", "path": "/srv/match\0.mp4"},
        {"kind": "file"},
        {"kind": "v4l2", "device": "/etc/passwd"},
        {"kind": "v4l2", "device": "/dev/video0 ! filesink"},
        {"kind": "v4l2", "device": "/dev/video0", "format": "yuv"},
        {"kind": "argus", "exposure_compensation": 2.1},
        {"kind": "rtsp", "url": "rtsp://h/", "transport": "http"},
        {"kind": "rtsp", "url": "rtsp://h/", "latency_ms": -1},
        {"kind": "rtsp", "url": "rtsp://h/", "user": ""},
        {"kind": "rtsp", "url": "rtsp://h/", "password": "a\0b"},
    ],
)
def test_a_bad_value_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SOURCE.validate_python(fields)


def test_a_source_survives_being_written_down() -> None:
    source = V4l2Source(kind="v4l2", device="/dev/v4l/by-id/usb-Cam_1:0", fps=Fraction(30000, 1001))
    assert SOURCE.validate_json(source.model_dump_json()) == source
