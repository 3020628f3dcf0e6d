"""The verb `live`: stitch both cameras' live pictures, encode them and feed the live process.

`spec` has `directory` and `name` (where to listen for the cameras' feeds), `feed` (the live
process's socket), `pair`, `projection`, `width`, `height`, `blend_px`, `fps`, `preset` and
`bitrate_kbps`. It runs until it is stopped. Pictures that cannot be stitched in time are dropped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2

from touchline.ipc.feed import Feed
from touchline.ipc.tee import Frame
from touchline.studio.errors import StudioError
from touchline.studio.pictures.encoder import Encoder, EncoderQuality, convert_range
from touchline.studio.pictures.pairing import Shot
from touchline.studio.pictures.planes import new_frame, planes_of
from touchline.studio.pictures.receiving import Receiver
from touchline.studio.stitching.geometry import Pair, canvas_for
from touchline.studio.stitching.stitcher import Stitcher
from touchline.studio.verbs import Tell
from touchline.studio.verbs.panorama import fitting

log = logging.getLogger(__name__)

CAMERAS = ("cam0", "cam1")
STREAM = "panorama"
FIRST_WITHIN_S = 12.0
TOLERANCE_NS = 33_400_000
"""A camera that is further behind has lost a frame or failed."""
IN_STEP_NS = 2_000_000
_TELL_EVERY_S = 1.0
_WAIT_S = 0.2
_NANO = 1_000_000_000


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Stitch until stopped. Raises StudioError if no pictures arrive."""
    receiver = Receiver(Path(spec["directory"]), str(spec["name"]))
    try:
        tell({"listening": True})
        sizes = _sizes(receiver, stopping)
        if sizes is None:
            return {}
        pair = fitting(Pair.from_json(spec["pair"]), *sizes)
        canvas = canvas_for(
            pair,
            projection=spec.get("projection", "cylindrical"),
            width=spec.get("width"),
            height=spec.get("height"),
        )
        stitcher = Stitcher(pair, canvas, blend_px=int(spec["blend_px"]))
        return _Showing(spec, receiver, stitcher).run(tell, stopping)
    finally:
        receiver.close()


