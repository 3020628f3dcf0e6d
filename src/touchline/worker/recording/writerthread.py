"""The thread that writes a recording; a writer that fails is replaced by another."""

from __future__ import annotations

import threading
import time

from touchline.ipc import wire
from touchline.ipc.threads import watched
from touchline.worker.recording.ledger import Notify
from touchline.worker.recording.writer import Work, Writer, describe

_FIRST_PAUSE_NS, _LONGEST_PAUSE_NS = 50_000_000, 2_000_000_000
_PROOF_NS, _LONGEST_PROOF_NS = 250_000_000, 5_000_000_000


class WriterThread:
    """The thread that runs writers until the whole recording is written.

    Call `monitor_writer` under the backlog's lock; any thread may wait for `done`.
    """

    def __init__(self, work: Work, notify: Notify) -> None:
        self._work = work
        self._notify = notify
        self.done = threading.Event()
        """Set when everything is written and the writer has ended."""
        self.error: str | None = None
        """Error that ended the last writer, until footage is written again."""
        self._thread: threading.Thread | None = None
        self._last_error: BaseException | None = None
        self._failures = 0
        self._next_writer_ns = 0
        self._written_before = 0
        self._proof_since_ns: int | None = None

    def monitor_writer(self) -> None:
        """Replace a writer that has failed; call it several times a second."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            self._check_recovery()
            return
        if thread is not None:
            self._thread = None
            self._note_failure(self._last_error)
        if time.monotonic_ns() >= self._next_writer_ns:
            self._begin_writer()

    def _begin_writer(self) -> None:
        writer = Writer(self._work, after=self._last_error)
        thread = watched(self._run, writer, name="writer", died=self._keep_error)
        try:
            thread.start()
        except RuntimeError as error:  # no more threads
            self._note_failure(error)
        else:
            self._thread = thread

    def _run(self, writer: Writer) -> None:
        writer.run()
        self.done.set()

    def _keep_error(self, error: BaseException) -> None:
        """Record why the writer failed, for `monitor_writer`, which finds its thread ended."""
        self._last_error = error

    def _note_failure(self, error: BaseException | None) -> None:
        self._last_error = error or RuntimeError("it exited without an error")
        self._failures += 1
        pause_ns = 0
        if self._failures > 1:
            pause_ns = min(_FIRST_PAUSE_NS << min(self._failures - 2, 10), _LONGEST_PAUSE_NS)
        self._next_writer_ns = time.monotonic_ns() + pause_ns
        self._written_before, self._proof_since_ns = self._work.written, None
        self.error = describe(self._last_error)
        self._notify(wire.event("writer_failed", reason=self.error, deaths=self._failures))

    def _check_recovery(self) -> None:
        """Treat a writer as healthy once it has written for a while, longer after more failures."""
        if self._failures == 0 or self._work.written == self._written_before:
            return
        now_ns = time.monotonic_ns()
        if self._proof_since_ns is None:
            self._proof_since_ns = now_ns
        proof_ns = min(self._failures * _PROOF_NS, _LONGEST_PROOF_NS)
        if now_ns - self._proof_since_ns >= proof_ns:
            self._failures, self.error, self._last_error = 0, None, None
            self._notify(wire.event("writer_recovered"))
