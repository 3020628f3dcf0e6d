"""Drawing and encoding of the camera's pictures, once for all players."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple, Protocol

from touchline.media.picture.testpicture import TestPicture
from touchline.sim.rtsp.ledger import Ledger
from touchline.sim.rtsp.media.encoder import CodedPicture, Coding, SimulatedEncoder
from touchline.sim.rtsp.misbehaviour import Misbehaviour
from touchline.sim.rtsp.occasion import Occasion, due

_CATCH_UP_S = 0.9
"""Pictures that are late by at most this are still drawn; later ones are skipped."""


class SourceSample(NamedTuple):
    """An access unit for the players."""

    track: int
    counter: int
    captured_ns: int
    """When the picture was taken, on `time.monotonic_ns`'s clock."""
    units: tuple[bytes, ...]
    keyframe: bool
    parameter_sets: tuple[bytes, ...]
    size: tuple[int, int]


class Listener(Protocol):
    """Receiver of samples."""

    def push(self, sample: SourceSample) -> None:
        """Accept a sample without blocking."""


class VideoTrack:
    """A video track with its picture and its encoder."""

    def __init__(self, number: int, name: str, coding: Coding) -> None:
        self.number = number
        self.name = name
        self.coding = coding
        self._picture = _picture(name, coding)
        self._encoder = SimulatedEncoder(coding)
        self._captured: dict[int, int] = {}

    @property
    def parameter_sets(self) -> tuple[bytes, ...]:
        """Parameter sets of the current encoding."""
        return self._encoder.parameter_sets

    def encode(self, counter: int, captured_ns: int, *, keyframe: bool) -> list[SourceSample]:
        """Draw and encode a picture."""
        self._captured[counter] = captured_ns
        picture = self._picture.frame(counter, time.time())
        return self._samples(self._encoder.encode(picture, counter, keyframe=keyframe))

    def change(self, coding: Coding) -> list[SourceSample]:
        """Change the encoding, starting with a keyframe; return the old encoder's last pictures."""
        rest = self._samples(self._encoder.finish())
        self._captured.clear()
        if (coding.width, coding.height, coding.fps) != (
            self.coding.width,
            self.coding.height,
            self.coding.fps,
        ):
            self._picture = _picture(self.name, coding)
        self.coding = coding
        self._encoder = SimulatedEncoder(coding)
        return rest

    def _samples(self, coded: list[CodedPicture]) -> list[SourceSample]:
        return [
            SourceSample(
                track=self.number,
                counter=one.counter,
                captured_ns=self._captured.pop(one.counter),
                units=one.units,
                keyframe=one.keyframe,
                parameter_sets=self.parameter_sets,
                size=(self.coding.width, self.coding.height),
            )
            for one in coded
        ]


def _picture(name: str, coding: Coding) -> TestPicture:
    rate = coding.fps
    return TestPicture(name, coding.width, coding.height, rate.numerator, rate.denominator)


class PictureSource:
    """Source that draws frame `n` at `n` frame periods after the start, while there are players.

    The counter continues without players, and shows what a stall skipped.
    """

    def __init__(
        self,
        tracks: list[VideoTrack],
        odd: Misbehaviour,
        stalled: Callable[[float], bool],
        occasion: Occasion,
        ledger: Ledger,
    ) -> None:
        self.tracks = tracks
        self._odd = odd
        self._stalled = stalled
        self._occasion = occasion
        self._ledger = ledger
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._keyframes_due_ns: list[int] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)
        self._first_sent_ns: int | None = None
        self._changed: set[str] = set()
        self._fresh = True

    def start(self) -> None:
        """Start counting frames."""
        self._thread.start()

    def stop(self) -> None:
        """Stop pushing samples; return when stopped."""
        self._stopping.set()
        self._thread.join()

    def add(self, listener: Listener) -> None:
        """Add a listener."""
        with self._lock:
            self._listeners.append(listener)
            after_s = self._odd.first_keyframe_after
            if after_s is not None:
                self._keyframes_due_ns.append(time.monotonic_ns() + round(after_s * 1e9))

    def remove(self, listener: Listener) -> None:
        """Remove a listener."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _run(self) -> None:
        fps = self.tracks[0].coding.fps
        origin_ns, origin = time.monotonic_ns(), 0
        index = 0
        while True:
            frame_ns = Fraction(1_000_000_000) / fps
            captured_ns = origin_ns + round((index - origin) * frame_ns)
            if self._stopping.wait(max(0.0, (captured_ns - time.monotonic_ns()) / 1e9)):
                return
            changed_fps = self._frame(index, captured_ns)
            if changed_fps != fps:
                origin_ns, origin, fps = captured_ns, index, changed_fps
                frame_ns = Fraction(1_000_000_000) / fps
            index += 1
            late_ns = time.monotonic_ns() - origin_ns - (index - origin) * frame_ns
            if late_ns > _CATCH_UP_S * 1e9:
                # After a pause of the whole process the camera continues at the current time.
                index += int(late_ns / frame_ns)

    def _frame(self, index: int, captured_ns: int) -> Fraction:
        """Produce frame `index` if there are players; return the current frame rate."""
        with self._lock:
            listeners = list(self._listeners)
            due_ns = [at for at in self._keyframes_due_ns if at <= captured_ns]
            for at in due_ns:
                self._keyframes_due_ns.remove(at)
        sending_s = self._since_first_s(captured_ns)
        if not listeners:
            if not self._fresh:
                for track in self.tracks:
                    track.change(track.coding)
            self._fresh = True
        elif not self._stalled(max(0.0, sending_s)):
            rest = self._change(self._occasion.elapsed_s(self._first_sent_ns, captured_ns))
            made = [
                sample
                for track in self.tracks
                for sample in track.encode(index, captured_ns, keyframe=bool(due_ns))
            ]
            self._fresh = False
            if self._first_sent_ns is None:
                self._first_sent_ns = captured_ns
            for sample in [*rest, *made]:
                for listener in listeners:
                    listener.push(sample)
        return self.tracks[0].coding.fps

    def _since_first_s(self, now_ns: int) -> float:
        return 0.0 if self._first_sent_ns is None else (now_ns - self._first_sent_ns) / 1e9

    def _change(self, elapsed_s: float) -> list[SourceSample]:
        """Change the encoding when due; return the old encoders' remaining pictures."""
        odd = self._odd
        rest: list[SourceSample] = []
        if odd.resize_to is not None and self._now("resize", odd.resize_after, elapsed_s):
            width, height = odd.resize_to
            first = self.tracks[0]
            rest += first.change(replace(first.coding, width=width, height=height))
        if self._now("recode", odd.recode_after, elapsed_s):
            for track in self.tracks:
                rest += track.change(replace(track.coding, other_parameters=True))
        if odd.rate_to is not None and self._now("rate", odd.rate_after, elapsed_s):
            for track in self.tracks:
                rest += track.change(replace(track.coding, fps=Fraction(odd.rate_to)))
        return rest

    def _now(self, what: str, after_s: float | None, elapsed_s: float) -> bool:
        if what in self._changed or not due(after_s, elapsed_s):
            return False
        self._changed.add(what)
        self._ledger.note("misbehaviour", what=what)
        return True
