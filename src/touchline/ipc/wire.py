"""Messages between server, workers and live process: JSON lines over Unix sockets.

Standard library only, because all these programs import it. A request carries `id` and `do`; its
reply carries the same number as `re` and either `ok: true` or `ok: false` with `code` and
`message`. Lines with `event` are sent without a request. Unknown keys are ignored, so that a server
can communicate with a worker of an older or newer version.

A worker's feed to the live process is a socket of its own: one line that names the camera, then
encoded frames, each after a header of fixed size. A byte sent back requests a keyframe.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from touchline.media.h264.codec import Codec

PROTOCOL = 1
"""Incremented when a message changes its meaning; `hello`, `stop` and `quit` never change."""

MAX_LINE_BYTES = 1 << 20

WORKER_EVENTS = {
    "status": "state of camera, recording and feed: twice a second and on every change",
    "segment": "a segment was started, finished, or removed because it was empty (`change`)",
    "gap": "an interval without footage, its reason and kind",
    "disk": "state of the disk: one of `disk.STATES`",
    "writer_failed": "the writer failed and is replaced, with the reason",
    "writer_recovered": "footage is written again after a writer failed",
}
"""Events of a worker. The server handles each of them (`capture/recording/follower.py`)."""

GapKind = Literal["camera", "frames", "format", "disk", "writer", "worker", "interruption"]
"""Where the footage of a gap was lost.

`camera`: it was away or sent nothing. `frames`: it went on without sending them. `format`: its
stream changed. `disk`: it took nothing. `writer`: it could not be written. `worker`: the process
of the camera was missing. `interruption`: server and workers were, or the machine was off. The last
two are known to the server only.
"""

LEAST_HOLE_NS = 500_000_000
"""Shortest stretch without a frame, in nanoseconds, that a worker lists as a gap.

A verification tolerates shorter ones only.
"""

LIVE_EVENTS = {
    "status": "streams and sessions: twice a second and on every change",
    "stream": "a camera's stream started or ended",
    "rtsp_viewer": "a viewer of the RTSP server connected or left",
    "rtsp_refused": "an address tries passwords of the RTSP server; once per series",
    "webrtc_state": "the state of a viewer's connection changed",
    "transcode": "a camera's transcode for WebRTC viewers started, runs, failed or ended",
    "lost": "the live process exited; raised by the server's link to it",
}
"""Events of the live process."""

REORDERS = "the camera sends B-frames, which WebRTC players cannot show"
UNJOINABLE = (
    "the camera sends B-frames that others need, which WebRTC players cannot show, and keyframes"
    " that are no IDR pictures, at which HLS players then cannot begin"
)
"""Reasons for transcoding a camera for viewers, worded the same in server and live process."""

PARTS = ("rtsp",)
"""Parts of a specification that workers of 0.1.0 do not know; named in the `hello` reply."""

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
    "v4l2h264enc",
    "v4l2src",
    "vah264enc",
    "vaapih264enc",
    "x264enc",
)
"""GStreamer elements of which the `hello` reply names those present, for a server of 0.1.0.

Later servers name in the request the elements that they need to know about.
"""

Value = bool | int | float | str


@dataclass(frozen=True)
class Element:
    """A GStreamer element by factory name, and the properties to set on it."""

    factory: str
    properties: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class SimulatedPicture:
    """Picture of the simulated camera: its name, size in pixels and frames per second.

    With `side` it is the left or the right camera of a pair that films one match (`pitchplay`),
    drawn onto the empty pitch in the file `scene`.
    """

    name: str
    width: int
    height: int
    fps_numerator: int
    fps_denominator: int = 1
    side: str | None = None
    scene: str | None = None


@dataclass(frozen=True)
class Rtsp:
    """A network camera: its address, credentials and transport.

    UDP packets wait at most `latency_ms` to be put in order. `track` names a video track by its
    number or the end of its control URL; without it the largest is chosen.
    """

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    transport: str = "tcp"
    latency_ms: int = 200
    verify_tls: bool = True
    track: str | int | None = None


@dataclass(frozen=True)
class PipelineSpec:
    """How to get H.264 from one camera. The worker adds the parser and the sink itself.

    `source` is linked in order. With `picture` the worker feeds drawn frames into it. With `rtsp`
    its own client is the source: H.264 is copied unless `force_encode`, anything else is decoded
    and goes through `encode`. With `demux`
    a decodebin follows it and the first video stream is used: H.264 is copied unless
    `force_encode`, anything else is decoded and goes through `encode`. With `delivers_h264` the
    source itself ends in H.264. A `paced` source delivers as fast as it is read, and is read at the
    pace of its timestamps. `loop` starts a file again when it ends. `keep_running` keeps the
    pipeline playing without a recording. A camera without a frame for `stall_after_s` has stalled;
    one without a first frame for `start_timeout_s` has failed to start.
    """

    kind: str
    source: tuple[Element, ...]
    encode: tuple[Element, ...] = ()
    picture: SimulatedPicture | None = None
    rtsp: Rtsp | None = None
    demux: bool = False
    delivers_h264: bool = False
    force_encode: bool = False
    paced: bool = False
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
    are omitted if the source allows it. With `mount_point` no file is created while nothing is
    mounted there: without its disk, the folder would be on the system disk.
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
    mount_point: str = ""  # missing in an order of an earlier server


FEED_HEAD = struct.Struct(">4sBxHIqqQHHI")
KEYFRAME_PLEASE = b"K"
_FEED_MAGIC = b"TLF1"
_KEYFRAME, _BROKEN, _CODEC = 1, 2, 4
_MAX_FRAME_BYTES = 64 << 20


class FeedHead(NamedTuple):
    """Header of a frame in a feed.

    `broken` says that the frame does not continue the one before; `skipped` is the number of frames
    dropped in between. `codec` is present if it has changed; its record follows.
    """

    pts_ns: int
    dts_ns: int
    duration_ns: int
    keyframe: bool
    broken: bool
    skipped: int
    data_bytes: int
    codec: Codec | None


T = TypeVar("T")


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """Create an event. Raises ValueError for a kind that no table lists."""
    if kind not in WORKER_EVENTS and kind not in LIVE_EVENTS:
        raise ValueError(f"unknown event {kind!r}")
    return {"event": kind, **fields}


def encode(message: Mapping[str, Any]) -> bytes:
    """Encode a message as one line, newline included."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Decode the message in a line. Raises ValueError if it is not a JSON object."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a wire message is a JSON object")  # noqa: TRY004  (one error for every bad line)
    return message


