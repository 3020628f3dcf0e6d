"""The simulated camera's RTSP server: drawn frames, encoded once for all clients."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

from touchline.sim.camera import CameraOptions  # noqa: E402
from touchline.worker.testpicture import TestPicture  # noqa: E402

# Fixed texts: whatever has a value gets it as a property, once the elements are made.
_VIDEO = {
    "h264": "x264enc name=encoder ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96",
    "h265": "x265enc name=encoder ! h265parse config-interval=-1 ! rtph265pay name=pay0 pt=96",
    "mjpeg": "jpegenc name=encoder ! rtpjpegpay name=pay0 pt=26",
}
_ELEMENTS = {
    "h264": ("x264enc", "rtph264pay"),
    "h265": ("x265enc", "rtph265pay"),
    "mjpeg": ("jpegenc", "rtpjpegpay"),
}
_AUDIO = "audiotestsrc name=tone is-live=true volume=0.1 ! alawenc ! rtppcmapay name=pay1 pt=8"
_ROLE = "viewer"


class CannotServe(Exception):
    """The camera cannot work here; the message says why."""


class Feed:
    """Draws the frames and pushes them to whoever is connected.

    Frame `n` belongs to the moment `n` frame times after the start, whether anybody watches or not:
    the counter runs on across clients, and shows what a stall left out.
    """

    def __init__(self, options: CameraOptions) -> None:
        self._options = options
        rate = options.fps
        self._picture = TestPicture(
            options.name, options.width, options.height, rate.numerator, rate.denominator
        )
        self._lock = threading.Lock()
        self._outlets: list[Any] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to count frames."""
        self._thread.start()

    def stop(self) -> None:
        """Push nothing any more; returns when that is so."""
        self._stopping.set()
        self._thread.join()

    def add(self, outlet: Any) -> None:
        """Feed an appsrc from now on."""
        with self._lock:
            self._outlets.append(outlet)

    def remove(self, outlet: Any) -> None:
        """Feed it no longer."""
        with self._lock:
            self._outlets.remove(outlet)

    def _run(self) -> None:
        rate = self._options.fps
        frame_ns = 1_000_000_000 * rate.denominator / rate.numerator
        start_ns = time.monotonic_ns()
        first_sent_ns: int | None = None
        index = 0
        while True:
            captured_ns = start_ns + round(index * frame_ns)
            if self._stopping.wait(max(0.0, (captured_ns - time.monotonic_ns()) / 1e9)):
                return
            with self._lock:
                outlets = list(self._outlets)
            sending_s = (captured_ns - (first_sent_ns or captured_ns)) / 1e9
            if outlets and not self._options.stalled(sending_s):
                picture = self._picture.frame(index, time.time())
                sent = [_push(outlet, picture, captured_ns, frame_ns) for outlet in outlets]
                if first_sent_ns is None and any(sent):
                    first_sent_ns = captured_ns
            # After a pause of the whole process the camera goes on with the present moment.
            index = max(index + 1, int((time.monotonic_ns() - start_ns) / frame_ns))


def _push(outlet: Any, picture: bytes, captured_ns: int, frame_ns: float) -> bool:
    """Hand a frame over, stamped with the time it was captured; False when nobody takes it yet."""
    base_ns = outlet.get_base_time()
    if base_ns in (0, Gst.CLOCK_TIME_NONE) or captured_ns < base_ns:
        return False
    buffer = Gst.Buffer.new_wrapped(picture)
    buffer.pts = captured_ns - base_ns
    buffer.duration = round(frame_ns)
    return bool(outlet.emit("push-buffer", buffer) == Gst.FlowReturn.OK)


