"""One run of a camera's GStreamer pipeline: built from a specification, read as encoded frames.

Elements are created by name and their properties set; no launch line is ever parsed, so no value
from a user can become an element. A run ends once, with a reason, and is never restarted:
`camera.Camera` creates the next one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: F401  (GstApp gives the sink its methods)

from touchline.ipc.tee import Frame
from touchline.ipc.threads import watched
from touchline.ipc.wire import Element, PipelineSpec
from touchline.media.h264.codec import Codec
from touchline.worker.pipeline.elements import (
    BuildError,
    describe,
    first_error,
    link,
    set_property,
)
from touchline.worker.pipeline.fileloop import FileLoop
from touchline.worker.pipeline.picturefeed import PictureFeed, appsrc_for
from touchline.worker.pipeline.rawtimes import RawTimes
from touchline.worker.pipeline.timeline import Timeline

_AVC = "video/x-h264,stream-format=avc,alignment=au"
_ENDED = "ended"
_POLL_NS = 500_000_000
_CODECS = {
    "image/jpeg": "mjpeg",
    "video/x-av1": "av1",
    "video/x-h264": "h264",
    "video/x-h265": "h265",
    "video/x-vp8": "vp8",
    "video/x-vp9": "vp9",
}
_COPIED = Gst.BufferCopyFlags.FLAGS | Gst.BufferCopyFlags.META | Gst.BufferCopyFlags.MEMORY
_PUSHED_BYTES = 32 << 20
"""Input backlog beyond which a decoder is considered unable to catch up."""
_BACKLOG_NS = 4_000_000_000
"""Undecoded input beyond which an encoder is too slow, and pictures are dropped before it."""
_GOP_NS, _ENCODER_FRAMES = 1_000_000_000, 4
"""A transcoded stream of unknown frame rate still gets a keyframe a second.

