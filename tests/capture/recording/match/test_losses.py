"""What is lost of the running match, as every device sees it."""

from __future__ import annotations

import pytest

from support.runningmatches import S, info, match
from touchline.capture.library.manifest.manifest import Gap
from touchline.capture.recording.match import losses
from touchline.capture.recording.match.losses import MOST_LOSSES, losses_of
from touchline.capture.recording.match.match import Match


def running(now_s: float = 65) -> Match:
    """A match that began at 100 s of its clock and 5 s of the monotonic one."""
    it = match(monotonic_ns=lambda: int(now_s * S))
    it.tracks[0].note_segment(info(0, 100, 110), "opened")
    it.begin()
    return it


def told(from_s: float, to_s: float, kind: str | None = "frames") -> dict[str, object]:
    return {
        "from_unix_ns": int(from_s * S),
        "to_unix_ns": int(to_s * S),
        "reason": "frames are missing",
        "kind": kind,
    }


def test_a_loss_names_its_camera_and_is_counted_while_it_lasts() -> None:
    it = running()
    assert losses_of(it) == []
    it.tracks[0].mark_lost("the worker exited: killed by signal 9", 115 * S, "worker")
    (lasting,) = losses_of(it)
    assert lasting == {
        "camera": "camera_0",
        "name": "CAM 0",
        "from_s": 10.0,
        "seconds": 50.0,
        "reason": "the worker exited: killed by signal 9",
        "kind": "worker",
        "ended": False,
    }
    it.tracks[0].note_segment(info(1, 114.5, 114.5), "opened")
    (over,) = losses_of(it)
    assert over == {**lasting, "seconds": 4.5, "ended": True}


def test_losses_of_all_cameras_are_in_order() -> None:
    it = running()
    it.tracks[0].note_gap(told(130, 131))
    it.tracks[1].note_gap(told(120, 122, "disk"))
    it.tracks[1].mark_lost("no frame for 0.9 s", 125 * S)
    found = [(loss["camera"], loss["from_s"], loss["kind"]) for loss in losses_of(it)]
    assert found == [
        ("camera_1", 20.0, "disk"),
        ("camera_1", 25.0, "camera"),
        ("camera_0", 30.0, "frames"),
    ]


def test_nothing_is_lost_where_a_stream_changed() -> None:
    it = running()
    it.tracks[0].note_gap({**told(110, 110), "reason": "the picture format changed"})
    assert losses_of(it) == []


@pytest.mark.parametrize("kind", [None, "", "of a version to come"])
def test_a_kind_that_is_not_known_is_the_camera_s(kind: str | None) -> None:
    it = running()
    it.tracks[0].note_gap(told(110, 111, kind))
    assert [loss["kind"] for loss in losses_of(it)] == ["camera"]


def test_too_many_losses_leave_the_newest_and_those_that_last() -> None:
    it = running()
    it.tracks[1].mark_lost("nobody answers", 100 * S)
    for number in range(300):
        it.tracks[0].note_gap(told(200 + number, 200.6 + number))
    found = losses_of(it)
    assert len(found) == MOST_LOSSES
    assert (found[0]["camera"], found[0]["ended"]) == ("camera_1", False)
    assert [loss["from_s"] for loss in found[1:]] == [float(n) for n in range(201, 400)]
    assert sum(1 for _ in it.tracks[0].all_gaps()) == 300


def test_a_length_that_nobody_knows_is_said_so_and_nothing_is_lost_before_the_start() -> None:
    gap = Gap(
        camera="cam0", from_unix_ns=90 * S, to_unix_ns=103 * S, reason="power", length_known=False
    )
    loss = losses.loss_of(gap, camera="camera_0", name="LEFT", from_ns=100 * S, now_ns=200 * S)
    assert loss["length_known"] is False
    assert (loss["from_s"], loss["seconds"]) == (0.0, 3.0)


def test_when_the_match_has_ended_no_loss_grows() -> None:
    now_s = [65.0]
    it = match(monotonic_ns=lambda: int(now_s[0] * S))
    it.begin()
    it.tracks[0].mark_lost("the cable is out", 110 * S)
    it.end(int(30 * S))
    now_s[0] += 100
    (loss,) = losses_of(it)
    assert (loss["from_s"], loss["seconds"]) == (10.0, 15.0)
