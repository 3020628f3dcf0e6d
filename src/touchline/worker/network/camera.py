"""One run of a network camera: an RTSP session on its own thread and the processing of its packets.

It has the same interface as `pipeline.Pipeline`: it ends once, with a reason, and is never
restarted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from touchline.ipc.tee import Frame
from touchline.ipc.threads import watched
from touchline.ipc.wire import PipelineSpec, Rtsp
from touchline.media.h264.codec import Codec
from touchline.worker.network.decodedpackets import DecodedPackets
from touchline.worker.network.feed import (
    CopiedH264,
    DecodedH264,
    PacketFeed,
    decoding_pipeline,
)
from touchline.worker.pipeline.elements import BuildError
from touchline.worker.pipeline.pipeline import Pipeline
from touchline.worker.rtsp.authentication import Credentials
from touchline.worker.rtsp.description import CameraTrack, TrackFormat
from touchline.worker.rtsp.errors import CameraRefusal, RtspError, Stopped
from touchline.worker.rtsp.link import Waker
from touchline.worker.rtsp.media.reordering import Reorderer
from touchline.worker.rtsp.media.rtcp import SenderReport
from touchline.worker.rtsp.media.transport import Choice, Way
from touchline.worker.rtsp.opening import Target
from touchline.worker.rtsp.session import RtspSession, SessionMemory, Take, Wanted

log = logging.getLogger(__name__)

_JOIN_S = 3.0
_CHOICES: dict[str, Choice] = {"tcp": "tcp", "udp": "udp", "auto": "auto"}


class RtspCamera:
    """A network camera that plays from `start` until `stop`; `on_end` reports an end of its own.

    `memory` holds what earlier runs learned about the camera. If the camera refused the session,
    `refusal` is set before `on_end` is called. All callbacks run on the session's thread, except
    those that a decoding pipeline makes on its own threads.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        memory: SessionMemory,
        *,
        on_frame: Callable[[Frame], None],
        on_end: Callable[[str], None],
        on_warning: Callable[[str], None],
    ) -> None:
        if spec.rtsp is None:
            raise BuildError("the camera has no RTSP address")
        self.spec = spec
        self.transcoded = False
        self.source_format: str | None = None
        self.source_skipped = 0
        self.frames = 0
        self.last_frame_ns = time.monotonic_ns()
        self.codec: Codec | None = None
        self.refusal: CameraRefusal | None = None
        self._on_frame, self._on_end, self._on_warning = on_frame, on_end, on_warning
        self._latency_ns = spec.rtsp.latency_ms * 1_000_000
        self._waker = Waker()
        self._session = RtspSession(_choose_options(spec.rtsp), memory, self._waker, self)
        self._feed: PacketFeed | None = None
        self._reorderer: Reorderer | None = None
        self._pipeline: Pipeline | None = None
        self._not_before_ns = 0
        self._ended = threading.Lock()
        self._thread = watched(
            self._run, name="rtsp", died=lambda error: self._end(f"internal error: {error!r}")
        )

    # ------------------------------------------------------ interface of a pipeline

    @property
    def data_seen(self) -> bool:
        """Whether the camera has sent any packet."""
        return self._session.packets > 0

    @property
    def lost(self) -> int:
        """Number of frames that the camera's packets show to be missing."""
        return self._feed.lost if self._feed is not None else 0

    @property
    def queue_overruns(self) -> int:
        """Number of pictures that a decoder or encoder did not accept in time."""
        return self._pipeline.queue_overruns if self._pipeline is not None else 0

    @property
    def last_raw_ns(self) -> int:
        """Monotonic time at which the local encoder last received a picture."""
        return self._pipeline.last_raw_ns if self._pipeline is not None else 0

    def start(self, not_before_ns: int = 0) -> None:
        """Connect and play; locally encoded pictures start at `not_before_ns`."""
        self._not_before_ns = not_before_ns
        self.last_frame_ns = time.monotonic_ns()
        self._thread.start()

    def stop(self) -> None:
        """Close the session and end the run."""
        self._waker.stop()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)
        if self._pipeline is not None:
            self._pipeline.stop()
        if not self._thread.is_alive():
            self._waker.close()

    def request_keyframe(self) -> None:
        """Request a keyframe from the local encoder if there is one, otherwise from the camera."""
        pipeline = self._pipeline
        if pipeline is not None:
            pipeline.request_keyframe()
        else:
            self._session.request_keyframe()

    # ------------------------------------------------- the session's thread

    def _run(self) -> None:
        try:
            self._session.run()
        except Stopped:
            self._flush_feed()
        except RtspError as error:
            self._flush_feed()
            self.refusal = error.refusal
            self._end(str(error))
        except Exception as error:
            log.exception("the RTSP session failed")
            self._end(f"the RTSP client failed: {error!r}; see the worker's log")

    def _flush_feed(self) -> None:
        """Pass on the pictures that are complete."""
        try:
            if self._feed is not None:
                self._feed.end()
        except ValueError as error:
            self._on_warning(str(error))

    def _end(self, reason: str) -> None:
        if self._ended.acquire(blocking=False) and not self._waker.stopping:
            self._on_end(reason)

    def begin(self, track: CameraTrack, chosen: TrackFormat, way: Way) -> Take:
        """Prepare for the packets of a track and return the feed that accepts them."""
        self._flush_feed()
        if self._pipeline is not None:
            self._pipeline.stop()
            self._pipeline = None
        self.source_format = chosen.codec
        feed: PacketFeed
        try:
            if chosen.codec == "h264" and not self.spec.force_encode:
                feed = CopiedH264(chosen, self._frame, self._on_warning)
            else:
                feed = self._decoding(track, chosen)
        except ValueError as error:
            raise RtspError(str(error)) from error
        self._feed = feed
        self._reorderer = None if way == "tcp" else Reorderer(self._latency_ns, feed.packet)
        return feed.packet if self._reorderer is None else self._reorderer.packet

    def _decoding(self, track: CameraTrack, chosen: TrackFormat) -> PacketFeed:
        pipeline = decoding_pipeline(
            self.spec,
            track,
            chosen,
            on_frame=self._handle_encoded,
            on_end=self._end,
            on_warning=self._on_warning,
        )
        try:
            pipeline.start(self._not_before_ns)
        except BuildError as error:
            pipeline.stop()
            raise RtspError(str(error)) from error
        self._pipeline = pipeline
        if chosen.codec == "h264":
            return DecodedH264(chosen, pipeline, self._on_warning)
        return DecodedPackets(chosen, pipeline, self._on_warning)

    def sender_report(self, report: SenderReport, arrived_ns: int) -> None:
        """Process a sender report with the camera's clock."""
        if self._feed is not None:
            self._feed.sender_report(report, arrived_ns)

    def tick(self, now_ns: int) -> None:
        """Pass on pictures that have waited long enough."""
        if self._reorderer is not None and self._reorderer.waiting:
            self._reorderer.due(now_ns)
        if self._feed is not None:
            self._feed.tick(now_ns)

    def warn(self, text: str) -> None:
        """Report a warning to the operator."""
        self._on_warning(text)

    def _handle_encoded(self, frame: Frame) -> None:
        """Handle a frame from the decoding pipeline."""
        if self._pipeline is not None:
            self.transcoded = self._pipeline.transcoded
            self.source_format = self._pipeline.source_format or self.source_format
        self._frame(frame)

    def _frame(self, frame: Frame) -> None:
        self.frames += 1
        self.last_frame_ns = time.monotonic_ns()
        self.codec = frame.codec
        self._on_frame(frame)


def _choose_options(rtsp: Rtsp) -> Wanted:
    credentials = None if rtsp.user is None else Credentials(rtsp.user, rtsp.password or "")
    choice = _CHOICES.get(rtsp.transport)
    if choice is None:
        raise BuildError(f"there is no transport {rtsp.transport!r}")
    return Wanted(Target(rtsp.url, credentials, rtsp.verify_tls), choice, rtsp.track)
