"""State of a recording's disk: checked before and between writes, reported when it changes."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from touchline.ipc.wire import RecordOrder
from touchline.media.storage.disk import ERROR, GONE, OK, SLOW, Disk, FolderIdentity, state_of
from touchline.worker.awakeclock import AwakeClock
from touchline.worker.recording.backlog import Backlog
from touchline.worker.recording.ledger import RecordingLedger
from touchline.worker.recording.pace import DiskPace

log = logging.getLogger(__name__)

RETRY_S = 0.05
ERROR_RETRY_S = 0.25
FOLDER_AWAY_S = 2.0
"""A missing folder is recreated after this delay, because it may reappear by itself."""


class RecordingClosed(Exception):
    """The recording is being closed and the disk accepts no data."""


class DiskWatch:
    """State of the disk, updated by the writer's thread; any may read `state` and `error`."""

    def __init__(
        self,
        order: RecordOrder,
        disk: Disk,
        ledger: RecordingLedger,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.pace = DiskPace(order.fragment_s)
        self.awake_ns = AwakeClock(monotonic_ns)
        """Excludes pauses of this process, in which the disk is not at fault."""
        self._order = order
        self._disk = disk
        self._ledger = ledger
        self._monotonic_ns = monotonic_ns
        self._state, self._error = OK, None  # type: tuple[str, str | None]
        self._errno: int | None = None
        self._reported = OK
        self._place: FolderIdentity | None = None
        self._folder_away_since_ns: int | None = None

    @property
    def takes(self) -> str:
        """Result of the last operation: `ok`, or the reason why the disk accepted no data."""
        return self._state

    @property
    def errno(self) -> int | None:
        """Error number that the disk returned; None while it accepts footage."""
        return self._errno if self._state != OK else None

    def judge_state(self) -> tuple[str, str | None]:
        """Return the disk's state, including slowness, and its cause."""
        if self._state == OK:
            complaint = self.pace.complaint(self.awake_ns())
            if complaint is not None:
                return SLOW, complaint
        return self._state, self._error

    def report_state(self) -> None:
        """Report the state to the server if it differs from the last report; from any thread."""
        self.awake_ns()  # several times a second, even while the disk hangs
        state, error = self.judge_state()
        if state != self._reported:
            self._reported = state
            log.warning("disk %s: %s", state, error or "writing footage again")
            self._ledger.disk(state, error, self.errno)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Return a context that makes a hanging disk operation visible."""
        self.pace.begin(self.awake_ns())
        try:
            yield
        finally:
            self.pace.pause()

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Return the same context for a fragment, whose time is counted if it succeeds."""
        self.pace.begin(self.awake_ns())
        try:
            yield
        except BaseException:
            self.pace.pause()
            raise
        self.pace.end(self.awake_ns())

    def look(self, size_bytes: int, *, elsewhere: bool) -> None:
        """Check the disk and raise OSError if nothing must be written now.

        That is the case on a full or read-only disk, and if the folder is not the one that contains
        the open file; with `elsewhere` no file is open, but the expected file system must be
        mounted.
        """
        order = self._order
        with self.timed():
            if elsewhere and order.mount_point and not self._disk.is_mounted(order.mount_point):
                raise OSError(errno.ENODEV, f"nothing is mounted at {order.mount_point}")
            place = self._disk.place(order.directory)
            if not elsewhere and self._place is not None and place != self._place:
                raise OSError(
                    errno.ENODEV, f"{order.directory} is not the same directory as before"
                )
            free = self._disk.free_bytes(order.directory)
        if elsewhere:
            self._place = place
        if free < order.min_free_bytes + size_bytes:
            raise OSError(
                errno.ENOSPC,
                f"{free >> 20} MiB are free, the reserve is {order.min_free_bytes >> 20} MiB",
            )

    def well(self) -> None:
        """Record that the disk accepted data."""
        self._set(OK, None)
        self._folder_away_since_ns = None

    def note(self, error: OSError) -> str:
        """Record an error of the disk and return the resulting state."""
        state, self._errno = state_of(error), error.errno
        if state == ERROR:
            state = self._check_place()
        self._set(state, text_of(error))
        return state

    def complain(self, state: str, text: str) -> None:
        """Record a state that is not the result of an error."""
        self._errno = None
        self._set(state, text)

    def wait(self, error: OSError, backlog: Backlog) -> None:
        """Record the problem and wait a moment. Raises Closed while closing."""
        state = self.note(error)
        with backlog.lock:
            if backlog.closing:
                raise RecordingClosed
            pause_s = ERROR_RETRY_S if state == ERROR else RETRY_S
            backlog.lock.wait_for(lambda: backlog.closing, pause_s)
        self.recreate_folder(error)

    def recreate_folder(self, error: OSError) -> None:
        """Recreate the match's folder if only that is missing and the right disk is mounted."""
        if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
            self._folder_away_since_ns = None
            return
        now_ns = self._monotonic_ns()
        if self._folder_away_since_ns is None:
            self._folder_away_since_ns = now_ns
        if now_ns - self._folder_away_since_ns < FOLDER_AWAY_S * 1e9:
            return
        order, disk = self._order, self._disk
        try:
            if not order.mount_point:
                disk.place(str(Path(order.directory).parents[1]))
            elif not disk.is_mounted(order.mount_point):
                return
            disk.make_folders(order.directory)
        except OSError as problem:
            log.debug("%s cannot be recreated: %s", order.directory, problem)
        else:
            log.warning("%s had been removed and was recreated", order.directory)
            self._folder_away_since_ns = None

    def _check_place(self) -> str:
        """Check whether a disk with an input/output error is now read-only or missing."""
        try:
            place = self._disk.place(self._order.directory)
        except OSError as error:
            return state_of(error)
        return ERROR if self._place in {None, place} else GONE

    def _set(self, state: str, text: str | None) -> None:
        self._state, self._error = state, text
        if state != self._reported and not (state == OK and self._reported == SLOW):
            self.report_state()


def text_of(error: OSError) -> str:
    """Return the text of an error as a sentence."""
    return error.strerror or (os.strerror(error.errno) if error.errno else str(error))
