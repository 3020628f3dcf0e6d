"""What the server and a camera worker say to each other: one JSON object a line over a Unix socket.

Pure standard library, because both programs import it. A request carries `id` and `do`; its reply
carries the same number as `re` and either `ok: true` or `ok: false` with `code` and `message`.
Lines with `event` come from the worker unasked. Unknown keys are ignored, so that a server can
talk to a worker that an older or newer server has left behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

PROTOCOL = 1
"""Raised when a message changes its meaning; `hello`, `stop` and `quit` never do."""

MAX_LINE_BYTES = 1 << 20

PROBED_ELEMENTS = (
    "avdec_h264",
    "h264timestamper",
    "libcamerasrc",
    "nvarguscamerasrc",
    "nvh264enc",
    "nvv4l2h264enc",
    "nvvidconv",
    "openh264enc",
    "qsvh264enc",
    "rtspsrc",
    "v4l2h264enc",
    "v4l2src",
    "vah264enc",
    "vaapih264enc",
    "x264enc",
)
"""GStreamer elements whose presence decides how a pipeline is built; named in the `hello` reply."""

Value = bool | int | float | str


@dataclass(frozen=True)
class Element:
    """A GStreamer element by factory name, and the properties to set on it."""

    factory: str
    properties: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """What the simulated camera draws: its name, size in pixels and rate in frames a second."""

    name: str
    width: int
    height: int
    fps_numerator: int
    fps_denominator: int = 1


@dataclass(frozen=True)
class PipelineSpec:
    """How to get H.264 out of one camera. The worker adds the parser and the sink itself.

    `source` is linked in order. With `picture` the worker feeds drawn frames into it. With `demux`
    a decodebin follows it and the first video stream is used: H.264 is copied unless
    `force_encode`, anything else is decoded and goes through `encode`. With `delivers_h264` the
    source itself ends in H.264. `loop` starts a file again when it ends. `keep_running` keeps the
    pipeline playing while nobody records. A camera without a frame for `stall_after_s` has stalled;
    one without a first frame for `start_timeout_s` has failed to start.
    """

    kind: str
    source: tuple[Element, ...]
    encode: tuple[Element, ...] = ()
    picture: Picture | None = None
    demux: bool = False
    delivers_h264: bool = False
    force_encode: bool = False
    loop: bool = False
    keep_running: bool = False
    stall_after_s: float = 0.8
    start_timeout_s: float = 10.0
    retry_pause_max_s: float = 0.5
    retry_limit: int | None = None


@dataclass(frozen=True)
class RecordOrder:
    """Record the camera into `directory` as `prefix_label_NN.mp4`, from `first_index` on.

    `unix_minus_monotonic_ns` is the match clock: added to a frame's CLOCK_MONOTONIC time it gives
    Unix time, the same for all cameras of the match. Frames captured before `start_monotonic_ns`
    are left out where the source lets us choose.
    """

    match_id: str
    directory: str
    prefix: str
    label: str
    first_index: int
    unix_minus_monotonic_ns: int
    start_monotonic_ns: int
    segment_s: float
    fragment_s: float
    min_free_bytes: int
    backlog_bytes: int
    max_match_s: float


T = TypeVar("T")


def encode(message: Mapping[str, Any]) -> bytes:
    """One line, newline included."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The message of a line. Raises ValueError when it is not a JSON object."""
    message = json.loads(line)
    if not isinstance(message, dict):
        msg = "a wire message is a JSON object"
        raise ValueError(msg)  # noqa: TRY004  (one error for every bad line)
    return message


def spec_to_json(spec: PipelineSpec) -> dict[str, Any]:
    """The specification as plain JSON values: equal to what arrives at the other end."""
    return {
        **asdict(spec),
        "source": [_element_to_json(e) for e in spec.source],
        "encode": [_element_to_json(e) for e in spec.encode],
    }


def spec_from_json(data: Mapping[str, Any]) -> PipelineSpec:
    """The specification that `spec_to_json` made. Raises KeyError or TypeError for others."""
    known = _known(PipelineSpec, data)
    known["source"] = tuple(Element(**_known(Element, e)) for e in known["source"])
    known["encode"] = tuple(Element(**_known(Element, e)) for e in known.get("encode", ()))
    if known.get("picture"):
        known["picture"] = Picture(**_known(Picture, known["picture"]))
    return PipelineSpec(**known)


def order_to_json(order: RecordOrder) -> dict[str, Any]:
    """The order as plain JSON values."""
    return asdict(order)


def order_from_json(data: Mapping[str, Any]) -> RecordOrder:
    """The order that `order_to_json` made. Raises TypeError for anything else."""
    return RecordOrder(**_known(RecordOrder, data))


def _element_to_json(element: Element) -> dict[str, Any]:
    return {"factory": element.factory, "properties": dict(element.properties)}


def _known(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(kind)}
    return {key: value for key, value in data.items() if key in names}
