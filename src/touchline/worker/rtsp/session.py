"""One RTSP session with a camera, from its connection to its end.

`RtspSession.run` has its own thread. It reads, answers, reports and keeps the session alive on that
thread; the waker stops it from any other.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from touchline.worker.rtsp.address import control_uris
from touchline.worker.rtsp.authentication import ChallengeVerdict
from touchline.worker.rtsp.conversation import ANSWER_S, Asked, Conversation, failure
from touchline.worker.rtsp.description import CameraTrack, TrackFormat, choose_track
from touchline.worker.rtsp.errors import ConnectionLost, RtspError
from touchline.worker.rtsp.keepalive import KeepAlive, session_timeout_s
from touchline.worker.rtsp.link import Waker
from touchline.worker.rtsp.media.rtcp import Reception, SenderReport, is_rtcp, read_reports
from touchline.worker.rtsp.media.transport import (
    Choice,
    Granted,
    Way,
    build_transport,
    granted_transport,
    ways,
)
from touchline.worker.rtsp.media.udp import ReceiverUdpPair
from touchline.worker.rtsp.messages import Response
from touchline.worker.rtsp.opening import Opened, Target, open_camera

TICK_S = 0.02
"""Interval at which the sink may pass on what has waited long enough."""
_FIRST_REPORT_S, _REPORT_S = 1.0, 5.0
_UDP_SILENCE_S = 1.5
"""With `auto`, UDP packets must arrive within this time of PLAY; otherwise TCP is used."""
_BYE_GRACE_S = 0.5
"""A camera that changes its stream may send BYE for the old one and continue."""
_KEYFRAME_EVERY_S = 1.0
_MAX_SESSION_CHARS = 512


@dataclass(frozen=True)
class Wanted:
    """The stream to play and its options."""

    target: Target
    transport: Choice = "tcp"
    track: str | int | None = None


@dataclass
class SessionMemory:
    """What a session learned about a camera for the next one; initially empty."""

    control: str | None = None
    methods: frozenset[str] | None = None
    way: Way | None = None
    keep_alive: str | None = None
    signed_in: bool = False
    """Whether the camera has ever accepted the credentials."""


Take = Callable[[bytes, int], None]
"""Consumer of an RTP packet and its arrival. May raise ValueError, which ends the session."""


class Sink(Protocol):
    """Consumer of the packets; called on the session's thread. May raise RtspError."""

    def begin(self, track: CameraTrack, chosen: TrackFormat, way: Way) -> Take:
        """Prepare for the track that will be played, and return the consumer of its packets."""

    def sender_report(self, report: SenderReport, arrived_ns: int) -> None:
        """Process a sender report with the camera's clock."""

    def tick(self, now_ns: int) -> None:
        """Do periodic work; called about every `TICK_S`."""

    def warn(self, text: str) -> None:
        """Report a problem to the operator that does not end the session."""


class _UdpSilent(Exception):
    """No packet arrived over UDP."""