def spec_to_json(spec: PipelineSpec) -> dict[str, Any]:
    """Return the specification as plain JSON values, equal to what arrives at the other end."""
    return {
        **asdict(spec),
        "source": [_element_to_json(e) for e in spec.source],
        "encode": [_element_to_json(e) for e in spec.encode],
    }


def spec_from_json(data: Mapping[str, Any]) -> PipelineSpec:
    """Read the output of `spec_to_json`. Raises KeyError or TypeError for anything else."""
    known = _known(PipelineSpec, data)
    known["source"] = tuple(Element(**_known(Element, e)) for e in known["source"])
    known["encode"] = tuple(Element(**_known(Element, e)) for e in known.get("encode", ()))
    if known.get("picture"):
        known["picture"] = SimulatedPicture(**_known(SimulatedPicture, known["picture"]))
    if known.get("rtsp"):
        known["rtsp"] = Rtsp(**_known(Rtsp, known["rtsp"]))
    return PipelineSpec(**known)


def is_spec(data: object, spec: PipelineSpec) -> bool:
    """Return whether `data` is this specification, as some version of the program wrote it."""
    try:
        return isinstance(data, Mapping) and spec_from_json(data) == spec
    except (AttributeError, KeyError, TypeError):
        return False


def names_from_json(data: object) -> tuple[str, ...]:
    """Read a list of element names. Raises TypeError for anything else."""
    names = tuple(data) if isinstance(data, Sequence) and not isinstance(data, str) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise TypeError("not a list of names")
    return names


def order_to_json(order: RecordOrder) -> dict[str, Any]:
    """Return the order as plain JSON values."""
    return asdict(order)


def order_from_json(data: Mapping[str, Any]) -> RecordOrder:
    """Read the output of `order_to_json`. Raises TypeError for anything else."""
    return RecordOrder(**_known(RecordOrder, data))


def _element_to_json(element: Element) -> dict[str, Any]:
    return {"factory": element.factory, "properties": dict(element.properties)}


def encode_feed_head(head: FeedHead) -> bytes:
    """Encode a header, and the decoder configuration where it changed; frame data follows."""
    codec = head.codec or Codec(0, 0, b"")
    flags = (
        (_KEYFRAME if head.keyframe else 0)
        | (_BROKEN if head.broken else 0)
        | (_CODEC if head.codec else 0)
    )
    packed = FEED_HEAD.pack(
        _FEED_MAGIC,
        flags,
        len(codec.avcc),
        head.data_bytes,
        head.pts_ns,
        head.dts_ns,
        head.duration_ns,
        codec.width,
        codec.height,
        head.skipped,
    )
    return packed + codec.avcc


def decode_feed_head(data: bytes) -> tuple[FeedHead, int]:
    """Decode a header; also return the size of the decoder configuration that follows.

    The codec has an empty record until those bytes are read. Raises ValueError for anything else.
    """
    magic, flags, avcc_bytes, size, pts, dts, duration, width, height, skipped = FEED_HEAD.unpack(
        data
    )
    if magic != _FEED_MAGIC or size > _MAX_FRAME_BYTES:
        raise ValueError("this is not a feed of frames")
    codec = Codec(width, height, b"") if flags & _CODEC else None
    head = FeedHead(
        pts, dts, duration, bool(flags & _KEYFRAME), bool(flags & _BROKEN), skipped, size, codec
    )
    return head, avcc_bytes


def listen(directory: Path, name: str) -> socket.socket:
    """Return a listening socket `name.sock` in `directory`, however long its path is."""
    with _short_path(directory) as short:
        path = Path(short, f"{name}.sock")
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(16)
    return listener


def connect(path: Path) -> socket.socket:
    """Connect to a listening socket, however long its path is. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short_path(path.parent) as short:
            connection.connect(str(Path(short, path.name)))
    except OSError:
        connection.close()
        raise
    return connection


@contextmanager
def _short_path(directory: Path) -> Iterator[str]:
    """Provide a short path of a directory: a socket's path has at most 108 bytes."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _known(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(kind)}
    return {key: value for key, value in data.items() if key in names}