def serve(options: CameraOptions) -> None:
    """Print `ready rtsp://…`, then serve until SIGTERM or SIGINT. Raises CannotServe."""
    Gst.init(None)
    missing = [name for name in _ELEMENTS[options.codec] if Gst.ElementFactory.find(name) is None]
    if missing:
        msg = f"this machine has no GStreamer element {' and no '.join(missing)}"
        raise CannotServe(msg)
    feed = Feed(options)
    server = GstRtspServer.RTSPServer()
    server.set_address(options.host)
    server.set_service(str(options.port))
    server.get_mount_points().add_factory(f"/{options.path}", _factory(options, feed))
    if options.user is not None and options.password is not None:
        server.set_auth(_auth(options.user, options.password))
    source_id = server.attach(None)
    if source_id == 0:
        msg = f"cannot listen on {options.host} port {options.port}: in use, or not allowed"
        raise CannotServe(msg)
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, _quit, loop)
    feed.start()
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"ready rtsp://{host}:{server.get_bound_port()}/{options.path}", flush=True)
    loop.run()
    server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
    GLib.Source.remove(source_id)
    feed.stop()


def _quit(loop: Any) -> bool:
    loop.quit()
    return bool(GLib.SOURCE_REMOVE)


def _factory(options: CameraOptions, feed: Feed) -> Any:
    """What makes the media for the first client; later ones share it."""
    factory = GstRtspServer.RTSPMediaFactory()
    audio = f" {_AUDIO}" if options.audio else ""
    factory.set_launch(f"( appsrc name=picture ! {_VIDEO[options.codec]}{audio} )")
    factory.set_shared(True)
    factory.set_clock(Gst.SystemClock.obtain())  # counts as time.monotonic_ns does
    if options.user is not None:
        permissions = GstRtspServer.RTSPPermissions()
        for permission in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role(_ROLE, permission, True)
        factory.set_permissions(permissions)

    def configure(_factory: Any, media: Any) -> None:
        elements = media.get_element()
        outlet = elements.get_by_name("picture")
        _set_up_outlet(outlet, options)
        _set_up_encoder(elements.get_by_name("encoder"), options)
        if options.audio:
            tone = elements.get_by_name("tone").get_static_pad("src")
            tone.add_probe(Gst.PadProbeType.QUERY_UPSTREAM, _not_seekable)
        feed.add(outlet)
        media.connect("unprepared", lambda _media: feed.remove(outlet))

    factory.connect("media-configure", configure)
    return factory


def _not_seekable(_pad: Any, info: Any) -> Any:
    """The tone could be wound back, so the server would try at each PLAY, and fail on the video."""
    seeking = info.get_query().type == Gst.QueryType.SEEKING
    return Gst.PadProbeReturn.DROP if seeking else Gst.PadProbeReturn.OK


def _set_up_outlet(outlet: Any, options: CameraOptions) -> None:
    rate = options.fps
    caps = (
        f"video/x-raw,format=I420,width={options.width:d},height={options.height:d},"
        f"framerate={rate.numerator:d}/{rate.denominator:d}"
    )
    outlet.set_property("caps", Gst.Caps.from_string(caps))
    outlet.set_property("is-live", True)
    outlet.set_property("format", Gst.Format.TIME)
    # An encoder that cannot keep up loses frames, as a camera's would, instead of falling behind.
    outlet.set_property("max-bytes", 0)
    outlet.set_property("max-buffers", max(2, round(options.fps)))
    outlet.set_property("leaky-type", "downstream")


def _set_up_encoder(encoder: Any, options: CameraOptions) -> None:
    if options.codec == "mjpeg":
        return
    encoder.set_property("bitrate", options.bitrate_kbps)
    encoder.set_property("key-int-max", max(1, round(options.gop_s * options.fps)))
    Gst.util_set_object_arg(encoder, "speed-preset", "ultrafast")
    Gst.util_set_object_arg(encoder, "tune", "zerolatency")
    if options.codec == "h264":
        encoder.set_property("option-string", "scenecut=0")


def _auth(user: str, password: str) -> Any:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", _ROLE)
    auth = GstRtspServer.RTSPAuth()
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth
