from __future__ import annotations

from typing import Any

from touchline.worker.recording.backlog import Hole
from touchline.worker.recording.ledger import RecordingLedger


def ledger() -> tuple[RecordingLedger, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    return RecordingLedger(events.append), events


def test_fragments_add_up_and_the_end_of_the_footage_is_that_of_the_last() -> None:
    kept, events = ledger()
    assert not kept.started
    kept.opened({"file": "a.mp4"})
    kept.wrote(10, 1000, 5)
    kept.wrote(12, 500, 9)
    assert (kept.frames, kept.bytes, kept.end_unix_ns, kept.started) == (22, 1500, 9, True)
    assert [event["change"] for event in events] == ["opened"]


def test_only_the_segment_that_was_removed_leaves_even_if_another_is_equal() -> None:
    kept, events = ledger()
    first, second = {"file": "a.mp4"}, {"file": "a.mp4"}
    kept.opened(first)
    kept.opened(second)
    kept.removed(first)
    kept.removed({"file": "a.mp4"})
    assert len(kept.segments) == 1
    assert kept.segments[0] is second
    assert [event["change"] for event in events] == ["opened", "opened", "removed"]


def test_a_gap_lasts_from_the_end_of_the_footage_and_there_is_none_before_it_or_within_it() -> None:
    kept, events = ledger()
    hole = Hole("the camera was away", "camera")
    kept.gap(50, hole)
    kept.wrote(1, 1, 100)
    kept.gap(99, hole)
    assert (kept.gaps, events) == ([], [])
    kept.gap(300, hole)
    (gap,) = kept.gaps
    assert (gap["from_unix_ns"], gap["to_unix_ns"]) == (100, 300)
    assert (gap["reason"], gap["kind"]) == ("the camera was away", "camera")
    assert events[0]["gap"] == gap
