"""Sending of the camera's frames to one client on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from touchline.sim.rtsp.ledger import Ledger
from touchline.sim.rtsp.media import tone
from touchline.sim.rtsp.media.outlet import OutletPacket, TrackOutlet
from touchline.sim.rtsp.media.source import SourceSample
from touchline.sim.rtsp.misbehaviour import Misbehaviour
from touchline.sim.rtsp.occasion import Occasion, due, held_s
from touchline.sim.rtsp.transport import Delivery

_WAIT_S = 0.1
_LARGEST_BACKLOG_BYTES = 64 * 1024 * 1024
_PACKET_NS = 1_000_000_000 * tone.PACKET // tone.RATE


@dataclass(frozen=True)
class PlayedTrack:
    """A track that a client has set up."""

    kind: str
    outlet: TrackOutlet
    delivery: Delivery


class Player:
    """A playing client; a listener of the source."""

    def __init__(
        self,
        number: int,
        channels: dict[int, PlayedTrack],
        odd: Misbehaviour,
        occasion: Occasion,
        ledger: Ledger,
        ended: Callable[[str], None],
    ) -> None:
        """Create the player; `channels` is by track, `ended` receives the reason for the end."""
        self._number = number
        self._channels = channels
        self._odd = odd
        self._occasion = occasion
        self._ledger = ledger
        self._ended = ended
        self._ready = threading.Condition()
        self._backlog: deque[SourceSample] = deque()
        self._backlog_bytes = 0
        self._overrun = False
        self._gone = threading.Event()
        self._paused = False
        self._started = False
        self._thread = threading.Thread(target=self._run, name=f"player {number}", daemon=True)
        self._started_ns = time.monotonic_ns()
        self._tone_packets = 0
        self._skips_keyframe = odd.first_keyframe_after is not None
        self.first_ns: int | None = None
        """When the first frame was ready for this client."""

    def start(self) -> None:
        """Start sending pushed samples; a second call has no effect."""
        if not self._started:
            self._started = True
            self._thread.start()

    def stop(self) -> None:
        """Stop sending, without waiting for the thread."""
        self._gone.set()
        with self._ready:
            self._ready.notify_all()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end."""
        if self._started:
            self._thread.join(timeout_s)

    def pause(self, *, paused: bool) -> None:
        """Pause or resume sending; frames are skipped while paused."""
        self._paused = paused

    def elapsed_s(self) -> float:
        """Return the time for timed misbehaviour in seconds; -1 before it begins."""
        return self._occasion.elapsed_s(self.first_ns, time.monotonic_ns())

    def held_s(self) -> float:
        """Return how much longer everything is held back, in seconds."""
        odd = self._odd
        if odd.silent_for is not None:
            silent_s = odd.silent_for - (time.monotonic_ns() - self._started_ns) / 1e9
            if silent_s > 0 and self.first_ns is not None:
                return silent_s
        return held_s(odd, self.elapsed_s())

    def wait_for_first(self, timeout_s: float) -> None:
        """Wait until the first frame is sent, or until the timeout."""
        with self._ready:
            self._ready.wait_for(
                lambda: self.first_ns is not None or self._gone.is_set(), timeout_s
            )
        self._gone.wait(_WAIT_S)

    def push(self, sample: SourceSample) -> None:
        """Queue a sample of the source; a client that does not read eventually loses frames."""
        if self._paused or sample.track not in self._channels:
            return
        size_bytes = sum(map(len, sample.units))
        with self._ready:
            if self._backlog_bytes + size_bytes > _LARGEST_BACKLOG_BYTES:
                self._overrun = True
            if self._overrun and (self._backlog or not sample.keyframe):
                return
            self._overrun = False
            self._backlog.append(sample)
            self._backlog_bytes += size_bytes
            self._ready.notify_all()

    # -------------------------------------------------------------- the thread

    def _run(self) -> None:
        reason = ""
        try:
            while not self._gone.is_set() and not reason:
                sample = self._next()
                if sample is not None:
                    reason = self._send(sample)
                self._send_tone()
                if due(self._odd.close_after, self.elapsed_s()):
                    reason = "close_after"
        except OSError as error:
            reason = f"the client is gone: {error}"
        self._ended(reason)

    def _next(self) -> SourceSample | None:
        with self._ready:
            if not self._backlog:
                self._ready.wait(tone.PACKET / tone.RATE if self._has_tone() else _WAIT_S)
            if not self._backlog or self._gone.is_set():
                return None
            sample = self._backlog.popleft()
            self._backlog_bytes -= sum(map(len, sample.units))
            if self.first_ns is None:
                self.first_ns = time.monotonic_ns()
                self._ready.notify_all()
            return sample

    def _send(self, sample: SourceSample) -> str:
        """Send one access unit; return the reason if it was the last."""
        if self._skips_keyframe:
            self._skips_keyframe = sample.keyframe
            if sample.keyframe:
                return ""
        channel = self._channels[sample.track]
        now_s = time.monotonic()
        elapsed_s = self.elapsed_s()
        if due(self._odd.bye_after, elapsed_s):
            channel.delivery.rtcp(channel.outlet.build_bye())
            self._ledger.note("misbehaviour", what="bye", client=self._number)
            return "bye"
        if due(self._odd.endless_unit_after, elapsed_s):
            return self._send_endless(channel, sample)
        packets = channel.outlet.packets(sample, elapsed_s)
        channel.delivery.rtp([packet.data for packet in packets if not packet.lost])
        self._note(sample, packets)
        # After the frame: a client that gets a report already has a timestamp.
        for report in channel.outlet.reports(now_s, sample.captured_ns):
            channel.delivery.rtcp(report)
        return ""

    def _note(self, sample: SourceSample, packets: list[OutletPacket]) -> None:
        width, height = sample.size
        self._ledger.note(
            "frame",
            client=self._number,
            track=sample.track,
            counter=sample.counter,
            keyframe=sample.keyframe,
            whole=not any(packet.lost for packet in packets),
            captured_ns=sample.captured_ns,
            width=width,
            height=height,
            bytes=sum(map(len, sample.units)),
        )

    def _send_endless(self, channel: PlayedTrack, sample: SourceSample) -> str:
        self._ledger.note("misbehaviour", what="endless_unit", client=self._number)
        while not self._gone.is_set():
            packets = channel.outlet.endless(sample.captured_ns)
            channel.delivery.rtp([packet.data for packet in packets])
        return "endless_unit"

    def _has_tone(self) -> bool:
        return any(channel.kind == "audio" for channel in self._channels.values())

    def _send_tone(self) -> None:
        for channel in self._channels.values():
            if channel.kind != "audio" or self._paused:
                continue
            while True:
                captured_ns = self._started_ns + self._tone_packets * _PACKET_NS
                if captured_ns > time.monotonic_ns() or self._gone.is_set():
                    break
                first = self._tone_packets == 0
                payload = tone.packet(self._tone_packets)
                packet = channel.outlet.sound(payload, captured_ns, first=first)
                self._tone_packets += 1
                channel.delivery.rtp([packet.data])
                for report in channel.outlet.reports(time.monotonic(), captured_ns):
                    channel.delivery.rtcp(report)
