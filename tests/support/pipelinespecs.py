"""Pipelines as they are specified for a configured camera, and the parts that most have."""

from __future__ import annotations

from typing import Any

from touchline.capture.cameras.pipelines import build_pipeline
from touchline.capture.encoding.encoders import HARDWARE_ENCODERS
from touchline.capture.encoding.encoding import RAW_QUEUE
from touchline.capture.settings.tree import CaptureSettings
from touchline.capture.sources.kinds import PROBED_ELEMENTS
from touchline.ipc.wire import Element, PipelineSpec, Value

SOFTWARE = frozenset(PROBED_ELEMENTS) - set(HARDWARE_ENCODERS)
JETSON = SOFTWARE | {"nvv4l2h264enc"}

X264_FAST: dict[str, Value] = {
    "speed-preset": "ultrafast",
    "psy-tune": "none",
    "bitrate": 20000,
    "vbv-buf-capacity": 2000,
    "key-int-max": 30,
    "bframes": 0,
    "b-adapt": False,
    "ref": 1,
    "rc-lookahead": 0,
    "qp-min": 18,
    "qp-max": 34,
    "threads": 0,
    "aud": False,
    "byte-stream": False,
    "option-string": "repeat-headers=1:scenecut=0:open-gop=0",
    "sliced-threads": True,
    "sync-lookahead": 0,
    "mb-tree": False,
}
QUEUE = Element(
    "queue",
    {
        "name": RAW_QUEUE,
        "max-size-buffers": 8,
        "max-size-bytes": 0,
        "max-size-time": 0,
        "leaky": "downstream",
    },
)
PATIENT_QUEUE = Element(
    "queue", {name: value for name, value in QUEUE.properties.items() if name != "leaky"}
)
I420 = Element("capsfilter", {"caps": "video/x-raw,format=I420"})
CONVERT = Element("videoconvert")


def build(
    source: dict[str, Any], elements: frozenset[str] = SOFTWARE, camera_id: int = 0, **settings: Any
) -> PipelineSpec:
    """The pipeline of a camera that is configured like this, on a machine with these elements."""
    configured = CaptureSettings.model_validate({"cameras": {camera_id: source}, **settings})
    return build_pipeline(camera_id, configured.cameras[camera_id], configured, elements)


def x264(**changes: Any) -> Element:
    """The software encoder as the fastest preset has it, with changes."""
    return Element("x264enc", {**X264_FAST, **changes})


def factories(elements: tuple[Element, ...]) -> list[str]:
    """The names of elements."""
    return [element.factory for element in elements]