Each is requested as many frames ahead as an encoder may hold.
"""


class Pipeline:
    """A pipeline that plays from `start` until `stop`; `on_end` reports an end of its own.

    `on_frame` is called on the sink's thread with every encoded frame, `on_end` and `on_warning` on
    any other. `data_seen` says whether the source delivers anything, `frames` counts the frames
    that arrived, and `last_raw_ns` is the time at which the local encoder last received a picture.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        *,
        on_frame: Callable[[Frame], None],
        on_end: Callable[[str], None],
        on_warning: Callable[[str], None],
        caps: Any = None,
    ) -> None:
        """Build the pipeline; with `caps`, `push` feeds the source in that format."""
        self.spec = spec
        self.transcoded = not spec.demux and not spec.delivers_h264 and spec.picture is None
        self.source_format: str | None = None
        self.frames = 0
        self.queue_overruns = 0
        self.data_seen = spec.picture is not None
        self.last_frame_ns = time.monotonic_ns()
        self.last_raw_ns = 0
        self.codec: Codec | None = None
        self._on_frame, self._on_end, self._on_warning = on_frame, on_end, on_warning
        self._stopping = threading.Event()
        self._end_reason: str | None = None
        self._timeline = Timeline(loop=spec.loop, live=not spec.paced)
        self._last_keyframe_ns = 0
        self._last_pts_ns = 0
        self._keyframe_asked = False
        self._threads: list[threading.Thread] = []
        self._pipeline: Any = Gst.Pipeline.new(None)
        self._loop = FileLoop(
            self._pipeline,
            self._stopping,
            start_timeout_s=spec.start_timeout_s,
            ended=lambda: self._end_reason,
        )
        self._sink: Any = None
        self._feed: PictureFeed | None = None
        self._input: Any = None
        self._raw_times = RawTimes(0)
        self._retiming = False
        self._dropping_input = False
        self._linked = False
        self._link_lock = threading.Lock()
        self._build(caps)

    @property
    def source_skipped(self) -> int:
        """Number of pictures that the simulated camera skipped because they were not accepted."""
        return self._feed.skipped if self._feed else 0

    # ------------------------------------------------------------- building

    def _build(self, caps: Any) -> None:
        spec = self.spec
        if not spec.source and spec.picture is None:
            raise BuildError("the camera has no source")
        tail = self._chain((Element("h264parse"), Element("capsfilter", {"caps": _AVC})))
        # Cameras set their own pace; a file is held back by `_read_sink`, two frames ahead.
        sink = {"sync": False, "async": spec.paced, "enable-last-sample": False}
        limit = {"max-buffers": 2} if spec.paced else {}
        self._sink = self._make(Element("appsink", {**sink, **limit}))
        link(tail[-1], self._sink)
        head = self._chain(spec.source)
        if spec.picture is not None:
            appsrc = self._make(appsrc_for(spec.picture))
            self._feed = PictureFeed(spec.picture, appsrc, self._stopping)
            head.insert(0, appsrc)
            self._link_all(head[:2])
        if caps is not None:
            self._input = self._make(Element("appsrc", {"is-live": True, "format": "time"}))
            self._input.set_property("caps", caps)
            self._input.set_property("max-bytes", 0)  # bounded by `push`
            head.insert(0, self._input)
            self._link_all(head[:2])
        last, first_pad = head[-1], head[0].get_static_pad("src")
        if first_pad is not None and spec.picture is None:
            first_pad.add_probe(Gst.PadProbeType.BUFFER, self._data_probe)
        if spec.demux:
            self._demux(last, tail[0])
        elif spec.delivers_h264:
            link(last, tail[0])
        else:
            encode = self._encode_chain()
            self._link_all([last, *encode[:1]])
            link(encode[-1] if encode else last, tail[0])

    def _make(self, element: Element) -> Any:
        made = Gst.ElementFactory.make(element.factory, None)
        if made is None:
            raise BuildError(f"the GStreamer element {element.factory} is not installed")
        for name, value in element.properties.items():
            set_property(made, name, value)
        self._pipeline.add(made)
        if element.factory == "queue" and element.properties.get("leaky"):
            made.connect("overrun", self._overrun)
        return made

    def _chain(self, elements: Sequence[Element]) -> list[Any]:
        made = [self._make(e) for e in elements]
        self._link_all(made)
        return made

    @staticmethod
    def _link_all(elements: Sequence[Any]) -> None:
        for before, after in pairwise(elements):
            link(before, after)

    def _overrun(self, _queue: Any) -> None:
        self.queue_overruns += 1

    def _encode_chain(self) -> list[Any]:
        """Create the encoder and its elements, with a probe where raw pictures enter."""
        chain = self._chain(self.spec.encode)
        if chain:
            pad = chain[0].get_static_pad("sink")
            pad.add_probe(Gst.PadProbeType.BUFFER, self._raw_probe)
        return chain

    def _raw_probe(self, pad: Any, info: Any) -> Any:
        self.last_raw_ns = time.monotonic_ns()
        if self._input is None or self._retiming:
            return Gst.PadProbeReturn.OK
        if self._input.get_property("current-level-time") > _BACKLOG_NS:
            self.queue_overruns += 1
            return Gst.PadProbeReturn.DROP
        buffer = info.get_buffer()
        pts = None if buffer.pts == Gst.CLOCK_TIME_NONE else buffer.pts
        at_ns = self._raw_times.place(pts, self.last_raw_ns)
        if at_ns is None or at_ns != pts:
            if at_ns is not None:
                self._push_retimed(pad, buffer, at_ns)
            return Gst.PadProbeReturn.DROP
        return Gst.PadProbeReturn.OK

    def _push_retimed(self, pad: Any, buffer: Any, at_ns: int) -> None:
        """Give the encoder a picture with a new time; the decoder may still use its own buffer."""
        copied = buffer.copy_region(_COPIED, 0, buffer.get_size())
        copied.pts = at_ns
        self._retiming = True
        pad.chain(copied)
        self._retiming = False

    def _data_probe(self, _pad: Any, _info: Any) -> Any:
        self.data_seen = True
        return Gst.PadProbeReturn.REMOVE

    # -------------------------------------------- sources of unknown format

    def _demux(self, source: Any, parse: Any) -> None:
        """Let decodebin find the video; it stops at H.264 if that may be copied."""
        decode = self._make(Element("decodebin"))
        decode.connect("autoplug-continue", self._autoplug_continue)
        decode.connect("pad-added", self._decoded_pad, parse)
        link(source, decode)

    def _autoplug_continue(self, _bin: Any, _pad: Any, caps: Any) -> bool:
        structure = caps.get_structure(0)
        name = structure.get_name()
        if name == "video/mpeg" and structure.get_boolean("systemstream") == (True, False):
            self.source_format = f"mpeg{structure.get_int('mpegversion')[1]}"
        self.source_format = _CODECS.get(name, self.source_format)
        return bool(self.spec.force_encode or name != "video/x-h264")

    def _decoded_pad(self, _bin: Any, pad: Any, parse: Any) -> None:
        """Link a pad that decodebin has found; a failure to build ends the run with its reason."""
        try:
            self._link_decoded_pad(pad, parse)
        except BuildError as error:
            self._end(str(error))

    def _link_decoded_pad(self, pad: Any, parse: Any) -> None:
        name = pad.query_caps(None).get_structure(0).get_name()
        if not name.startswith("video/") or not self._claim():
            sink = self._make(Element("fakesink", {"sync": False, "async": False}))
            sink.sync_state_with_parent()
            pad.link(sink.get_static_pad("sink"))
            return
        if name == "video/x-h264":
            self._note_copied("h264")
            pad.link(parse.get_static_pad("sink"))
            return
        self.transcoded = True
        chain = self._encode_chain()
        link(chain[-1], parse)
        for element in chain:
            element.sync_state_with_parent()
        pad.link(chain[0].get_static_pad("sink"))

    def _note_copied(self, source_format: str) -> None:
        self.transcoded, self.source_format = False, source_format

    def _claim(self) -> bool:
        """Return True for the first video stream only."""
        with self._link_lock:
            claimed, self._linked = self._linked, True
        return not claimed

    # ------------------------------------------------------------- running

    def start(self, not_before_ns: int = 0) -> None:
        """Play; a simulated camera captures no frame before `not_before_ns`. May block.

        Raises BuildError if the source refuses immediately, with the source's own message.
        """
        clock = Gst.SystemClock.obtain()
        clock.set_property("clock-type", 1)  # GST_CLOCK_TYPE_MONOTONIC, the clock of the match
        self._pipeline.use_clock(clock)
        base_ns = max(time.monotonic_ns(), not_before_ns)
        if self._input is not None:  # pushed pictures already have times of that clock
            base_ns, self._raw_times = 0, RawTimes(not_before_ns)
        self._pipeline.set_start_time(Gst.CLOCK_TIME_NONE)
        self._pipeline.set_base_time(base_ns)
        self.last_frame_ns = time.monotonic_ns()
        if self.spec.loop:
            self._loop.prepare()
            base_ns = time.monotonic_ns()
            self._pipeline.set_base_time(base_ns)
        self._timeline.begin_at(base_ns)
        result = self._pipeline.set_state(Gst.State.PLAYING)
        if result == Gst.StateChangeReturn.FAILURE:
            text = first_error(self._pipeline) or "the source cannot be opened"
            self._pipeline.set_state(Gst.State.NULL)
            raise BuildError(text)
        self._spawn("bus", self._read_bus)
        self._spawn("sink", self._read_sink)
        if self._feed is not None:
            self._spawn("picture", self._feed.run, base_ns)

    def push(self, data: bytes, pts_ns: int, dts_ns: int | None, *, keyframe: bool) -> None:
        """Feed the source; packets for which a slow decoder has no room are dropped and counted."""
        full = self._input.get_property("current-level-bytes") > _PUSHED_BYTES
        # Part of a GOP is useless: resume at a keyframe if keyframes are known.
        if full or (self._dropping_input and dts_ns is not None and not keyframe):
            self._dropping_input = True
            self.queue_overruns += 1
            return
        self._dropping_input = False
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts = pts_ns
        if dts_ns is not None:
            buffer.dts = max(dts_ns, 0)
        self._input.emit("push-buffer", buffer)

    def stop(self) -> None:
        """Tear the pipeline down. Blocks for as long as the source's driver does."""
        self._loop.stop()
        self._post("stopping")
        self._pipeline.set_state(Gst.State.NULL)
        for thread in self._threads:
            thread.join(2)

    def _post(self, name: str) -> None:
        """Post a message for the reader of the bus, which reads it after all earlier ones."""
        message = Gst.Message.new_application(None, Gst.Structure.new_empty(name))
        self._pipeline.get_bus().post(message)

    def request_keyframe(self) -> None:
        """Request a keyframe of the local encoder with its next picture; a camera may ignore it."""
        structure = Gst.Structure.new_from_string("GstForceKeyUnit,all-headers=true")
        event = Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, structure)
        self._sink.get_static_pad("sink").push_event(event)

    def _spawn(self, name: str, target: Callable[..., None], *args: Any) -> None:
        thread = watched(
            target, *args, name=name, died=lambda error: self._end(f"internal error: {error!r}")
        )
        self._threads.append(thread)
        thread.start()

    def _end(self, reason: str) -> None:
        if self._end_reason is None and not self._stopping.is_set():
            self._end_reason = reason
            self._on_end(reason)

    def _read_bus(self) -> None:
        """Read the bus; this is its only reader."""
        bus = self._pipeline.get_bus()
        kinds = (
            Gst.MessageType.ERROR
            | Gst.MessageType.WARNING
            | Gst.MessageType.SEGMENT_DONE
            | Gst.MessageType.LATENCY
            | Gst.MessageType.APPLICATION  # posted by `_post`
        )
        while not self._stopping.is_set():
            message = bus.timed_pop_filtered(_POLL_NS, kinds)
            if message is None:
                continue
            if message.type == Gst.MessageType.ERROR:
                self._end(describe(message))
            elif message.type == Gst.MessageType.WARNING:
                self._on_warning(describe(message))
            elif message.type == Gst.MessageType.APPLICATION:
                if message.has_name(_ENDED):
                    self._end("the source ended")
            elif message.type == Gst.MessageType.LATENCY:
                self._pipeline.recalculate_latency()
            elif message.type == Gst.MessageType.SEGMENT_DONE and not self._loop.begin_again():
                self._end("the file cannot be restarted from the beginning")

    def _read_sink(self) -> None:
        while not self._stopping.is_set():
            sample = self._sink.try_pull_sample(_POLL_NS)
            if sample is None:
                if self._sink.get_property("eos"):
                    self._post(_ENDED)  # an error that ended the stream is read first
                    return
                continue
            try:
                frame = self._timeline.frame(sample)
            except ValueError as error:
                self._end(str(error))
                return
            self.codec = frame.codec
            ahead_s = (frame.dts_ns - time.monotonic_ns()) / 1e9
            if self.spec.paced and ahead_s > 0 and self._stopping.wait(ahead_s):
                return
            if self.transcoded:
                self._keep_gop_short(frame)
            self.frames += 1
            self.last_frame_ns = time.monotonic_ns()
            self._on_frame(frame)

    def _keep_gop_short(self, frame: Frame) -> None:
        """Request a keyframe when a GOP of transcoded pictures is about to reach one second."""
        since_ns = frame.pts_ns - self._last_keyframe_ns
        step_ns, self._last_pts_ns = frame.pts_ns - self._last_pts_ns, frame.pts_ns
        if frame.keyframe:
            self._last_keyframe_ns, self._keyframe_asked = frame.pts_ns, False
        elif not self._keyframe_asked and since_ns + _ENCODER_FRAMES * step_ns > _GOP_NS:
            self._keyframe_asked = True
            self.request_keyframe()
