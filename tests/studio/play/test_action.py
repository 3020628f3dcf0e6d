from __future__ import annotations

import numpy as np
import pytest

from touchline.studio.pictures.planes import Planes, new_planes
from touchline.studio.play.action import NOTHING, ActionFinder, PlayPosition

WIDTH, HEIGHT, RATE_HZ = 960, 320, 10.0


class Scene:
    """A green pitch below a stand, with players who run where they are told to."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = np.random.default_rng(seed)
        self._grass = self._rng.normal(100, 6, (HEIGHT, WIDTH))
        self.finder = ActionFinder(rate_hz=RATE_HZ, view_share=0.5)

    def picture(
        self, players: list[tuple[int, int]], *, light: float = 1.0, crowd: bool = False
    ) -> Planes:
        planes = new_planes(WIDTH, HEIGHT)
        luma = self._grass + self._rng.normal(0, 1.5, (HEIGHT, WIDTH))
        if crowd:  # a stand at the right, waving all the time
            luma[40:80, 600:] += self._rng.normal(0, 45, (40, WIDTH - 600))
        for x, y in players:
            luma[y : y + 16, x : x + 7] = 190
        planes.y[:] = np.clip(luma * light, 16, 235)
        planes.u[:], planes.v[:] = 105, 105
        planes.u[:15], planes.v[:15] = 128, 128
        return planes

    def watch(self, seconds: float, x0: float, speed: float, **more: object) -> list[PlayPosition]:
        """Three players who run side by side."""
        found = []
        for number in range(int(seconds * RATE_HZ)):
            x = int(x0 + speed * number / RATE_HZ)
            players = [(x, 120), (x + 30, 180), (x + 12, 240)]
            found.append(self.finder.look(self.picture(players, **more)))  # type: ignore[arg-type]
        return found


def mean_x(actions: list[PlayPosition]) -> float:
    return float(np.mean([action.x for action in actions if action.weight > 0]))


def test_it_is_where_players_run() -> None:
    scene = Scene()
    scene.watch(3, 200, 20)
    assert mean_x(scene.watch(2, 260, 20)) * WIDTH == pytest.approx(300, abs=40)
    assert mean_x(scene.watch(2, 700, -20)) * WIDTH == pytest.approx(700, abs=50)


def test_a_crowd_that_waves_is_not_the_play() -> None:
    scene = Scene()
    scene.watch(8, 150, 15, crowd=True)
    assert mean_x(scene.watch(3, 270, 15, crowd=True)) * WIDTH == pytest.approx(310, abs=70)


def test_light_that_changes_is_not_the_play() -> None:
    scene = Scene()
    scene.watch(4, 200, 15)
    found = []
    for number in range(30):  # a cloud goes by
        players = [(260 + number, 120), (290 + number, 180)]
        found.append(scene.finder.look(scene.picture(players, light=1 - 0.012 * number)))
    assert mean_x(found) * WIDTH == pytest.approx(295, abs=60)


def test_an_empty_pitch_has_no_play() -> None:
    scene = Scene()
    found = [scene.finder.look(scene.picture([])) for _ in range(60)]
    assert np.mean([action.weight > 0 for action in found[20:]]) < 0.2
    assert found[0] == NOTHING


def test_only_the_marked_pitch_counts() -> None:
    corners = np.array([[0.0, 0.3], [0.5, 0.3], [0.5, 1.0], [0.0, 1.0]])
    scene = Scene()
    scene.finder = ActionFinder(rate_hz=RATE_HZ, view_share=0.3, pitch=corners)
    for number in range(60):
        players = [(200 + number, 150), *((700 + 3 * number + 20 * k, 200) for k in range(6))]
        action = scene.finder.look(scene.picture(players))
    assert action.x * WIDTH == pytest.approx(262, abs=60)
