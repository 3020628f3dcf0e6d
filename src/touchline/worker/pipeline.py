"""One run of a camera's GStreamer pipeline: built from a specification, read to its coded frames.

Elements are made by name and their properties set; nothing is ever parsed from a launch line, so no
value that came from a user can become an element. A run ends once, with a reason, and is never
started again: `camera.Camera` makes the next one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402, F401  (GstApp gives the sink its methods)

from touchline.worker.mp4 import Codec  # noqa: E402
from touchline.worker.tee import Frame  # noqa: E402
from touchline.worker.testpicture import TestPicture  # noqa: E402
from touchline.worker.wire import Element, Picture, PipelineSpec  # noqa: E402

log = logging.getLogger(__name__)

_AVC = "video/x-h264,stream-format=avc,alignment=au"
_POLL_NS = 500_000_000


class BuildError(Exception):
    """The pipeline cannot be built on this machine; the message says which part."""


_CODECS = {
    "image/jpeg": "mjpeg",
    "video/x-av1": "av1",
    "video/x-h264": "h264",
    "video/x-h265": "h265",
    "video/x-vp8": "vp8",
    "video/x-vp9": "vp9",
}
_GOP_NS, _ENCODER_FRAMES = 1_000_000_000, 4
"""A transcoded stream whose rate nobody knew beforehand still gets a keyframe a second: it is asked
for as many frames ahead as an encoder may hold."""

# Jetson modules without an encoder (Orin Nano) have the element all the same, but not its device.
_NVENC_DEVICES = ("/dev/nvhost-msenc", "/dev/v4l2-nvenc")


def available(names: Sequence[str]) -> list[str]:
    """Those of the elements that this machine has, and can use."""
    found = [name for name in names if Gst.ElementFactory.find(name) is not None]
    if not any(Path(device).exists() for device in _NVENC_DEVICES):
        found = [name for name in found if name != "nvv4l2h264enc"]
    return found


class Pipeline:
    """A pipeline that plays from `start` until `stop`, and tells `on_end` if it ends by itself.

    `on_frame` is called on the sink's thread with every coded frame, `on_end` and `on_warning` on the
    bus's thread. `data_seen` says that the source delivers something, `frames` how much came through.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        *,
        on_frame: Callable[[Frame], None],
        on_end: Callable[[str], None],
        on_warning: Callable[[str], None],
    ) -> None:
        self.spec = spec
        self.transcoded = not spec.demux and not spec.delivers_h264 and spec.picture is None
        self.source_format: str | None = None
        self.frames = 0
        self.queue_overruns = 0
        self.source_skipped = 0
        self.data_seen = spec.picture is not None
        self.last_frame_ns = time.monotonic_ns()
        self.codec: Codec | None = None
        self._on_frame, self._on_end, self._on_warning = on_frame, on_end, on_warning
        self._stopping = threading.Event()
        self._ended = False
        self._caps_changed = True
        self._last_dts_ns = 0
        self._last_keyframe_ns = 0
        self._last_pts_ns = 0
        self._keyframe_asked = False
        self._base_ns = 0
        self._threads: list[threading.Thread] = []
        self._pipeline: Any = Gst.Pipeline.new(None)
        self._sink: Any = None
        self._feed: Any = None
        self._linked = False
        self._link_lock = threading.Lock()
        self._build()

    # ------------------------------------------------------------- building

    def _build(self) -> None:
        spec = self.spec
        tail = self._chain(
            (Element("h264parse"), Element("capsfilter", {"caps": _AVC})), first="parse"
        )
        # Cameras set their own pace; a file is read at the pace of its timestamps.
        paced = spec.loop
        self._sink = self._make(Element("appsink", {"sync": paced, "async": paced}))
        self._sink.set_property("enable-last-sample", False)
        self._sink.get_static_pad("sink").add_probe(
            Gst.PadProbeType.EVENT_DOWNSTREAM, self._sink_event
        )
        self._link(tail[-1], self._sink)
        head: list[Any] = []
        if spec.picture is not None:
            head.append(self._make_feed(spec.picture))
        head += self._chain(spec.source)
        for before, after in zip(head, head[1:], strict=False):
            if before is self._feed:
                self._link(before, after)
        last = head[-1]
        first_pad = head[0].get_static_pad("src")
        if first_pad is not None and spec.picture is None:
            first_pad.add_probe(Gst.PadProbeType.BUFFER, self._data_probe)
        if spec.demux:
            self._demux(last, tail[0])
        elif spec.delivers_h264:
            self._link(last, tail[0])
        else:
            encode = self._chain(spec.encode)
            self._link(last, encode[0])
            self._link(encode[-1], tail[0])

    def _make(self, element: Element) -> Any:
        made = Gst.ElementFactory.make(element.factory, None)
        if made is None:
            msg = f"the GStreamer element {element.factory} is not installed"
            raise BuildError(msg)
        for name, value in element.properties.items():
            set_property(made, name, value)
        self._pipeline.add(made)
        if element.factory == "queue" and element.properties.get("leaky"):
            made.connect("overrun", self._overrun)
        return made

    def _chain(self, elements: Sequence[Element], first: str | None = None) -> list[Any]:
        made = [self._make(e) for e in elements]
        for before, after in zip(made, made[1:], strict=False):
            self._link(before, after)
        if first and made:
            made[0].set_property("disable-passthrough", False)
        return made

    @staticmethod
    def _link(before: Any, after: Any) -> None:
        if not before.link(after):
            names = (before.get_factory().get_name(), after.get_factory().get_name())
            msg = "cannot link {} to {}".format(*names)
            raise BuildError(msg)

    def _overrun(self, _queue: Any) -> None:
        self.queue_overruns += 1

    def _data_probe(self, _pad: Any, _info: Any) -> Any:
        self.data_seen = True
        return Gst.PadProbeReturn.REMOVE

    def _sink_event(self, _pad: Any, info: Any) -> Any:
        if info.get_event().type == Gst.EventType.CAPS:
            self._caps_changed = True
        return Gst.PadProbeReturn.OK

    # -------------------------------------------- sources whose format shows late

    def _demux(self, source: Any, parse: Any) -> None:
        if source.get_static_pad("src") is not None:
            self._decode_from(source, None, parse)
            return
        if source.get_factory().get_name() == "rtspsrc":
            source.connect("select-stream", self._select_stream)
        source.connect("pad-added", self._source_pad, parse)

    @staticmethod
    def _select_stream(_source: Any, _number: int, caps: Any) -> bool:
        return bool(caps.get_structure(0).get_string("media") == "video")

    def _source_pad(self, source: Any, pad: Any, parse: Any) -> None:
        caps = pad.get_current_caps() or pad.query_caps(None)
        structure = caps.get_structure(0)
        pad.add_probe(Gst.PadProbeType.BUFFER, self._data_probe)
        if structure.get_name() == "application/x-rtp":
            if structure.get_string("media") != "video":
                return
            if structure.get_string("encoding-name") == "H264" and not self.spec.force_encode:
                if self._claim():
                    self._copied("h264")
                    depay = self._make(Element("rtph264depay"))
                    self._link(depay, parse)
                    depay.sync_state_with_parent()
                    pad.link(depay.get_static_pad("sink"))
                return
        self._decode_from(source, pad, parse)

    def _decode_from(self, source: Any, pad: Any, parse: Any) -> None:
        """Let decodebin find the video; it stops at H.264 where that may be copied."""
        decode = self._make(Element("decodebin"))
        decode.connect("autoplug-continue", self._autoplug_continue)
        decode.connect("pad-added", self._decoded_pad, parse)
        if pad is None:
            self._link(source, decode)
        else:
            pad.link(decode.get_static_pad("sink"))
            decode.sync_state_with_parent()

    def _autoplug_continue(self, _bin: Any, _pad: Any, caps: Any) -> bool:
        structure = caps.get_structure(0)
        name = structure.get_name()
        if name == "video/mpeg" and structure.get_boolean("systemstream") == (True, False):
            self.source_format = f"mpeg{structure.get_int('mpegversion')[1]}"
        self.source_format = _CODECS.get(name, self.source_format)
        return bool(self.spec.force_encode or name != "video/x-h264")

    def _decoded_pad(self, _bin: Any, pad: Any, parse: Any) -> None:
        name = pad.query_caps(None).get_structure(0).get_name()
        if not name.startswith("video/") or not self._claim():
            sink = self._make(Element("fakesink", {"sync": False, "async": False}))
            sink.sync_state_with_parent()
            pad.link(sink.get_static_pad("sink"))
            return
        if name == "video/x-h264":
            self._copied("h264")
            pad.link(parse.get_static_pad("sink"))
            return
        self.transcoded = True
        chain = self._chain(self.spec.encode)
        self._link(chain[-1], parse)
        for element in chain:
            element.sync_state_with_parent()
        pad.link(chain[0].get_static_pad("sink"))

    def _copied(self, source_format: str) -> None:
        self.transcoded, self.source_format = False, source_format

    def _claim(self) -> bool:
        """True for the first video stream only."""
        with self._link_lock:
            claimed, self._linked = self._linked, True
        return not claimed

    # ----------------------------------------------------------- the simulated camera

    def _make_feed(self, picture: Picture) -> Any:
        caps = (
            f"video/x-raw,format=I420,width={picture.width:d},height={picture.height:d},"
            f"framerate={picture.fps_numerator:d}/{picture.fps_denominator:d}"
        )
        self._feed = self._make(
            Element("appsrc", {"is-live": True, "format": "time", "block": False, "caps": caps})
        )
        return self._feed

    def _feed_frames(self, picture: Picture) -> None:
        """Draw frame n at n periods of CLOCK_MONOTONIC: all simulated cameras run in step."""
        drawn = TestPicture(
            picture.name,
            picture.width,
            picture.height,
            picture.fps_numerator,
            picture.fps_denominator,
        )
        numerator, denominator = picture.fps_numerator, picture.fps_denominator
        second = 1_000_000_000 * denominator
        index = (self._base_ns * numerator + second - 1) // second
        while not self._stopping.is_set():
            at_ns = index * second // numerator
            ahead_s = (at_ns - time.monotonic_ns()) / 1e9
            if ahead_s > 0 and self._stopping.wait(ahead_s):
                return
            if ahead_s < -2 * denominator / numerator or (
                self._feed.get_property("current-level-buffers") > 2
            ):
                self.source_skipped += 1  # as a real camera does when nobody takes its picture
                index += 1
                continue
            data = drawn.frame(index & 0xFFFFFFFF, time.time())
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts = at_ns - self._base_ns
            buffer.duration = second // numerator
            if self._feed.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return
            index += 1

    # ------------------------------------------------------------- running

    def start(self, not_before_ns: int = 0) -> None:
        """Play; a simulated camera's first frame is not captured before `not_before_ns`. May block.

        Raises BuildError when the source refuses at once, with the source's own words.
        """
        clock = Gst.SystemClock.obtain()
        clock.set_property("clock-type", 1)  # GST_CLOCK_TYPE_MONOTONIC, the clock of the match
        self._pipeline.use_clock(clock)
        self._base_ns = max(time.monotonic_ns(), not_before_ns)
        self._pipeline.set_start_time(Gst.CLOCK_TIME_NONE)
        self._pipeline.set_base_time(self._base_ns)
        self.last_frame_ns = time.monotonic_ns()
        if self.spec.loop:
            self._prepare_loop()
            self._base_ns = time.monotonic_ns()
            self._pipeline.set_base_time(self._base_ns)
        result = self._pipeline.set_state(Gst.State.PLAYING)
        if result == Gst.StateChangeReturn.FAILURE:
            message = self._pipeline.get_bus().timed_pop_filtered(0, Gst.MessageType.ERROR)
            text = describe(message) if message else "the source cannot be opened"
            self._pipeline.set_state(Gst.State.NULL)
            raise BuildError(text)
        self._spawn("bus", self._read_bus)
        self._spawn("sink", self._read_sink)
        if self.spec.picture is not None:
            self._spawn("picture", self._feed_frames, self.spec.picture)

    def stop(self) -> None:
        """Tear the pipeline down. Blocks as long as the source's driver does."""
        self._stopping.set()
        self._pipeline.set_state(Gst.State.NULL)
        for thread in self._threads:
            thread.join(2)

    def request_keyframe(self) -> None:
        """Ask an encoder of ours for a keyframe with its next picture; a camera may ignore it."""
        structure = Gst.Structure.new_empty("GstForceKeyUnit")
        structure.set_value("all-headers", True)
        event = Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, structure)
        self._sink.get_static_pad("sink").push_event(event)

    def _spawn(self, name: str, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _end(self, reason: str) -> None:
        if not self._ended and not self._stopping.is_set():
            self._ended = True
            self._on_end(reason)

    def _read_bus(self) -> None:
        """The bus's only reader."""
        bus = self._pipeline.get_bus()
        kinds = (
            Gst.MessageType.ERROR
            | Gst.MessageType.WARNING
            | Gst.MessageType.EOS
            | Gst.MessageType.SEGMENT_DONE
            | Gst.MessageType.LATENCY
        )
        while not self._stopping.is_set():
            message = bus.timed_pop_filtered(_POLL_NS, kinds)
            if message is None:
                continue
            if message.type == Gst.MessageType.ERROR:
                self._end(describe(message))
            elif message.type == Gst.MessageType.WARNING:
                self._on_warning(describe(message))
            elif message.type == Gst.MessageType.LATENCY:
                self._pipeline.recalculate_latency()
            elif message.type == Gst.MessageType.EOS:
                self._end("the source ended")
            elif message.type == Gst.MessageType.SEGMENT_DONE and not self._seek_to_start():
                self._end("the file cannot be played again from its start")

    def _prepare_loop(self) -> None:
        """Open the file and ask for its end to be a segment's end, so that it can begin again."""
        wait_ns = int(self.spec.start_timeout_s * 1e9)
        self._pipeline.set_state(Gst.State.PAUSED)
        result = self._pipeline.get_state(wait_ns)[0]
        if result != Gst.StateChangeReturn.SUCCESS:
            message = self._pipeline.get_bus().timed_pop_filtered(0, Gst.MessageType.ERROR)
            self._pipeline.set_state(Gst.State.NULL)
            raise BuildError(describe(message) if message else "the file cannot be opened")
        if not self._seek_to_start(Gst.SeekFlags.FLUSH):
            self._pipeline.set_state(Gst.State.NULL)
            msg = "this kind of file cannot be played in a loop; MP4 and Matroska files can"
            raise BuildError(msg)
        self._pipeline.get_state(wait_ns)

    def _seek_to_start(self, flags: Any = Gst.SeekFlags.NONE) -> bool:
        return bool(
            self._pipeline.seek_simple(Gst.Format.TIME, flags | Gst.SeekFlags.SEGMENT, 0)
        )

    def _read_sink(self) -> None:
        while not self._stopping.is_set():
            sample = self._sink.try_pull_sample(_POLL_NS)
            if sample is None:
                continue
            try:
                frame = self._frame(sample)
            except ValueError as error:
                self._end(str(error))
                return
            if frame is not None:
                self.frames += 1
                self.last_frame_ns = time.monotonic_ns()
                self._on_frame(frame)

    def _frame(self, sample: Any) -> Frame | None:
        buffer = sample.get_buffer()
        if self._caps_changed or self.codec is None:
            self._caps_changed = False
            self.codec = codec_of(sample.get_caps())
        pts, dts = buffer.pts, buffer.dts
        if pts == Gst.CLOCK_TIME_NONE:
            pts = dts
        if pts == Gst.CLOCK_TIME_NONE:
            return None  # a frame without any time cannot be placed
        running = sample.get_segment().to_running_time(Gst.Format.TIME, pts)
        if running == Gst.CLOCK_TIME_NONE:
            running = 0
        pts_ns = self._base_ns + running
        dts_ns = pts_ns if dts == Gst.CLOCK_TIME_NONE else pts_ns - (pts - dts)
        # A camera's own B-frames may come without decode times: keep them rising.
        dts_ns = max(dts_ns, self._last_dts_ns + 1)
        self._last_dts_ns = dts_ns
        keyframe = not buffer.get_flags() & Gst.BufferFlags.DELTA_UNIT
        if keyframe:
            self._last_keyframe_ns, self._keyframe_asked = pts_ns, False
        elif (
            self.transcoded
            and not self._keyframe_asked
            and pts_ns + _ENCODER_FRAMES * (pts_ns - self._last_pts_ns)
            > self._last_keyframe_ns + _GOP_NS
        ):
            self._keyframe_asked = True
            self.request_keyframe()
        self._last_pts_ns = pts_ns
        duration = buffer.duration
        return Frame(
            data=buffer.extract_dup(0, buffer.get_size()),
            pts_ns=pts_ns,
            dts_ns=dts_ns,
            duration_ns=0 if duration == Gst.CLOCK_TIME_NONE else duration,
            keyframe=keyframe,
            codec=self.codec,
        )


def set_property(element: Any, name: str, value: bool | float | str) -> None:
    """Set a property from a plain value; caps, enums, flags and fractions are given as text.

    Raises BuildError for a property that the element does not have.
    """
    spec = element.find_property(name)
    if spec is None:
        msg = f"{element.get_factory().get_name()} has no property {name}"
        raise BuildError(msg)
    if isinstance(value, str) and spec.value_type.name != "gchararray":
        if spec.value_type.name == "GstCaps":
            element.set_property(name, Gst.Caps.from_string(value))
        else:
            Gst.util_set_object_arg(element, name, value)
    else:
        element.set_property(name, value)


def codec_of(caps: Any) -> Codec:
    """Size and decoder configuration of AVC caps. Raises ValueError where they lack one."""
    structure = caps.get_structure(0)
    data = structure.get_value("codec_data")
    found_width, width = structure.get_int("width")
    found_height, height = structure.get_int("height")
    if data is None or not found_width or not found_height:
        msg = f"the stream does not describe itself: {caps.to_string()}"
        raise ValueError(msg)
    return Codec(width, height, data.extract_dup(0, data.get_size()))


def describe(message: Any) -> str:
    """An error or warning from the bus as one line: what, from whom, and the element's own detail."""
    parse = message.parse_error if message.type == Gst.MessageType.ERROR else message.parse_warning
    error, debug = parse()
    detail = (debug or "").splitlines()[-1:] or [""]
    return f"{error.message} ({message.src.get_name()}: {detail[0]})"
