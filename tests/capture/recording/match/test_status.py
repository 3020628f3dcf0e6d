from __future__ import annotations

from pathlib import Path

from support.runningmatches import S, camera, match, part_from
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.match.status import status_of


def test_a_stopping_camera_that_runs_is_said_to_be_stopping() -> None:
    it = match()
    it.begin_stop()
    status = status_of(it, protection_s=10, require_all=True)
    assert status["cameras"]["camera_0"]["state"] == "stopping"


def test_frames_lost_before_the_match_are_not_the_match_s() -> None:
    camera_0 = camera(0, dropped={"source": 1500, "queue": 2})
    running = Match("m1", Path("/matches/m1"), [camera_0], part=part_from(100 * S, 5 * S))
    camera_0.status["dropped"] = {"source": 1503, "queue": 2}
    told = status_of(running, protection_s=10, require_all=True)["cameras"]["camera_0"]
    assert told["dropped"] == {"source": 3, "queue": 0, "disk": 0}
    camera_0.status["dropped"] = {"source": 4, "queue": 0}  # its worker was started anew
    told = status_of(running, protection_s=10, require_all=True)["cameras"]["camera_0"]
    assert told["dropped"]["source"] == 4
