"""Coded frames to synced segments on disk: what is on the way to disk is at most a fragment.

Two sides meet in one bounded queue. `push` (the pipeline's thread) gathers frames into fragments
and never waits. The writer (a thread of its own) turns each into bytes, appends it to the open
segment, syncs it, and begins and finishes segments. A disk that is slow, full or away stops only
the writer: fragments wait in memory up to `backlog_bytes`, then whole GOPs are left out, newest
first, and counted; a GOP that would double that is cut short. When half of what waited is written,
a new segment begins after the hole.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from touchline.worker import mp4
from touchline.worker.disk import Disk
from touchline.worker.segments import OpenSegment, SegmentNames
from touchline.worker.synctimes import SyncTimes
from touchline.worker.tee import Frame
from touchline.worker.wire import RecordOrder

log = logging.getLogger(__name__)

JUMP_NS = 1_000_000_000
"""A hole of this length in the timestamps begins a new segment."""
RETRY_S = 0.25
_START = "start"
_SLOW_DISK = "the disk did not keep up"
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class _Begin:
    """Begin a segment with this frame; `hole` says why it does not continue the one before.

    `label` None keeps the label of the one before.
    """

    first: Frame
    label: str | None
    hole: str | None = None


@dataclass(frozen=True)
class _Fragment:
    """Frames in decode order and where the last of them ends."""

    frames: tuple[Frame, ...]
    end_dts_ns: int
    size_bytes: int


class _Closed(Exception):
    """The recording is being closed and the disk takes nothing."""


class Recorder:
    """Records one camera of one match. An outlet of the tee.

    `notify` is called with a message for the server, on any thread, and must return at once.
    """

    def __init__(
        self,
        order: RecordOrder,
        *,
        notify: Callable[[dict[str, Any]], None],
        disk: Disk | None = None,
        sync_times: SyncTimes | None = None,
        wall_label: Callable[[], str] = lambda: time.strftime("%Y%m%d_%H%M%S"),
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.order = order
        self._notify = notify
        self._disk = disk or Disk()
        self._sync_times = sync_times or SyncTimes()
        self._wall_label = wall_label
        self._monotonic_ns = monotonic_ns
        self._names = SegmentNames(order)
        self._lock = threading.Condition()
        # gathering (under the lock)
        self._pending: list[Frame] = []
        self._last: Frame | None = None
        self._arrived_ns = 0
        self._segment_start_ns = 0
        self._codec: mp4.Codec | None = None
        self._broken: str | None = _START
        self._skipping = False
        self._end_ns: int | None = None
        self._held: list[Frame] = []
        self.end_reached = threading.Event()
        self._queue: deque[_Begin | _Fragment] = deque()
        self._backlog_bytes = 0
        self._closing = False
        # writing (the writer's own, read by anyone)
        self._open: OpenSegment | None = None
        self._unfinished: list[OpenSegment] = []
        self.segments: list[dict[str, Any]] = []
        self.gaps: list[dict[str, Any]] = []
        self._end_unix_ns: int | None = None
        self.frames = 0
        self.bytes = 0
        self.dropped_disk = 0
        self.disk_state = "ok"
        self.disk_error: str | None = None
        self.sync_ms_last = 0.0
        self.sync_ms_max = 0.0
        self.started = False
        self._done = threading.Event()
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)
        self._writer.start()

    # ------------------------------------------------------------- gathering

    def push(self, frame: Frame) -> None:
        """Take a frame (pipeline's thread)."""
        with self._lock:
            if self._closing or self.end_reached.is_set():
                return
            if self._end_ns is not None and frame.pts_ns >= self._end_ns:
                self._hold(frame, self._end_ns)
                return
            held, self._held = self._held, []
            for each in (*held, frame):
                self._take(each)

    def _hold(self, frame: Frame, end_ns: int) -> None:
        """A frame from after the end is left out, unless one from before it refers to it.

        B-frames come after the later frame they refer to; once the decode time has passed the end
        as well, none from before it can come any more.
        """
        if frame.dts_ns >= end_ns:
            self._held.clear()
            self.end_reached.set()
        else:
            self._held.append(frame)

    def _take(self, frame: Frame) -> None:
        if self._paced and not self.started and frame.pts_ns < self.order.start_monotonic_ns:
            return
        last, self._last = self._last, frame
        if last is not None and self._broken is None:
            if frame.codec != self._codec:
                self._break("the picture format changed")
            elif not -JUMP_NS < frame.dts_ns - last.dts_ns < JUMP_NS:
                self._break("frames are missing")
        if self._skipping or self._broken is not None:
            if not self._resume_with(frame):
                return
        elif frame.keyframe:
            self._keyframe(frame)
        elif self._pending and self._would_be_too_long(frame):
            self._cut(frame.dts_ns)
            self._skipping = self._backlog_bytes >= 2 * self.order.backlog_bytes
        if self._skipping:
            self.dropped_disk += 1
            return
        self._pending.append(frame)
        self._arrived_ns = self._monotonic_ns()

    def _would_be_too_long(self, frame: Frame) -> bool:
        """Whether the fragment would be if this frame lasted as long as the one before it."""
        last_ns = frame.dts_ns - self._pending[-1].dts_ns
        return frame.dts_ns + last_ns - self._pending[0].dts_ns > self.order.fragment_s * 1e9

    def interrupted(self, reason: str) -> None:
        """The camera broke off: what came is written, the next keyframe begins a new segment."""
        with self._lock:
            if self._broken is None:
                self._break(reason)

    def flush_older_than(self, age_ns: int) -> None:
        """Send what a camera left behind on its way to disk when it has been silent that long."""
        with self._lock:
            if self._pending and self._monotonic_ns() - self._arrived_ns > age_ns:
                self._cut(None)

    _paced = True

    def begin_with_past(self) -> None:
        """Accept frames captured before the order's start: the newest GOP of a copied source."""
        self._paced = False

    def _resume_with(self, frame: Frame) -> bool:
        """Whether this frame begins footage again after a break or after GOPs left out."""
        if not frame.keyframe:
            if self._skipping:
                self.dropped_disk += 1
            return False
        # Half empty: a disk that is only a little too slow must not make a segment of every GOP.
        limit = self.order.backlog_bytes // 2 if self._skipping else self.order.backlog_bytes
        if self._backlog_bytes >= max(limit, 1):
            self._skipping = True
            return True
        broken = self._broken
        self._skipping, self._broken = False, None
        if broken == _START:
            self._begin(frame, self.order.label, None)
        else:
            self._begin(frame, self._wall_label(), broken or _SLOW_DISK)
        return True

    def _keyframe(self, frame: Frame) -> None:
        self._cut(frame.dts_ns)
        if self._backlog_bytes >= self.order.backlog_bytes:
            self._skipping = True
        elif frame.pts_ns - self._segment_start_ns >= self.order.segment_s * 1e9:
            self._begin(frame, None, None)

    def _begin(self, frame: Frame, label: str | None, hole: str | None) -> None:
        self._codec = frame.codec
        self._segment_start_ns = frame.pts_ns
        self._queue.append(_Begin(frame, label, hole))
        self._lock.notify_all()

    def _break(self, reason: str) -> None:
        self._cut(None)
        self._broken = reason

    def _cut(self, next_dts_ns: int | None) -> None:
        """Close the pending fragment; without a next frame the last one keeps its own duration."""
        if not self._pending:
            return
        frames = tuple(self._pending)
        self._pending.clear()
        last = frames[-1]
        end = next_dts_ns if next_dts_ns is not None else last.dts_ns + max(last.duration_ns, 1)
        size = sum(len(f.data) for f in frames)
        self._backlog_bytes += size
        self._queue.append(_Fragment(frames, max(end, last.dts_ns + 1), size))
        self._lock.notify_all()

    # --------------------------------------------------------------- ending

    def end_at(self, monotonic_ns: int) -> None:
        """Leave out frames captured from then on; `end_reached` is set when all before have come.

        A later frame is kept only where B-frames from before the end refer to it.
        """
        with self._lock:
            self._end_ns = monotonic_ns

    def close(self, timeout_s: float) -> dict[str, Any]:
        """Write what is on its way, finish the open segment and say how it went. Blocks.

        With a disk that takes nothing the files stay valid fragmented MP4 and `finalized` is false;
        past `timeout_s` the writer goes on alone and `timed_out` is true.
        """
        with self._lock:
            self._cut(None)
            self._closing = True
            self._held.clear()
            self._lock.notify_all()
        timed_out = not self._done.wait(timeout_s)
        segments = self.segments
        finalized = not timed_out and bool(segments) and all(s["finalized"] for s in segments)
        error = None
        if not segments:
            error = "no footage was written"
        elif timed_out:
            error = f"the disk took no more data for {timeout_s:g} s"
        elif not finalized:
            error = self.disk_error or "a segment could not be finished"
        return {
            "finalized": finalized,
            "timed_out": timed_out,
            "error": error,
            **self.report(),
        }

    @property
    def closed(self) -> bool:
        """Whether everything is written and the writer has gone."""
        return self._done.is_set()

    def report(self) -> dict[str, Any]:
        """Everything known of this recording, for a server that adopts it or closes it."""
        return {
            "match_id": self.order.match_id,
            "segments": [dict(s) for s in self.segments],
            "gaps": list(self.gaps),
            "frames": self.frames,
            "dropped_disk": self.dropped_disk,
        }

    def status(self) -> dict[str, Any]:
        """What the server is told twice a second."""
        current = self.segments[-1] if self.segments else None
        return {
            "match_id": self.order.match_id,
            "started": self.started,
            "segment": dict(current) if current else None,
            "segments": len(self.segments),
            "frames": self.frames,
            "bytes": self.bytes,
            "backlog_bytes": self._backlog_bytes,
            "dropped_disk": self.dropped_disk,
            "disk": self.disk_state,
            "disk_error": self.disk_error,
            "sync_ms_last": round(self.sync_ms_last, 2),
            "sync_ms_max": round(self.sync_ms_max, 2),
        }

    # -------------------------------------------------------------- writing

    def _write(self) -> None:
        try:
            while True:
                with self._lock:
                    while not self._queue and not self._closing:
                        self._lock.wait()
                    if not self._queue:
                        break
                    job = self._queue[0]
                if isinstance(job, _Begin):
                    self._begin_segment(job)
                else:
                    self._write_fragment(job)
                with self._lock:
                    self._queue.popleft()
                    if isinstance(job, _Fragment):
                        self._backlog_bytes -= job.size_bytes
        except _Closed:
            with self._lock:
                lost = sum(len(j.frames) for j in self._queue if isinstance(j, _Fragment))
                self.dropped_disk += lost
                self._queue.clear()
                self._backlog_bytes = 0
        except Exception:
            log.exception("the writer of %s failed", self.order.prefix)
            self.disk_error = "internal error in the writer; see the worker's log"
            self._notify({"event": "writer_failed"})
        finally:
            try:
                self._finish_segment()
                self._finish_earlier()
            finally:
                for segment in self._unfinished:
                    segment.abandon()
                self._done.set()

    def _begin_segment(self, job: _Begin) -> None:
        self._finish_segment()
        while True:
            try:
                self._check_space(0)
                segment = OpenSegment.create(self._disk, self._names, job.label, job.first)
            except OSError as error:
                self._wait_for_disk(error)
                continue
            break
        self._disk_ok()
        self._open = segment
        start = segment.info["start_unix_ns"]
        if self._end_unix_ns is not None and job.hole is not None:
            self._note_gap(self._end_unix_ns, start, job.hole)
        self.segments.append(segment.info)
        self.started = True
        self._notify({"event": "segment", "change": "opened", "segment": dict(segment.info)})
        self._finish_earlier()

    def _write_fragment(self, job: _Fragment) -> None:
        while True:
            segment = self._open
            if segment is None:
                if not job.frames[0].keyframe:
                    self.dropped_disk += len(job.frames)
                    return
                self._begin_segment(_Begin(job.frames[0], self._wall_label(), "the disk failed"))
                continue
            try:
                self._check_space(job.size_bytes)
                began = time.monotonic()
                segment.append(job.frames, job.end_dts_ns)
            except OSError as error:
                if error.errno not in _NO_SPACE:
                    # The file or its disk is gone: never write into it again, go on in a new one.
                    self._give_up_segment(segment)
                self._wait_for_disk(error)
                continue
            sync_s = time.monotonic() - began
            self._sync_times.observe(sync_s)
            self.sync_ms_last = sync_s * 1000
            self.sync_ms_max = max(self.sync_ms_max, self.sync_ms_last)
            self._disk_ok()
            self.frames += len(job.frames)
            self.bytes += job.size_bytes
            self._end_unix_ns = segment.info["end_unix_ns"]
            return

    def _check_space(self, size_bytes: int) -> None:
        free = self._disk.free_bytes(self.order.directory)
        if free < self.order.min_free_bytes + size_bytes:
            raise OSError(
                errno.ENOSPC,
                f"{free >> 20} MiB are free, {self.order.min_free_bytes >> 20} MiB are kept free",
            )

    def _wait_for_disk(self, error: OSError) -> None:
        """Say what is wrong and wait a moment. Raises _Closed while closing."""
        state = "full" if error.errno in _NO_SPACE else "error"
        text = error.strerror or str(error)
        if (state, text) != (self.disk_state, self.disk_error):
            changed = state != self.disk_state
            self.disk_state, self.disk_error = state, text
            if changed:
                log.warning("disk %s: %s", state, text)
                self._notify({"event": "disk", "state": state, "error": text})
        with self._lock:
            if self._closing:
                raise _Closed
            self._lock.wait_for(lambda: self._closing, RETRY_S)

    def _disk_ok(self) -> None:
        if self.disk_state != "ok":
            self.disk_state, self.disk_error = "ok", None
            self._notify({"event": "disk", "state": "ok", "error": None})

    def _note_gap(self, from_unix_ns: int, to_unix_ns: int, reason: str) -> None:
        gap = {"from_unix_ns": from_unix_ns, "to_unix_ns": to_unix_ns, "reason": reason}
        self.gaps.append(gap)
        self._notify({"event": "gap", "gap": gap})

    def _finish_segment(self) -> None:
        segment, self._open = self._open, None
        if segment is not None:
            self._finish(segment)

    def _finish(self, segment: OpenSegment) -> None:
        if not segment.info["frames"]:  # the camera broke off before its first fragment was whole
            self._discard(segment)
            return
        try:
            segment.finish()
        except OSError as error:
            self.disk_error = error.strerror or str(error)
            log.warning("%s stays fragmented: %s", segment.info["name"], self.disk_error)
            self._unfinished.append(segment)
        self._notify({"event": "segment", "change": "closed", "segment": dict(segment.info)})

    def _finish_earlier(self) -> None:
        """Finish segments that a full disk left open, now that it takes data again."""
        waiting, self._unfinished = self._unfinished, []
        for segment in waiting:
            self._finish(segment)

    def _give_up_segment(self, segment: OpenSegment) -> None:
        self._open = None
        if not segment.info["frames"]:
            self._discard(segment)
            return
        segment.abandon()
        self._notify({"event": "segment", "change": "closed", "segment": dict(segment.info)})

    def _discard(self, segment: OpenSegment) -> None:
        segment.discard()
        self.segments = [s for s in self.segments if s is not segment.info]
        self._notify({"event": "segment", "change": "removed", "segment": dict(segment.info)})
