"""Writing of footage to the disk: segments are begun, appended to, and replaced after errors.

A writer processes one backlog on its own thread until the recording is closed or the writer fails;
`Recorder` then replaces it. The open group of pictures is kept in memory, so that the next file
(after a disk failure, at the maximum file size, after a failed writer) begins with its keyframe and
nothing is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from touchline.ipc.wire import RecordOrder
from touchline.media.storage.disk import FILE_TOO_LARGE, FULL, OK, Disk, state_of
from touchline.worker.recording.backlog import Backlog, BeginSegment, Fragment, Gop, Hole, Job
from touchline.worker.recording.diskwatch import DiskWatch, RecordingClosed, text_of
from touchline.worker.recording.ledger import RecordingLedger
from touchline.worker.recording.segments import OpenSegment, SegmentNames
from touchline.worker.recording.synctimes import SyncTimes

log = logging.getLogger(__name__)

LOOK_S = 0.1
"""Interval for checking an idle disk, so that faults are detected before the next fragment."""

_TRIES = 2
_TRIES_WITHOUT_MEMORY = 6
"""A fragment that ends this many writers is dropped. Memory may soon be available again."""


@dataclass
class Work:
    """State that each writer of a recording passes to the next."""

    order: RecordOrder
    backlog: Backlog
    ledger: RecordingLedger
    disk: Disk
    watch: DiskWatch
    names: SegmentNames
    sync_times: SyncTimes
    wall_label: Callable[[], str]
    file_limit_bytes: int | None
    """Maximum file size, as far as known."""
    open: OpenSegment | None = None
    listed: bool = False
    """Whether the open segment has footage and the server knows of it."""
    gop: Gop | None = None
    replay: list[Fragment] = field(default_factory=list)
    """Start of the next segment: the group of pictures that was interrupted."""
    moving: tuple[OpenSegment, int] | None = None
    """Segment that also contains these, and the offset to cut it at once the next one has them."""
    given_up: list[tuple[OpenSegment, int | None]] = field(default_factory=list)
    """Segments to repair, and the offset at which to cut each one first."""
    unfinished: list[OpenSegment] = field(default_factory=list)
    limit_reported: bool = False
    hole: Hole | None = None
    """Reason why footage was dropped since the last fragment."""
    dropped_to_unix_ns: int | None = None
    """End of that footage."""
    sync_ms_last: float = 0.0
    sync_ms_max: float = 0.0
    written: int = 0
    """Fragments that reached the disk."""
    finish_error: str | None = None


class Writer:
    """Processor of the backlog. `run` returns when the recording is closed; any error ends it."""

    def __init__(self, work: Work, *, after: BaseException | None) -> None:
        """Create a writer; `after` is the error that ended its predecessor, None for the first."""
        self._work = work
        self._after = after
        self._tries = _TRIES_WITHOUT_MEMORY if isinstance(after, MemoryError) else _TRIES

    def run(self) -> None:
        """Write until the backlog is empty and the recording closed."""
        work, backlog = self._work, self._work.backlog
        if self._after is not None:
            self._abandon_open()
        try:
            while True:
                with backlog.lock:
                    if not backlog.jobs and not backlog.closing:
                        backlog.lock.wait(LOOK_S)
                    job = backlog.jobs[0] if backlog.jobs else None
                    if job is None and backlog.closing:
                        break
                if job is None:
                    self._check_idle_disk()
                else:
                    self._do(job)
        except RecordingClosed:
            self._drop_backlog()
        if work.hole is not None and work.dropped_to_unix_ns is not None:
            work.ledger.gap(work.dropped_to_unix_ns, work.hole)  # no footage follows
        self._finish_open()
        self._drop_replay()
        self._finish_earlier()
        for segment in work.unfinished:
            segment.abandon()
        for segment, _ in work.given_up:
            work.ledger.closed(segment.info)

    def _do(self, job: Job) -> None:
        job.count_try()
        if job.tries > self._tries:
            reason = f"it could not be written: {describe(self._after)}"
            self._drop_job(job, Hole(reason, "writer"))
        elif isinstance(job, BeginSegment):
            self._finish_open()
            self._drop_replay()
            self._begin(job)
            self._work.backlog.done(job)
        elif job.tries > 1 and len(job.frames) > 1:
            # Frame by frame, so that only frames from the first unwritable one on are dropped.
            self._write(self._work.backlog.split(job))
        else:
            self._write(job)

    # ---------------------------------------------------------------- writing

    def _write(self, job: Fragment) -> None:
        work = self._work
        listed = work.listed
        while True:
            try:
                if work.open is None and not self._reopen(job):
                    hole = work.hole or Hole(f"disk {work.watch.takes}", "disk")
                    self._drop_job(job, hole)
                    return
                work.watch.look(job.size_bytes, elsewhere=False)
                self._make_room(job)
                self._append(job, again=False)
            except OSError as error:
                if not self._handle_error(error, job):
                    return
                continue
            work.backlog.done(job)
            if not listed:
                self._finish_earlier()
            return

    def _handle_error(self, error: OSError, job: Fragment) -> bool:
        """Handle a disk error; return False if the fragment was dropped because of it."""
        work, state = self._work, state_of(error)
        if state == FILE_TOO_LARGE:
            work.limit_reported = True
            work.watch.note(error)
            if work.open is None or self._has_only_this_gop(work.open):
                # It would not fit in another file either.
                reason = "a group of pictures is larger than the file size limit"
                self._drop_job(job, Hole(reason, "disk"))
                return False
            self._abandon_open()
            return True
        if state != FULL:
            # The file or its disk is missing or broken: never write to it again.
            self._abandon_open()
        work.watch.wait(error, work.backlog)
        return True

    def _has_only_this_gop(self, segment: OpenSegment) -> bool:
        gop = self._work.gop
        return gop is not None and int(segment.info["frames"]) == gop.frames

    def _append(self, job: Fragment, *, again: bool) -> None:
        """Append a fragment and sync it. `again` says that another file already has it."""
        work, segment = self._work, self._work.open
        if segment is None:
            raise RuntimeError("a fragment without a segment")
        if work.gop is None or job.frames[0].keyframe:
            work.gop = Gop(segment.offset)
        before = segment.info["end_unix_ns"]
        began_ns = work.watch.awake_ns()
        try:
            with work.watch.measured():
                segment.append(job.frames, job.end_dts_ns)
        except OSError as error:
            if state_of(error) == FILE_TOO_LARGE:
                work.file_limit_bytes = segment.offset + job.size_bytes
            raise
        sync_s = (work.watch.awake_ns() - began_ns) / 1e9
        work.sync_times.observe(sync_s)
        work.sync_ms_last = sync_s * 1000
        work.sync_ms_max = max(work.sync_ms_max, work.sync_ms_last)
        work.gop.add(job)
        if not work.listed:
            self._report_segment(segment)
        if not again:
            if job.hole is not None and before == work.ledger.end_unix_ns:
                work.ledger.gap(job.frames[0].pts_ns + work.order.unix_minus_monotonic_ns, job.hole)
            work.ledger.wrote(len(job.frames), job.size_bytes, segment.info["end_unix_ns"])
        work.written += 1
        work.watch.well()

    def _report_segment(self, segment: OpenSegment) -> None:
        """Report a segment that now has footage, and the gap before it."""
        work = self._work
        work.listed = True
        hole, work.hole, work.dropped_to_unix_ns = work.hole, None, None
        if hole is not None:
            work.ledger.gap(segment.info["start_unix_ns"], hole)
        work.ledger.opened(segment.info)

    # --------------------------------------------------------------- segments

    def _begin(self, job: BeginSegment) -> None:
        """Begin a segment, waiting for the disk for as long as necessary."""
        work = self._work
        while True:
            try:
                work.watch.look(0, elsewhere=True)
                with work.watch.timed():
                    segment = OpenSegment.create(work.disk, work.names, job.label, job.first)
            except OSError as error:
                work.watch.wait(error, work.backlog)
                continue
            break
        work.open, work.listed, work.gop = segment, False, None
        work.hole = work.hole or job.hole

    def _reopen(self, job: Fragment) -> bool:
        """Begin a segment that this fragment can continue; return whether that is possible."""
        work = self._work
        first = work.replay[0].frames[0] if work.replay else job.frames[0]
        if not first.keyframe:
            return False
        self._begin(BeginSegment(first, work.wall_label(), None if work.replay else job.hole))
        try:
            for each in work.replay:
                self._append(each, again=True)
        except OSError:
            self._discard_open()
            raise
        work.replay = []
        if work.moving is not None:
            work.given_up.append(work.moving)
            work.moving = None
        return True

    def _make_room(self, job: Fragment) -> None:
        """Begin a new file before the open one reaches the maximum file size."""
        work, segment, gop = self._work, self._work.open, self._work.gop
        limit = work.file_limit_bytes
        if limit is None or segment is None or gop is None or not job.frames[0].keyframe:
            return
        # The group to come may be larger than the one before, and the tables come after it.
        needed = 2 * max(gop.size_bytes, job.size_bytes) + 2 * segment.closing_bytes
        if segment.offset + needed <= limit:
            return
        if not work.limit_reported:
            work.limit_reported = True
            work.watch.complain(FILE_TOO_LARGE, f"files are limited to {limit} bytes here")
        self._finish_open()
        self._begin(BeginSegment(job.frames[0], work.wall_label(), job.hole))

    def _abandon_open(self) -> None:
        """Abandon the open file and continue in another, from its newest keyframe on."""
        work = self._work
        if work.replay:  # the file has only a part of it
            self._discard_open()
            return
        segment, gop, listed = work.open, work.gop, work.listed
        if segment is None:
            return
        segment.abandon()
        work.open, work.gop, work.listed = None, None, False
        if not listed:
            segment.discard()
            return
        head = work.backlog.jobs[0] if work.backlog.jobs else None
        continues = head is None or (isinstance(head, Fragment) and not head.frames[0].keyframe)
        if continues and gop is not None and gop.whole and gop.fragments:
            work.replay, work.moving = list(gop.fragments), (segment, gop.at)
        else:
            work.given_up.append((segment, None))

    def _discard_open(self) -> None:
        """Remove the open file, whose footage is completely in another one."""
        work = self._work
        segment, work.open, work.gop, work.listed = work.open, None, None, False
        if segment is not None:
            segment.discard()
            work.ledger.removed(segment.info)

    def _drop_replay(self) -> None:
        """Keep an interrupted group of pictures in its old file instead of repeating it."""
        work = self._work
        work.replay = []
        if work.moving is not None:
            work.given_up.append((work.moving[0], None))
            work.moving = None

    def _drop_job(self, job: Job, hole: Hole) -> None:
        """Count dropped footage; the next keyframe begins a new segment after the gap."""
        work = self._work
        self._finish_open()
        self._drop_replay()
        work.hole = hole
        if isinstance(job, Fragment):
            work.dropped_to_unix_ns = self._end_of(job)
            if work.watch.takes == OK:
                work.ledger.count_lost_to_writer(len(job.frames))
            else:
                work.ledger.count_lost_to_disk(len(job.frames))
            if job.tries > self._tries or job.frames[0].keyframe:
                log.error("footage of %s is dropped: %s", work.order.prefix, hole.reason)
        work.backlog.done(job)

    # -------------------------------------------------------------------- endings

    def _check_idle_disk(self) -> None:
        """Check the disk between two fragments."""
        work = self._work
        if work.open is None and not work.replay:
            return
        try:
            work.watch.look(0, elsewhere=work.open is None)
        except OSError as error:
            if state_of(error) != FULL:
                self._abandon_open()
            work.watch.note(error)
            work.watch.recreate_folder(error)
        else:
            if work.watch.takes == FULL:
                work.watch.well()

    def _drop_backlog(self) -> None:
        """Count and list the pending footage of a closed recording whose disk accepts no data."""
        work = self._work
        lost = work.backlog.clear()
        work.ledger.count_lost_to_disk(sum(len(job.frames) for job in lost))
        if lost:
            state, error = work.watch.judge_state()
            work.hole = Hole(f"disk {state}: {error}", "disk")
            work.dropped_to_unix_ns = self._end_of(lost[-1])

    def _end_of(self, job: Fragment) -> int:
        """Return the end of a fragment's last frame."""
        last = job.frames[-1]
        return last.pts_ns + max(last.duration_ns, 1) + self._work.order.unix_minus_monotonic_ns

    def _finish_open(self) -> None:
        work = self._work
        segment = work.open
        if segment is None:
            return
        if work.listed:
            self._finish(segment)
        else:  # the camera was lost before the first complete fragment
            segment.discard()
        work.open, work.gop, work.listed = None, None, False

    def _finish(self, segment: OpenSegment) -> None:
        work = self._work
        try:
            segment.finish()
        except OSError as error:
            work.finish_error = text_of(error)
            log.warning("%s stays fragmented: %s", segment.info["name"], work.finish_error)
            work.unfinished.append(segment)
        work.ledger.closed(segment.info)

    def _finish_earlier(self) -> None:
        """Finish files that were left open because the disk accepted no data before."""
        work = self._work
        work.names.remove_leftovers(work.disk)
        waiting, work.unfinished = work.unfinished, []
        for segment in waiting:
            self._finish(segment)
        given_up, work.given_up = work.given_up, []
        for segment, cut_at in given_up:
            try:
                kept = segment.repair_file(cut_at)
            except OSError as error:
                log.warning("%s will be repaired later: %s", segment.info["name"], error)
                work.given_up.append((segment, cut_at))
            except Exception:
                # One old file must not delay new footage.
                log.exception("%s cannot be repaired and is left unchanged", segment.info["name"])
                work.ledger.closed(segment.info)
            else:
                if kept:
                    work.ledger.closed(segment.info)
                else:
                    work.ledger.removed(segment.info)


def describe(error: BaseException | None) -> str:
    """Describe an error in a few words, for people."""
    if error is None:
        return "unknown reason"
    if isinstance(error, MemoryError):
        return "there was not enough memory"
    return f"{type(error).__name__}: {error}"
