from __future__ import annotations

import pytest

from support.coded import FRAME_NS, frames
from touchline.worker.recording import backlog as module
from touchline.worker.recording.backlog import Backlog, BeginSegment, Fragment, Gop, Hole


def fragment(count: int = 3, *, first: int = 0) -> Fragment:
    sent = frames(first + count, gop=100)[first:]
    return Fragment(
        tuple(sent), sent[-1].dts_ns + FRAME_NS, sum(len(each.data) for each in sent), tries=2
    )


def filled(*jobs: BeginSegment | Fragment) -> Backlog:
    backlog = Backlog()
    with backlog.lock:
        for job in jobs:
            backlog.add(job)
    return backlog


def test_only_footage_that_waits_counts_as_memory() -> None:
    begin, one, two = BeginSegment(frames(1, gop=1)[0], None), fragment(), fragment(first=3)
    backlog = filled(begin, one, two)
    assert backlog.bytes == one.size_bytes + two.size_bytes
    backlog.done(begin)
    backlog.done(one)
    assert (list(backlog.jobs), backlog.bytes) == ([two], two.size_bytes)
    assert backlog.clear() == [two]
    assert backlog.bytes == 0


def test_a_fragment_that_cannot_be_written_whole_is_tried_frame_by_frame() -> None:
    job, after = fragment(), fragment(first=3)
    job.hole = Hole("the camera was away", "camera")
    backlog = filled(job, after)
    first = backlog.split(job)
    singles = [each for each in backlog.jobs if isinstance(each, Fragment)][:-1]
    assert [each.frames for each in singles] == [(frame,) for frame in job.frames]
    assert [each.end_dts_ns for each in singles][-1] == job.end_dts_ns
    assert first is singles[0]
    # Only the first one has been tried so often, and only it follows the hole.
    assert [each.tries for each in singles] == [2, 1, 1]
    assert [each.hole for each in singles] == [job.hole, None, None]
    assert backlog.jobs[-1] is after


def test_a_group_of_pictures_is_kept_while_it_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = fragment(), fragment(first=3)
    monkeypatch.setattr(module, "_KEPT_GOP_BYTES", one.size_bytes + two.size_bytes - 1)
    gop = Gop(at=100)
    gop.add(one)
    assert (gop.whole, gop.fragments, gop.frames) == (True, [one], 3)
    gop.add(two)
    assert (gop.whole, gop.fragments, gop.frames) == (False, [], 6)
