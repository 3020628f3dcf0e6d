"""Recording of encoded frames to synced segments; at most one fragment is in flight to the disk.

Two sides share one bounded backlog. `push` (the pipeline's thread) gathers frames into fragments
and never waits. The writer (`writer.py`, on its own thread) turns each into bytes, appends it to
the open segment, syncs it, and begins and finishes segments. A disk that is slow, full or missing
stops only the writer: fragments wait in memory up to `backlog_bytes`, then whole GOPs are dropped,
newest first, and counted; a GOP that would double that amount is cut short. When half of the
backlog has been written, a new segment begins after the gap. A writer that fails is replaced
(`writerthread.py`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from touchline.ipc.tee import Frame
from touchline.ipc.wire import RecordOrder
from touchline.media.h264.codec import Codec
from touchline.media.storage.disk import Disk
from touchline.worker.recording.backlog import Backlog, BeginSegment, Fragment, Hole
from touchline.worker.recording.diskwatch import DiskWatch
from touchline.worker.recording.ledger import Notify, RecordingLedger
from touchline.worker.recording.segments import SegmentNames
from touchline.worker.recording.steps import FrameSteps
from touchline.worker.recording.synctimes import SyncTimes
from touchline.worker.recording.writer import Work
from touchline.worker.recording.writerthread import WriterThread

log = logging.getLogger(__name__)

JUMP_NS = 1_000_000_000
"""Hole before a keyframe from which the footage goes on in another file."""
_HOLE = Hole("frames are missing", "frames")
_START = Hole("start", "camera")
_SLOW_DISK = Hole("the disk was too slow", "disk")


class CameraRecorder:
    """Recorder of one camera for one match. An outlet of the tee.

    `notify` is called with a message for the server, on any thread, and must return immediately.
    """

    def __init__(
        self,
        order: RecordOrder,
        *,
        notify: Notify,
        disk: Disk | None = None,
        sync_times: SyncTimes | None = None,
        wall_label: Callable[[], str] = lambda: time.strftime("%Y%m%d_%H%M%S"),
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.order = order
        self._wall_label = wall_label
        self._monotonic_ns = monotonic_ns
        self._backlog = Backlog()
        self._lock = self._backlog.lock
        # gathering (under the lock)
        self._pending: list[Frame] = []
        self._pending_hole: Hole | None = None
        self._steps = FrameSteps()
        self._last: Frame | None = None
        self._behind = False
        self._undecodable = 0
        self._arrived_ns = 0
        self._segment_start_ns = 0
        self._codec: Codec | None = None
        self._broken: Hole | None = _START
        self._begun = False
        self._skipping = False
        self._dropped = 0
        self._end_ns: int | None = None
        self._held: list[Frame] = []
        self.end_reached = threading.Event()
        # writing
        disk = disk or Disk()
        self._ledger = RecordingLedger(notify)
        self._watch = DiskWatch(order, disk, self._ledger)
        self._work = Work(
            order=order,
            backlog=self._backlog,
            ledger=self._ledger,
            disk=disk,
            watch=self._watch,
            names=SegmentNames(order),
            sync_times=sync_times or SyncTimes(),
            wall_label=wall_label,
            file_limit_bytes=disk.file_limit_bytes(),
        )
        self._writer = WriterThread(self._work, notify)
        self.monitor_writer()

    # ------------------------------------------------------------- gathering

    def push(self, frame: Frame) -> None:
        """Accept a frame (on the pipeline's thread)."""
        self.monitor_writer()
        with self._lock:
            if self._backlog.closing or self.end_reached.is_set():
                return
            if self._end_ns is not None and frame.pts_ns >= self._end_ns:
                self._hold(frame, self._end_ns)
                return
            held, self._held = self._held, []
            for each in (*held, frame):
                self._take(each)

    def _hold(self, frame: Frame, end_ns: int) -> None:
        """Drop a frame from after the end, unless an earlier frame refers to it.

        B-frames come after the later frame they refer to; once the decode time has passed the end
        as well, no earlier frame can follow.
        """
        if frame.dts_ns >= end_ns:
            self._held.clear()
            self.end_reached.set()
        else:
            self._held.append(frame)

    def _take(self, frame: Frame) -> None:
        if self._paced and self._broken == _START and frame.pts_ns < self.order.start_monotonic_ns:
            return
        frame = self._compare_with_last(frame)
        if self._skipping or self._broken is not None:
            if not self._resume_with(frame):
                return
        elif frame.keyframe:
            self._keyframe(frame)
        elif self._pending and self._would_be_too_long(frame):
            self._cut(frame.dts_ns)
            self._skipping = self._backlog.bytes >= 2 * self.order.backlog_bytes
        if self._skipping:
            self._dropped += 1
            return
        self._pending.append(frame)
        self._arrived_ns = self._monotonic_ns()
        if self._begun:
            # Alone, so that it reaches the disk immediately: then the recording has begun.
            self._begun = False
            self._cut(None)

    def _compare_with_last(self, frame: Frame) -> Frame:
        """Compare a frame with the previous one; return it with its time in the file.

        If frames are missing without a reported interruption, as after a pause of this process or
        of the camera, the stream continues: frames after the hole refer to frames before it, so
        both stay in one file, and the hole is listed as a gap. The same group of pictures in a
        second file would have the hole as well, and its pictures twice. Where times go back,
        pictures follow the last one in the file until a keyframe begins another file with its own
        time.
        """
        last = self._last
        if last is not None and self._broken is None and not self._skipping:
            if frame.codec != self._codec:
                self._break(Hole("the picture format changed", "format"))
            elif frame.keyframe and (self._behind or frame.dts_ns <= last.dts_ns):
                self._break(Hole("the camera's timestamps went backwards", "format"))
            elif frame.dts_ns <= last.dts_ns:
                self._behind = True
                ahead_ns = last.dts_ns + max(last.duration_ns, 1) - frame.dts_ns
                frame = frame._replace(
                    pts_ns=frame.pts_ns + ahead_ns, dts_ns=frame.dts_ns + ahead_ns
                )
            elif self._steps.is_hole(last, frame):
                if frame.keyframe and frame.dts_ns - last.dts_ns >= JUMP_NS:
                    self._break(_HOLE)
                else:
                    self._cut(None)
                    self._pending_hole = _HOLE
        self._last = frame
        return frame

    def _would_be_too_long(self, frame: Frame) -> bool:
        """Return whether the fragment would be too long if this frame lasted like the last one."""
        last_ns = frame.dts_ns - self._pending[-1].dts_ns
        return frame.dts_ns + last_ns - self._pending[0].dts_ns > self.order.fragment_s * 1e9

    def interrupted(self, reason: str) -> None:
        """Handle an interruption: write pending frames; the next keyframe begins a new segment."""
        with self._lock:
            if self._broken is None:
                self._break(Hole(reason, "camera"))

    def flush_older_than(self, age_ns: int) -> None:
        """Write the pending frames of a camera that has been silent for that long."""
        with self._lock:
            if self._pending and self._monotonic_ns() - self._arrived_ns > age_ns:
                self._cut(None)

    _paced = True

    def begin_with_past(self) -> None:
        """Accept frames captured before the requested start: the newest GOP of a copied source."""
        self._paced = False

    def _resume_with(self, frame: Frame) -> bool:
        """Return whether this frame resumes footage after an interruption or dropped GOPs."""
        if not frame.keyframe:
            if self._skipping:
                self._dropped += 1
            elif self._broken != _START:
                self._undecodable += 1
            return False
        # Half empty: a disk that is slightly too slow must not cause a segment per GOP.
        limit = self.order.backlog_bytes // 2 if self._skipping else self.order.backlog_bytes
        if self._backlog.bytes >= max(limit, 1):
            self._skipping = True
            return True
        broken = self._broken
        self._skipping, self._broken, self._begun = False, None, True
        if broken == _START:
            self._begin(frame, self.order.label, None)
        else:
            self._begin(frame, self._wall_label(), broken or _SLOW_DISK)
        return True

    def _keyframe(self, frame: Frame) -> None:
        self._cut(frame.dts_ns)
        if self._backlog.bytes >= self.order.backlog_bytes:
            self._skipping = True
        elif frame.pts_ns - self._segment_start_ns >= self.order.segment_s * 1e9:
            self._begin(frame, None, self._pending_hole)

    def _begin(self, frame: Frame, label: str | None, hole: Hole | None) -> None:
        self._codec = frame.codec
        self._behind, self._pending_hole = False, None
        self._segment_start_ns = frame.pts_ns
        self._backlog.add(BeginSegment(frame, label, hole))

    def _break(self, hole: Hole) -> None:
        self._cut(None)
        self._broken = hole

    def _cut(self, next_dts_ns: int | None) -> None:
        """Close the pending fragment; without a next frame the last one keeps its own duration."""
        if not self._pending:
            return
        frames = tuple(self._pending)
        self._pending.clear()
        last = frames[-1]
        end = next_dts_ns if next_dts_ns is not None else last.dts_ns + self._steps.length_ns(last)
        size = sum(len(f.data) for f in frames)
        hole, self._pending_hole = self._pending_hole, None
        self._backlog.add(Fragment(frames, max(end, last.dts_ns + 1), size, hole=hole))

    # --------------------------------------------------------------- ending

    def end_at(self, monotonic_ns: int) -> None:
        """Drop frames captured from that time on; `end_reached` is set once all earlier ones came.

        A later frame is kept only if earlier B-frames refer to it.
        """
        with self._lock:
            self._end_ns = monotonic_ns

    def close(self, timeout_s: float) -> dict[str, Any]:
        """Write the pending frames, finish the open segment and return the result. Blocks.

        If the disk accepts no data, the files remain valid fragmented MP4 and `finalized` is false;
        after `timeout_s` the writer continues alone and `timed_out` is true.
        """
        with self._lock:
            self._cut(None)
            self._held.clear()
            self._backlog.close()
        awake_ns = self._watch.awake_ns
        deadline_ns = awake_ns() + timeout_s * 1e9
        while not self._writer.done.wait(min(0.02, timeout_s)) and awake_ns() < deadline_ns:
            self.monitor_writer()
        timed_out = not self._writer.done.is_set()
        segments = self._ledger.segments
        finalized = not timed_out and bool(segments) and all(s["finalized"] for s in segments)
        error = None
        if not segments:
            error = self.fault or "no footage was written"
        elif timed_out:
            error = self.writer_error or f"the disk took no more data for {timeout_s:g} s"
        elif not finalized:
            error = self.fault or self._work.finish_error or "a segment could not be finished"
        return {
            "finalized": finalized,
            "timed_out": timed_out,
            "error": error,
            **self.report(),
        }

    @property
    def closed(self) -> bool:
        """Whether everything is written and the writer has ended."""
        return self._writer.done.is_set()

    @property
    def started(self) -> bool:
        """Whether footage has reached the disk."""
        return self._ledger.started

    @property
    def frames(self) -> int:
        """Number of frames on the disk."""
        return self._ledger.frames

    @property
    def dropped_disk(self) -> int:
        """Number of frames dropped because the disk did not accept them."""
        return self._dropped + self._ledger.dropped_disk

    @property
    def undecodable(self) -> int:
        """Number of frames dropped after an interruption because they refer to missing pictures."""
        return self._undecodable

    @property
    def writer_error(self) -> str | None:
        """Error that ended the last writer, until footage is written again."""
        return self._writer.error

    @property
    def disk_state(self) -> str:
        """State of the disk, one of `disk.STATES`."""
        return self._watch.judge_state()[0]

    @property
    def disk_error(self) -> str | None:
        """Error returned by the disk; None while it accepts footage."""
        return self._watch.judge_state()[1]

    @property
    def fault(self) -> str | None:
        """Reason why nothing is written at present: the writer's failure or the disk's error."""
        if self.writer_error is not None:
            return f"footage cannot be written: {self.writer_error}"
        return self.disk_error

    def report(self) -> dict[str, Any]:
        """Return all that is known about this recording, for a server that adopts or closes it."""
        return {
            "match_id": self.order.match_id,
            "segments": [dict(s) for s in self._ledger.segments],
            "gaps": list(self._ledger.gaps),
            "frames": self._ledger.frames,
            "dropped_disk": self.dropped_disk,
            "dropped_writer": self._ledger.dropped_writer,
            "dropped_undecodable": self._undecodable,
        }

    def status(self) -> dict[str, Any]:
        """Return the state that is sent to the server twice a second."""
        segments = self._ledger.segments
        current = segments[-1] if segments else None
        state, error = self._watch.judge_state()
        return {
            "match_id": self.order.match_id,
            "started": self.started,
            "segment": dict(current) if current else None,
            "segments": len(segments),
            "frames": self._ledger.frames,
            "bytes": self._ledger.bytes,
            "backlog_bytes": self._backlog.bytes,
            "dropped_disk": self.dropped_disk,
            "dropped_writer": self._ledger.dropped_writer,
            "dropped_undecodable": self._undecodable,
            "disk": state,
            "disk_error": error,
            "disk_errno": self._watch.errno,
            "writer_error": self.writer_error,
            "sync_ms_last": round(self._work.sync_ms_last, 2),
            "sync_ms_max": round(self._work.sync_ms_max, 2),
        }

    def monitor_writer(self) -> None:
        """Replace a writer that has failed, and report the state of disk and writer.

        Call it several times a second; from any thread.
        """
        with self._lock:
            if self._writer.done.is_set():
                return
            self._writer.monitor_writer()
        self._watch.report_state()
