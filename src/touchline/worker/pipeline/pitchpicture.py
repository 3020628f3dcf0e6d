"""Pictures of two simulated cameras that film the same match, with a clock and a frame counter.

Standard library only. The empty pitch is a file drawn beforehand (`sim.pitch`); players and ball
are drawn onto it where the camera sees them at that time.
"""

from __future__ import annotations

import logging
from pathlib import Path

from touchline.ipc.wire import SimulatedPicture
from touchline.media.picture import pitchplay
from touchline.media.picture.testpicture import Sprite, TestPicture

log = logging.getLogger(__name__)

_PLAYER_M, _BALL_M = 1.85, 0.5
"""Larger than life: a ball of real size would be a single grey pixel at the far end."""
_LEAST_PX = 4
_SKIN, _SHORTS, _WHITE = (150, 112, 148), (190, 128, 128), (235, 128, 128)
_SHIRTS = ((84, 100, 205), (62, 205, 110))
_REFEREE = (40, 128, 128)

Colour = tuple[int, int, int]


def open_picture(picture: SimulatedPicture) -> TestPicture:
    """Return the generator of this picture; the test pattern, with a warning, without a pitch file.

    Raises ValueError for an impossible picture.
    """
    size = (picture.width, picture.height)
    rate = (picture.fps_numerator, picture.fps_denominator)
    if picture.side is not None and picture.scene is not None:
        try:
            pitch = Path(picture.scene).read_bytes()
        except OSError as error:
            log.warning("the simulated pitch is not there: %s", error)
        else:
            if len(pitch) == picture.width * picture.height * 3 // 2:
                return PitchPicture(picture.name, *size, *rate, side=picture.side, pitch=pitch)
            log.warning("%s is not a pitch of that size", picture.scene)
    return TestPicture(picture.name, *size, *rate)


class PitchPicture(TestPicture):
    """The view of one of the two cameras; the same index and time give the same picture."""

    def __init__(
        self,
        name: str,
        width: int,
        height: int,
        fps_numerator: int,
        fps_denominator: int = 1,
        *,
        side: str,
        pitch: bytes,
    ) -> None:
        """Create the view; `pitch` is the empty pitch as I420. Raises ValueError if impossible."""
        self._pitch = pitch
        self._view = pitchplay.view(side, width, height)
        self._sprites: dict[tuple[int, Colour], Sprite] = {}
        self._drawn: list[tuple[Sprite, int, int]] = []
        super().__init__(name, width, height, fps_numerator, fps_denominator)

    def frame(self, index: int, unix_s: float) -> bytes:
        """Return picture number `index` as I420, showing the wall clock `unix_s` in UTC."""
        picture = self._canvas
        for sprite, x, y in self._drawn:
            self._wipe(picture, sprite, x, y)
        self._drawn.clear()
        seconds = index * self.frame_s
        figures: list[tuple[float, float, float, Colour]] = []
        for number, (x_m, y_m) in enumerate(pitchplay.players_m(seconds)):
            feet = self._view.project((x_m, y_m, 0.0))
            if feet is not None:
                colour = _REFEREE if number == pitchplay.REFEREE else _SHIRTS[number % 2]
                figures.append((*feet, colour))
        for column, row, px_a_m, colour in sorted(figures, key=lambda figure: figure[1]):
            player = self._player(_even(px_a_m * _PLAYER_M), colour)
            self._put(picture, player, column, row, standing=True)
        ball = self._view.project(pitchplay.ball_m(seconds))
        if ball is not None:
            self._put(picture, self._ball_of(_even(ball[2] * _BALL_M)), ball[0], ball[1])
        self._draw_signs(picture, index, unix_s)
        return bytes(picture)

    def _draw_background(self) -> bytes:
        picture = bytearray(self._pitch)
        self._draw_panels(picture)
        return bytes(picture)

    def _put(
        self, picture: bytearray, sprite: Sprite, x: float, y: float, *, standing: bool = False
    ) -> None:
        """Draw a sprite with its centre, or its feet, at this place if it is completely inside."""
        left = 2 * round((x - sprite.width / 2) / 2)
        top = 2 * round((y - (sprite.height if standing else sprite.height / 2)) / 2)
        inside = 0 <= left <= self.width - sprite.width and 0 <= top <= self.height - sprite.height
        if inside:
            sprite.draw(picture, self, left, top)
            self._drawn.append((sprite, left, top))

    def _wipe(self, picture: bytearray, sprite: Sprite, x: int, y: int) -> None:
        """Restore the pitch where a sprite was."""
        base, stride = 0, self.width
        for shift in (0, 1, 1):
            left, wide = x >> shift, sprite.width >> shift
            for row in range(y >> shift, (y + sprite.height) >> shift):
                at = base + row * stride + left
                picture[at : at + wide] = self._background[at : at + wide]
            base += stride * (self.height >> shift)
            stride = self.width // 2

    def _player(self, height: int, shirt: Colour) -> Sprite:
        sprite = self._sprites.get((height, shirt))
        if sprite is None:
            pairs = height // 2
            wide = max(2, _even(height * 0.4))
            slim = max(2, _even(wide * 0.5))
            edge, head = 2 * ((wide - slim) // 4), 2 * ((wide - slim) // 4)
            rows = []
            for pair in range(pairs):
                share = (pair + 0.5) / pairs
                if share < 0.16:
                    rows.append((head, slim, _SKIN))
                elif share < 0.55:
                    rows.append((0, wide, shirt))
                elif share < 0.75:
                    rows.append((0, wide, _SHORTS))
                else:
                    rows.append((edge, slim, _SKIN))
            sprite = self._sprites[height, shirt] = Sprite(rows)
        return sprite

    def _ball_of(self, height: int) -> Sprite:
        sprite = self._sprites.get((height, _WHITE))
        if sprite is None:
            sprite = self._sprites[height, _WHITE] = Sprite([(0, height, _WHITE)] * (height // 2))
        return sprite


def _even(value: float) -> int:
    return max(_LEAST_PX, 2 * round(value / 2))
