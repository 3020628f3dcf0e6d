"""Footage onto the disk: segments are begun and appended to, and others where one is refused.

A writer works through one backlog, on a thread of its own, until the recording is closed or it
dies; `Recorder` then puts another in its place. The open group of pictures is kept in memory, so
that what goes on in another file (after a disk that failed, at a file's largest size, after a
writer that died) begins with its keyframe and nothing is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from touchline.ipc.wire import RecordOrder
from touchline.media.storage.disk import FILE_TOO_LARGE, FULL, OK, Disk, state_of
from touchline.worker.recording.backlog import Backlog, Begin, Fragment, Gop, Job
from touchline.worker.recording.diskwatch import Closed, DiskWatch, text_of
from touchline.worker.recording.ledger import Ledger
from touchline.worker.recording.segments import OpenSegment, SegmentNames
from touchline.worker.recording.synctimes import SyncTimes

log = logging.getLogger(__name__)

LOOK_S = 0.1
"""Between two looks at a disk that is not written to: faults are seen before the next fragment."""

_TRIES = 2
_TRIES_WITHOUT_MEMORY = 6
"""A fragment that ends so many writers is left out. Memory may be there again in a moment."""


@dataclass
class Work:
    """What the writers of one recording hand on, from each to the next."""

    order: RecordOrder
    backlog: Backlog
    ledger: Ledger
    disk: Disk
    watch: DiskWatch
    names: SegmentNames
    sync_times: SyncTimes
    wall_label: Callable[[], str]
    file_limit_bytes: int | None
    """How large a file may become, as far as is known."""
    open: OpenSegment | None = None
    listed: bool = False
    """Whether the open segment has footage and the server knows of it."""
    gop: Gop | None = None
    replay: list[Fragment] = field(default_factory=list)
    """What begins the next segment: the group of pictures that was broken off."""
    moving: tuple[OpenSegment, int] | None = None
    """The segment that has those too, and where it is cut once they are in the next."""
    given_up: list[tuple[OpenSegment, int | None]] = field(default_factory=list)
    """Segments to be mended, and where each is cut before."""
    unfinished: list[OpenSegment] = field(default_factory=list)
    limit_told: bool = False
    hole: str | None = None
    """Why footage was left out since the last fragment."""
    sync_ms_last: float = 0.0
    sync_ms_max: float = 0.0
    written: int = 0
    """Fragments that reached the disk."""
    finish_error: str | None = None


class Writer:
    """Works through the backlog. `run` returns when the recording is closed; any error ends it."""

    def __init__(self, work: Work, *, after: BaseException | None) -> None:
        """`after` is what the writer before died of; None for the first."""
        self._work = work
        self._after = after
        self._tries = _TRIES_WITHOUT_MEMORY if isinstance(after, MemoryError) else _TRIES

    def run(self) -> None:
        """Write until everything is written and the recording closed."""
        work, backlog = self._work, self._work.backlog
        if self._after is not None:
            self._give_up_open()
        try:
            while True:
                with backlog.lock:
                    if not backlog.jobs and not backlog.closing:
                        backlog.lock.wait(LOOK_S)
                    job = backlog.jobs[0] if backlog.jobs else None
                    if job is None and backlog.closing:
                        break
                if job is None:
                    self._look_while_idle()
                else:
                    self._do(job)
        except Closed:
            self._lose_the_rest()
        self._finish_open()
        self._drop_replay()
        self._finish_earlier()
        for segment in work.unfinished:
            segment.abandon()
        for segment, _ in work.given_up:
            work.ledger.closed(segment.info)

    def _do(self, job: Job) -> None:
        job.tries += 1
        if job.tries > self._tries:
            self._leave_out(job, f"it could not be written: {describe(self._after)}")
        elif isinstance(job, Begin):
            self._finish_open()
            self._drop_replay()
            self._begin(job)
            self._work.backlog.done(job)
        elif job.tries > 1 and len(job.frames) > 1:
            # Frame by frame, so that only from the one on that cannot be written is left out.
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
                    self._leave_out(job, work.hole or f"disk {work.watch.takes}")
                    return
                work.watch.look(job.size_bytes, elsewhere=False)
                self._make_room(job)
                self._append(job, again=False)
            except OSError as error:
                if not self._mind(error, job):
                    return
                continue
            work.backlog.done(job)
            if not listed:
                self._finish_earlier()
            return

    def _mind(self, error: OSError, job: Fragment) -> bool:
        """Do what an error asks for; False where the fragment was left out for it."""
        work, state = self._work, state_of(error)
        if state == FILE_TOO_LARGE:
            work.limit_told = True
            work.watch.note(error)
            if work.open is None or self._has_only_this_gop(work.open):
                # Another file could not hold it either.
                self._leave_out(job, "a group of pictures is larger than the file size limit")
                return False
            self._give_up_open()
            return True
        if state != FULL:
            # The file or its disk is gone or broken: never write into it again.
            self._give_up_open()
        work.watch.wait(error, work.backlog)
        return True

    def _has_only_this_gop(self, segment: OpenSegment) -> bool:
        gop = self._work.gop
        return gop is not None and int(segment.info["frames"]) == gop.frames

    def _append(self, job: Fragment, *, again: bool) -> None:
        """Append a fragment, synced. `again` is one that another file on the disk has already."""
        work, segment = self._work, self._work.open
        if segment is None:
            msg = "a fragment without a segment"
            raise RuntimeError(msg)
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
            self._list(segment)
        if not again:
            if job.hole is not None and before == work.ledger.end_unix_ns:
                work.ledger.gap(job.frames[0].pts_ns + work.order.unix_minus_monotonic_ns, job.hole)
            work.ledger.wrote(len(job.frames), job.size_bytes, segment.info["end_unix_ns"])
        work.written += 1
        work.watch.well()

    def _list(self, segment: OpenSegment) -> None:
        """Tell of a segment, which has footage now, and of the hole before it."""
        work = self._work
        work.listed = True
        hole, work.hole = work.hole, None
        if hole is not None:
            work.ledger.gap(segment.info["start_unix_ns"], hole)
        work.ledger.opened(segment.info)

    # --------------------------------------------------------------- segments

    def _begin(self, job: Begin) -> None:
        """Begin a segment, however long the disk takes to let us."""
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
        """Whether a segment is open again that this fragment continues."""
        work = self._work
        first = work.replay[0].frames[0] if work.replay else job.frames[0]
        if not first.keyframe:
            return False
        self._begin(Begin(first, work.wall_label()))
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
        """Begin a new file before the open one reaches the largest size that files may have."""
        work, segment, gop = self._work, self._work.open, self._work.gop
        limit = work.file_limit_bytes
        if limit is None or segment is None or gop is None or not job.frames[0].keyframe:
            return
        # The group to come may be larger than the one before, and the tables come after it.
        needed = 2 * max(gop.size_bytes, job.size_bytes) + 2 * segment.closing_bytes
        if segment.offset + needed <= limit:
            return
        if not work.limit_told:
            work.limit_told = True
            work.watch.complain(FILE_TOO_LARGE, f"files are limited to {limit} bytes here")
        self._finish_open()
        self._begin(Begin(job.frames[0], work.wall_label()))

    def _give_up_open(self) -> None:
        """Leave the open file: what comes goes into another, from its newest keyframe on."""
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
        goes_on = head is None or (isinstance(head, Fragment) and not head.frames[0].keyframe)
        if goes_on and gop is not None and gop.whole and gop.fragments:
            work.replay, work.moving = list(gop.fragments), (segment, gop.at)
        else:
            work.given_up.append((segment, None))

    def _discard_open(self) -> None:
        """Remove the open file, whose footage is all in another one."""
        work = self._work
        segment, work.open, work.gop, work.listed = work.open, None, None, False
        if segment is not None:
            segment.discard()
            work.ledger.removed(segment.info)

    def _drop_replay(self) -> None:
        """The group that was broken off stays where it is."""
        work = self._work
        work.replay = []
        if work.moving is not None:
            work.given_up.append((work.moving[0], None))
            work.moving = None

    def _leave_out(self, job: Job, reason: str) -> None:
        """Count what is not written; the next keyframe begins a new segment after the hole."""
        work = self._work
        self._finish_open()
        self._drop_replay()
        work.hole = reason
        if isinstance(job, Fragment):
            if work.watch.takes == OK:
                work.ledger.dropped_writer += len(job.frames)
            else:
                work.ledger.dropped_disk += len(job.frames)
            if job.tries > self._tries or job.frames[0].keyframe:
                log.error("footage of %s is dropped: %s", work.order.prefix, reason)
        work.backlog.done(job)

    # -------------------------------------------------------------------- ends

    def _look_while_idle(self) -> None:
        """Notice what becomes of the disk between two fragments."""
        work = self._work
        if work.open is None and not work.replay:
            return
        try:
            work.watch.look(0, elsewhere=work.open is None)
        except OSError as error:
            if state_of(error) != FULL:
                self._give_up_open()
            work.watch.note(error)
            work.watch.bring_back_folder(error)
        else:
            if work.watch.takes == FULL:
                work.watch.well()

    def _lose_the_rest(self) -> None:
        """The recording is closed and the disk takes nothing: count and list what waited."""
        work = self._work
        lost = work.backlog.clear()
        work.ledger.dropped_disk += sum(len(job.frames) for job in lost)
        if lost:
            last = lost[-1].frames[-1]
            end = last.pts_ns + max(last.duration_ns, 1) + work.order.unix_minus_monotonic_ns
            state, error = work.watch.judged()
            work.ledger.gap(end, f"disk {state}: {error}")

    def _finish_open(self) -> None:
        work = self._work
        segment = work.open
        if segment is None:
            return
        if work.listed:
            self._finish(segment)
        else:  # the camera broke off before the first fragment was whole
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
        """Finish what a disk that took nothing left open, now that it does."""
        work = self._work
        waiting, work.unfinished = work.unfinished, []
        for segment in waiting:
            self._finish(segment)
        given_up, work.given_up = work.given_up, []
        for segment, cut_at in given_up:
            try:
                kept = segment.mend(cut_at)
            except OSError as error:
                log.warning("%s will be repaired later: %s", segment.info["name"], error)
                work.given_up.append((segment, cut_at))
            except Exception:
                # One old file must not hold up the footage that comes.
                log.exception("%s cannot be repaired and is left unchanged", segment.info["name"])
                work.ledger.closed(segment.info)
            else:
                if kept:
                    work.ledger.closed(segment.info)
                else:
                    work.ledger.removed(segment.info)


def describe(error: BaseException | None) -> str:
    """An error in a few words, for people."""
    if error is None:
        return "unknown reason"
    if isinstance(error, MemoryError):
        return "there was not enough memory"
    return f"{type(error).__name__}: {error}"
