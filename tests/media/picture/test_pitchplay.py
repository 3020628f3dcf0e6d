from __future__ import annotations

import numpy as np

from support.pitches import pitch_pair
from touchline.media.picture import pitchplay

SIZE = (640, 360)


def test_both_cameras_see_one_world() -> None:
    pair = pitch_pair(*SIZE)
    views = [pitchplay.view(side, *SIZE) for side in ("left", "right")]
    seen_by_both = 0
    for x in range(-20, 21, 4):
        for y in range(-30, 31, 10):
            places = [view.project((float(x), float(y), 0.0)) for view in views]
            if places[0] is None or places[1] is None:
                continue
            inside = [0 <= p[0] < SIZE[0] and 0 <= p[1] < SIZE[1] for p in places if p]
            if all(inside):
                seen_by_both += 1
                there = pair.cam0_to_cam1(np.array([[places[0][:2]]]))[0, 0]
                assert np.abs(there - np.array(places[1][:2])).max() < 0.5
    assert seen_by_both > 10


def test_the_play_is_the_same_whoever_asks_and_stays_on_the_pitch() -> None:
    for seconds in np.arange(0, 300, 0.7):
        ball = pitchplay.ball_m(float(seconds))
        assert ball == pitchplay.ball_m(float(seconds))
        assert abs(ball[0]) <= pitchplay.LENGTH_M / 2 + 2
        assert abs(ball[1]) <= pitchplay.BREADTH_M / 2 + 2
        assert ball[2] > 0
        players = pitchplay.players_m(float(seconds))
        assert len(players) == pitchplay.PLAYERS + 1
        assert all(abs(x) <= 55 and abs(y) <= 36 for x, y in players)