class RtspSession:
    """Playback of one camera's stream into a sink."""

    def __init__(self, wanted: Wanted, memory: SessionMemory, waker: Waker, sink: Sink) -> None:
        self._wanted, self._memory, self._waker, self._sink = wanted, memory, waker, sink
        self._reception = Reception(secrets.randbits(32))
        self._take: Take | None = None
        self._udp: ReceiverUdpPair | None = None
        self._granted = Granted("tcp", (0, 1), None, None)
        self._payload_types: frozenset[int] = frozenset()
        self._assigned_seen = False
        self.packets = 0
        self._bye_s: float | None = None
        self._bye_packets = 0
        self._keyframe_wanted = False
        self._keyframe_due_s = 0.0
        self._keyframes = 0

    def request_keyframe(self) -> None:
        """Request a keyframe if the camera supports that; from any thread."""
        self._keyframe_wanted = True
        self._waker.wake()

    def run(self) -> None:
        """Play until the waker (raises Stopped) or the camera (raises RtspError) ends this."""
        try:
            try:
                self._play_once()
            except _UdpSilent:
                self._memory.way = "tcp"
                self._sink.warn("no packets received over UDP; switching to TCP")
                self._play_once()
        except ValueError as error:
            raise RtspError(str(error)) from error

    def _play_once(self) -> None:
        self._take, self._assigned_seen = None, False
        self.packets, self._bye_s = 0, None
        opened = open_camera(
            self._wanted.target,
            self._waker,
            on_packet=self._handle_interleaved,
            methods=self._memory.methods,
        )
        conversation, uri = opened.conversation, opened.base
        try:
            self._memory.methods = opened.methods
            self._memory.signed_in = True
            track = choose_track(
                opened.description.tracks, self._wanted.track, self._memory.control
            )
            if track.format is None:
                raise RtspError("the camera offers no video that can be recorded")
            self._memory.control = track.control
            uri, timeout_s = self._set_up(opened, track, track.format)
            self._play(conversation, uri, opened, track)
            self._listen(conversation, uri, track, timeout_s, opened.methods)
        finally:
            if conversation.session is not None:
                conversation.part(uri)
            conversation.link.close()
            if self._udp is not None:
                self._udp.close()
                self._udp = None

    # ------------------------------------------------------------- beginning

    def _set_up(self, opened: Opened, track: CameraTrack, chosen: TrackFormat) -> tuple[str, float]:
        """Set the track up; return the aggregate URI and the session's timeout."""
        tls = opened.address.tls
        answer = Response(461, "Unsupported Transport")
        tried: list[Way] = []
        for way in ways(self._wanted.transport, tls=tls, before=self._memory.way):
            if tried and answer.status == 461:
                self._sink.warn(f"the camera refuses {tried[-1].upper()}; {way.upper()} is used")
            elif tried:
                break
            tried.append(way)
            answer = self._ask_set_up(opened, track, way)
            if answer.ok:
                self._granted = granted_transport(answer.headers.get("transport"), way)
                if self._granted.way == "udp" and self._udp is None:
                    answer = Response(461, "UDP where TCP was asked for")
                    continue
                self._memory.way = way if len(tried) > 1 else self._memory.way
                break
        if not answer.ok:
            raise failure("SETUP", answer)
        field = answer.headers.get("session") or ""
        session = field.split(";")[0].strip()
        if len(session) > _MAX_SESSION_CHARS:
            raise RtspError("the camera's session id is too long")
        opened.conversation.begin_session(session or None)
        self._prepare(opened, track, chosen)
        return self._aggregate_uri(opened), session_timeout_s(field)

    def _ask_set_up(self, opened: Opened, track: CameraTrack, way: Way) -> Response:
        conversation, ports = opened.conversation, None
        if self._udp is not None:
            self._udp.close()
            self._udp = None
        if way == "udp":
            self._udp = ReceiverUdpPair(conversation.link)
            ports = self._udp.ports
        header = [("Transport", build_transport(way, ports))]
        answer = Response(404, "Not Found")
        for uri in control_uris(opened.base, track.control):
            answer = conversation.ask("SETUP", uri, header)
            if answer.status not in {400, 404, 454, 455, 460}:
                break
        return answer

    @staticmethod
    def _aggregate_uri(opened: Opened) -> str:
        """Return the aggregate URI of all tracks."""
        control = opened.description.control
        return control_uris(opened.base, control)[0] if control else opened.base

    def _prepare(self, opened: Opened, track: CameraTrack, chosen: TrackFormat) -> None:
        """Prepare for packets, which may arrive before the response to PLAY."""
        conversation = opened.conversation
        self._payload_types = frozenset(each.payload_type for each in track.formats)
        if self._granted.way == "tcp":
            conversation.reader.grant(self._granted.channels)
            if self._udp is not None:
                self._udp.close()
                self._udp = None
        elif self._udp is not None:
            conversation.link.watch(self._udp.sockets)
            self._udp.sent_from(self._granted.ports, self._granted.source)
            self._udp.open_path(self._reception.report_without_blocks())
        self._take = self._sink.begin(track, chosen, self._granted.way)

    def _play(
        self, conversation: Conversation, uri: str, opened: Opened, track: CameraTrack
    ) -> None:
        attempts = [(uri, [("Range", "npt=0.000-")])]
        attempts += [(uri, []), (control_uris(opened.base, track.control)[0], [])]
        answer = Response(0, "")
        for each, headers in attempts:
            answer = conversation.ask("PLAY", each, headers)
            if answer.status not in {400, 404, 454, 455, 457, 459, 460}:
                break
        if not answer.ok:
            raise failure("PLAY", answer)

    # ------------------------------------------------------------- playing

    def _listen(
        self,
        conversation: Conversation,
        uri: str,
        track: CameraTrack,
        timeout_s: float,
        methods: frozenset[str],
    ) -> None:
        began_s = now_s = time.monotonic()
        keep = KeepAlive(timeout_s, methods, now_s, method=self._memory.keep_alive)
        alive = _KeepAlives(conversation, uri, keep)
        report_s = now_s + _FIRST_REPORT_S
        fallible = self._wanted.transport == "auto" and self._granted.way == "udp"
        try:
            while True:
                ready = conversation.link.wait(TICK_S)
                conversation.take(ready)
                if self._udp is not None:
                    self._udp.take(ready, self._datagram)
                now_s = time.monotonic()
                self._sink.tick(time.monotonic_ns())
                self._check_end(conversation, now_s)
                if fallible and not self.packets and now_s > began_s + _UDP_SILENCE_S:
                    raise _UdpSilent
                alive.look(now_s)
                if now_s >= report_s:
                    report_s = now_s + _REPORT_S
                    self._report(conversation, self._reception.report(self.packets, now_s))
                if self._keyframe_wanted and now_s >= self._keyframe_due_s:
                    self._ask_for_keyframe(conversation, track, now_s)
        except ConnectionLost:
            if alive.unanswered and keep.method == "GET_PARAMETER":
                # Some cameras close the connection on an unknown request.
                self._memory.keep_alive = "OPTIONS"
            raise

    def _check_end(self, conversation: Conversation, now_s: float) -> None:
        """Raise ConnectionLost if the camera has announced the end of the session."""
        if conversation.ended is not None:
            raise ConnectionLost(conversation.ended)
        if self.packets != self._bye_packets:
            self._bye_s = None
        if self._bye_s is not None and now_s > self._bye_s + _BYE_GRACE_S:
            raise ConnectionLost("the camera ended its stream (RTCP BYE)")

    def _report(self, conversation: Conversation, packet: bytes) -> None:
        if self._udp is not None:
            self._udp.send(packet)
        elif self.packets:
            conversation.send_packet(self._granted.channels[1], packet)

    def _ask_for_keyframe(
        self, conversation: Conversation, track: CameraTrack, now_s: float
    ) -> None:
        self._keyframe_wanted = False
        if not track.keyframes_on_request or not self.packets:
            return
        self._keyframe_due_s = now_s + _KEYFRAME_EVERY_S
        self._keyframes += 1
        full = "pli" not in track.keyframes_on_request
        request = self._reception.keyframe_request(self._keyframes, full=full)
        self._report(conversation, request)

    # --------------------------------------------------------------- packets

    def _handle_interleaved(self, channel: int, data: bytes) -> None:
        take, channels = self._take, self._granted.channels
        if take is None or self._granted.way != "tcp" or len(data) < 12:
            if take is not None and is_rtcp(data):
                self._control(data)
            return
        if 192 <= data[1] <= 223:
            self._control(data)
            return
        if channel == channels[0]:
            self._assigned_seen = True
        elif self._assigned_seen or data[1] & 0x7F not in self._payload_types:
            return  # another track; a camera may also use another channel than announced
        self.packets += 1
        self._reception.received(data)
        take(data, time.monotonic_ns())

    def _datagram(self, data: bytes) -> None:
        take = self._take
        if is_rtcp(data):
            self._control(data)
        elif take is not None and len(data) >= 12:
            self.packets += 1
            self._reception.received(data)
            take(data, time.monotonic_ns())

    def _control(self, data: bytes) -> None:
        for each in read_reports(data):
            if isinstance(each, SenderReport):
                self._reception.sender(each, time.monotonic())
                self._sink.sender_report(each, time.monotonic_ns())
            elif self._reception.ssrc in each.ssrcs:
                self._bye_s, self._bye_packets = time.monotonic(), self.packets