def _sizes(
    receiver: Receiver, stopping: threading.Event
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the sizes of both cameras' pictures; None if stopped before they arrived."""
    end_s = time.monotonic() + FIRST_WITHIN_S
    while not stopping.is_set():
        sizes = receiver.sizes
        if all(camera in sizes for camera in CAMERAS):
            return sizes[CAMERAS[0]], sizes[CAMERAS[1]]
        if time.monotonic() > end_s:
            silent = " and ".join(camera for camera in CAMERAS if camera not in sizes)
            raise StudioError("no_pair", f"{silent} sent no frames")
        receiver.wait(_WAIT_S)
    return None


class _Showing:
    def __init__(self, spec: Mapping[str, Any], receiver: Receiver, stitcher: Stitcher) -> None:
        cv2.setNumThreads(1)
        self._receiver = receiver
        self._stitcher = stitcher
        self._fps = Fraction(int(spec["fps"]))
        quality = EncoderQuality(
            preset=str(spec.get("preset", "ultrafast")),
            threads=1,
            gop_s=1.0,
            bitrate_kbps=int(spec["bitrate_kbps"]),
            zero_latency=True,
        )
        self._colour = receiver.colours.get(CAMERAS[0])
        size = stitcher.width, stitcher.height
        self._encoder = Encoder(*size, self._fps, quality, self._colour)
        self._keyframe = threading.Event()
        self._feed_lost = threading.Event()
        self._feed = Feed(
            Path(spec["feed"]),
            STREAM,
            keyframe_wanted=self._keyframe.set,
            ended=self._handle_end,
        )
        self._figures = _Figures(stitcher.width, stitcher.height, int(self._fps))

    def _handle_end(self, feed: Feed) -> None:
        del feed
        self._feed_lost.set()

    def run(self, tell: Tell, stopping: threading.Event) -> dict[str, Any]:
        step_ns = _NANO // int(self._fps)
        due_ns, next_tell_s = 0, time.monotonic() + _TELL_EVERY_S
        try:
            while not stopping.is_set():
                if self._feed_lost.is_set():
                    raise StudioError("live_lost", "The live process accepts no more frames")
                two = self._newest(due_ns)
                if two is None:
                    self._receiver.wait(_WAIT_S)
                else:
                    self._show(*two)
                    # On a grid, so that 15 of 30 frames a second are evenly spaced.
                    due_ns = max(due_ns + step_ns, two[0].at_ns + step_ns // 2)
                if time.monotonic() >= next_tell_s:
                    next_tell_s += _TELL_EVERY_S
                    tell(self._figures.summary())
        finally:
            self._feed.close()
        return {}

    def _newest(self, due_ns: int) -> tuple[Shot[av.VideoFrame], Shot[av.VideoFrame]] | None:
        """Return the newest due picture of camera 0 that has a partner of the same instant."""
        second = self._receiver.waiting(CAMERAS[1])
        for shot in reversed(self._receiver.waiting(CAMERAS[0])):
            if shot.at_ns < due_ns:
                return None
            if not second or second[-1].at_ns < shot.at_ns - IN_STEP_NS:
                continue  # its partner may still arrive
            best = second[0]
            for other in second:
                if abs(other.at_ns - shot.at_ns) < abs(best.at_ns - shot.at_ns):
                    best = other
            if abs(best.at_ns - shot.at_ns) <= TOLERANCE_NS:
                return shot, best
        return None

    def _show(self, first: Shot[av.VideoFrame], second: Shot[av.VideoFrame]) -> None:
        began_s = time.perf_counter()
        frame, into = new_frame(self._stitcher.width, self._stitcher.height)
        views = [convert_range(shot.picture, self._colour) for shot in (first, second)]
        self._stitcher.stitch(planes_of(views[0]), planes_of(views[1]), into)
        stitched_s = time.perf_counter()
        if self._keyframe.is_set():
            self._keyframe.clear()
            frame.pict_type = av.video.frame.PictureType.I
        for coded in self._encoder.encode(frame, first.at_ns):
            self._feed.push(
                Frame(
                    data=coded.data,
                    pts_ns=coded.at_ns,
                    dts_ns=coded.at_ns,
                    duration_ns=_NANO // int(self._fps),
                    keyframe=coded.keyframe,
                    codec=self._encoder.codec,
                )
            )
        self._figures.add(
            apart_ns=abs(first.at_ns - second.at_ns),
            stitch_s=stitched_s - began_s,
            all_s=time.perf_counter() - began_s,
            age_s=(time.monotonic_ns() - first.at_ns) / _NANO,
        )


class _Figures:
    """Statistics that are reported once a second."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        self._size = (width, height)
        self._fps = fps
        self._first_s: float | None = None
        self._frames = 0
        self._apart_ns = 0
        self._stitch_s = 0.0
        self._since_s, self._since_frames = time.monotonic(), 0
        self._last: dict[str, float] = {}

    def add(self, *, apart_ns: int, stitch_s: float, all_s: float, age_s: float) -> None:
        """Count one more picture."""
        if self._first_s is None:
            self._first_s = time.monotonic()
        self._frames += 1
        self._apart_ns += apart_ns
        self._stitch_s += stitch_s
        self._last = {"stitch_s": stitch_s, "all_s": all_s, "age_s": age_s}

    def summary(self) -> dict[str, Any]:
        now_s = time.monotonic()
        due = 0 if self._first_s is None else int((now_s - self._first_s) * self._fps)
        fps = (self._frames - self._since_frames) / max(now_s - self._since_s, 1e-3)
        self._since_s, self._since_frames = now_s, self._frames
        count = max(self._frames, 1)
        return {
            "frames": self._frames,
            "fps": round(fps, 2),
            "width": self._size[0],
            "height": self._size[1],
            "avg_apart_ms": round(self._apart_ns / count / 1e6, 3),
            "avg_stitch_ms": round(self._stitch_s / count * 1e3, 3),
            "last_stitch_ms": round(self._last.get("stitch_s", 0.0) * 1e3, 3),
            "last_encode_ms": round(
                (self._last.get("all_s", 0.0) - self._last.get("stitch_s", 0.0)) * 1e3, 3
            ),
            "delay_ms": round(self._last.get("age_s", 0.0) * 1e3, 1),
            "dropped": max(0, due - self._frames),
        }
