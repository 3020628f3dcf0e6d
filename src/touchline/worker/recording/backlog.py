"""Queue of work for the disk: segments to begin and fragments to append, in order."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from touchline.ipc.tee import Frame
from touchline.ipc.wire import GapKind

_KEPT_GOP_BYTES = 32 << 20


class Hole(NamedTuple):
    """Reason why footage does not continue the footage before it."""

    reason: str
    kind: GapKind


@dataclass
class BeginSegment:
    """Job that begins a segment with this frame; `hole` is the reason for a gap before it.

    `label` None keeps the label of the previous segment. `tries` counts the writers that took the
    job.
    """

    first: Frame
    label: str | None
    hole: Hole | None = None
    tries: int = 0

    def count_try(self) -> None:
        """Count a writer that takes the job."""
        self.tries += 1


@dataclass
class Fragment:
    """Frames in decode order and the end of the last one. `tries` counts the writers.

    `hole` is the reason why its first frame does not follow the previous frame in the same file.
    """

    frames: tuple[Frame, ...]
    end_dts_ns: int
    size_bytes: int
    tries: int = 0
    hole: Hole | None = None

    def count_try(self) -> None:
        """Count a writer that takes the job."""
        self.tries += 1


Job = BeginSegment | Fragment


class Backlog:
    """Jobs in order. `lock` guards all fields."""

    def __init__(self) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.jobs: deque[Job] = deque()
        self.bytes = 0
        self.closing = False

    def add(self, job: Job) -> None:
        """Queue a job. The caller holds the lock."""
        self.jobs.append(job)
        if isinstance(job, Fragment):
            self.bytes += job.size_bytes
        self.lock.notify_all()

    def close(self) -> None:
        """Accept that no more jobs follow, and wake the writer. The caller holds the lock."""
        self.closing = True
        self.lock.notify_all()

    def done(self, job: Job) -> None:
        """Remove the first job."""
        with self.lock:
            self.jobs.popleft()
            if isinstance(job, Fragment):
                self.bytes -= job.size_bytes

    def split(self, job: Fragment) -> Fragment:
        """Replace the first fragment by one per frame, and return the first of these."""
        ends = [frame.dts_ns for frame in job.frames[1:]] + [job.end_dts_ns]
        singles = [
            Fragment((frame,), max(end, frame.dts_ns + 1), len(frame.data), job.tries - 1)
            for frame, end in zip(job.frames, ends, strict=True)
        ]
        singles[0].tries, singles[0].hole = job.tries, job.hole
        with self.lock:
            self.jobs.popleft()
            self.jobs.extendleft(reversed(singles))
        return singles[0]

    def clear(self) -> list[Fragment]:
        """Clear the queue and return the fragments that waited."""
        with self.lock:
            waited = [job for job in self.jobs if isinstance(job, Fragment)]
            self.jobs.clear()
            self.bytes = 0
        return waited


@dataclass
class Gop:
    """Fragments of a segment since its newest keyframe, and their offset in the file.

    They are kept while they are few enough, so that another file can begin with that keyframe.
    """

    at: int
    fragments: list[Fragment] = field(default_factory=list)
    size_bytes: int = 0
    frames: int = 0

    def add(self, job: Fragment) -> None:
        """Add a fragment that was appended."""
        self.size_bytes += job.size_bytes
        self.frames += len(job.frames)
        if self.whole:
            self.fragments.append(job)
        else:
            self.fragments.clear()

    @property
    def whole(self) -> bool:
        """Whether all fragments of the GOP are kept."""
        return self.size_bytes <= _KEPT_GOP_BYTES