class _KeepAlives:
    """The keep-alives of a session."""

    def __init__(self, conversation: Conversation, uri: str, keep: KeepAlive) -> None:
        self._conversation, self._uri, self._keep = conversation, uri, keep
        self._asked: Asked | None = None
        self._asked_s = 0.0

    @property
    def unanswered(self) -> bool:
        """Whether a keep-alive was sent and not answered."""
        return self._asked is not None and self._asked.answer is None

    def look(self, now_s: float) -> None:
        """Send a keep-alive when it is due."""
        asked = self._asked
        if asked is not None:
            if asked.answer is not None:
                self._asked = None
                self._note(asked.answer, now_s)
            elif now_s > self._asked_s + min(ANSWER_S, self._keep.interval_s):
                self._asked = None
                self._keep.answered(None, now_s)
        if now_s >= self._keep.due_s:
            self._keep.sent(now_s)
            self._asked, self._asked_s = (
                self._conversation.post(self._keep.method, self._uri),
                now_s,
            )

    def _note(self, answer: Response, now_s: float) -> None:
        if answer.status != 401:
            self._conversation.signer.accepted()
            self._keep.answered(answer.status, now_s)
        elif self._conversation.sign(answer) is ChallengeVerdict.SIGN:
            self._keep.repeat(now_s)
