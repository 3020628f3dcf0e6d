"""Pictures of the simulated camera: a pitch, a clock and a frame counter that can be read back.

Standard library only. Frames are I420 (limited range, all planes packed without padding).

The frame counter
-----------------
Divide the picture into 40 columns and 20 rows. The edge before column `c` lies at pixel
`2 * round(c * width / 80)`, the edge before row `r` at `2 * round(r * height / 40)`; so every cell
has even sides, and its centre stays at `(c + 0.5) * width / 40`, `(r + 0.5) * height / 20`
when the picture is scaled, even out of proportion.

The counter fills columns 1 to 22 of rows 1 and 2. A white cell (luma 235) is a 1, a black one
(luma 16) a 0; chroma is neutral::

    column   1      2 … 21                                   22
    row 1    white  bits 31 … 12 of the counter              black
    row 2    black  bits 11 … 0, then 8 bits of checksum     white

The most significant bit comes first. The four corner cells are guards: they give the reader its
two levels and show that there is a counter. The checksum is CRC-8 (polynomial 0x07,
start 0xFF, not reflected) of the counter's four bytes, most significant first. The counter is the
frame's index modulo 2**32.

A reader averages the middle half of each cell in both directions, takes the mean of the white
guards as "white" and of the black guards as "black", and reads a cell brighter than halfway as 1.
It returns no counter if white is not at least 40 levels above black, if a guard is on the wrong
side of halfway, if another cell lies in the middle third between them, or if the checksum differs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

MIN_WIDTH = 160
MIN_HEIGHT = 90

_COLUMNS, _ROWS = 40, 20
_FIRST_COLUMN, _FIRST_ROW = 1, 1
_BITS_A_ROW = 20
_CELLS_A_ROW = _BITS_A_ROW + 2
_COUNTER_MASK = 0xFFFFFFFF
_WHITE, _BLACK, _NEUTRAL = 235, 16, 128
_LEAST_CONTRAST = 40

_FONT_HEIGHT, _FONT_PITCH = 7, 6
"""Glyphs are five pixels wide and seven high, each followed by an empty column."""

# A glyph is seven rows from the top, two hexadecimal digits each; the leftmost pixel is 0x10.
_FONT = {
    " ": "00000000000000", "!": "04040404040004", "#": "0a0a1f0a1f0a0a", "'": "04040800000000",
    "(": "02040808080402", ")": "08040202020408", "+": "0004041f040400", ",": "00000000000408",
    "-": "0000001f000000", ".": "00000000000c0c", "/": "00010204081000", ":": "000c0c000c0c00",
    "?": "0e110102040004", "_": "0000000000001f", "&": "0c12140815120d", "=": "00001f001f0000",
    "0": "0e11131519110e", "1": "040c040404040e", "2": "0e11010204081f", "3": "1f02040201110e",
    "4": "02060a121f0202", "5": "1f101e0101110e", "6": "0608101e11110e", "7": "1f010204080808",
    "8": "0e11110e11110e", "9": "0e11110f01020c", "A": "0e11111f111111", "B": "1e11111e11111e",
    "C": "0e11101010110e", "D": "1c12111111121c", "E": "1f10101e10101f", "F": "1f10101e101010",
    "G": "0e11101711110f", "H": "1111111f111111", "I": "0e04040404040e", "J": "0702020202120c",
    "K": "11121418141211", "L": "1010101010101f", "M": "111b1515111111", "N": "11111915131111",
    "O": "0e11111111110e", "P": "1e11111e101010", "Q": "0e11111115120d", "R": "1e11111e141211",
    "S": "0f10100e01011e", "T": "1f040404040404", "U": "1111111111110e", "V": "11111111110a04",
    "W": "1111111515150a", "X": "11110a040a1111", "Y": "1111110a040404", "Z": "1f01020408101f",
}  # fmt: skip

_LIGHT_GRASS, _DARK_GRASS, _GRASS_U, _GRASS_V = 112, 102, 100, 101
_CHALK = 225
_SHIRTS = ((84, 100, 205), (62, 205, 110))
"""Luma and both chroma values of each team's shirt: red and blue."""
_PLAYERS_A_TEAM = 11

Luma = bytes | bytearray | memoryview
_Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are exclusive."""


class TestPicture:
    """A simulated camera's picture generator; the same index and time give the same picture."""

    __test__ = False  # pytest collects classes whose names begin with Test

    def __init__(
        self, name: str, width: int, height: int, fps_numerator: int, fps_denominator: int = 1
    ) -> None:
        """Prepare all static parts. Raises ValueError for impossible sizes or rates."""
        if width < MIN_WIDTH or height < MIN_HEIGHT or width % 2 or height % 2:
            least = f"{MIN_WIDTH}x{MIN_HEIGHT}"
            raise ValueError(f"the picture must be even and at least {least}, not {width}x{height}")
        if fps_numerator < 1 or fps_denominator < 1:
            raise ValueError(f"the rate must be positive, not {fps_numerator}/{fps_denominator}")
        self.name = name
        self.width = width
        self.height = height
        self.frame_s = fps_denominator / fps_numerator
        self._columns = [_edge(c, _COLUMNS, width) for c in range(_COLUMNS + 1)]
        self._rows = [_edge(r, _ROWS, height) for r in range(_ROWS + 1)]
        self._text_scale = max(1, (self._rows[19] - self._rows[17]) // (_FONT_HEIGHT + 2))
        self._glyphs = {char: _glyph_rows(char, self._text_scale) for char in "0123456789:.Z"}
        self._cells = tuple(
            tuple(
                bytes((level,)) * (self._columns[c + 1] - self._columns[c])
                for c in range(_FIRST_COLUMN, _FIRST_COLUMN + _CELLS_A_ROW)
            )
            for level in (_BLACK, _WHITE)
        )
        # Area of the players: moving parts stay clear of the counter above and the text below.
        self._top, self._bottom = self._rows[4], self._rows[15]
        self._players = [Sprite.player(height, shirt) for shirt in _SHIRTS]
        self._ball = Sprite.ball(height)
        self._background = self._draw_background()
        # Only the players' area must be cleared between frames; the rest is drawn over. Reusing one
        # canvas halves the time of a frame, most of which the kernel spends on providing new pages.
        luma, chroma = width * height, width * height // 4
        top, bottom = self._top * width, self._bottom * width
        self._ground = (
            slice(top, bottom),
            slice(luma + top // 4, luma + bottom // 4),
            slice(luma + chroma + top // 4, luma + chroma + bottom // 4),
        )
        self._canvas = bytearray(self._background)

    def frame(self, index: int, unix_s: float) -> bytes:
        """Draw picture number `index` as I420, showing the wall clock `unix_s` in UTC."""
        picture, background = self._canvas, memoryview(self._background)
        for part in self._ground:
            picture[part] = background[part]
        seconds = index * self.frame_s
        for number in range(2 * _PLAYERS_A_TEAM):
            sprite = self._players[number % 2]
            sprite.draw(picture, self, *self._place(sprite, seconds, *_PATHS[number]))
        self._ball.draw(picture, self, *self._place(self._ball, seconds, *_PATHS[-1]))
        self._draw_signs(picture, index, unix_s)
        return bytes(picture)

    def _draw_signs(self, picture: bytearray, index: int, unix_s: float) -> None:
        """Draw the counter and the clock."""
        self._draw_counter(picture, index & _COUNTER_MASK)
        self._draw_text(picture, _clock(unix_s), self._rows[17])

    def _place(
        self, sprite: Sprite, seconds: float, home: tuple[float, float], pace: tuple[float, float]
    ) -> tuple[int, int]:
        """Return the position of a sprite around its home, on even pixels, inside the area."""
        x = home[0] + 0.10 * math.sin(pace[0] * seconds + 7 * home[1])
        y = home[1] + 0.12 * math.sin(pace[1] * seconds + 7 * home[0])
        across, down = self.width - sprite.width, self._bottom - self._top - sprite.height
        return (
            2 * int(min(max(x, 0.0), 1.0) * across / 2),
            self._top + 2 * int(min(max(y, 0.0), 1.0) * down / 2),
        )

    def _draw_counter(self, picture: bytearray, counter: int) -> None:
        width, start = self.width, self._columns[_FIRST_COLUMN]
        for row, bits in enumerate(_counter_rows(counter)):
            line = b"".join(self._cells[bit][i] for i, bit in enumerate(bits))
            for y in range(self._rows[_FIRST_ROW + row], self._rows[_FIRST_ROW + row + 1]):
                offset = y * width + start
                picture[offset : offset + len(line)] = line

    def _draw_text(self, picture: bytearray, text: str, top: int) -> None:
        scale, left = self._text_scale, self._columns[_FIRST_COLUMN]
        room = (self._columns[_COLUMNS - 1] - left) // (_FONT_PITCH * scale)
        glyphs = [self._glyphs.get(char) or _glyph_rows(char, scale) for char in text[:room]]
        for row in range(_FONT_HEIGHT):
            line = b"".join(glyph[row] for glyph in glyphs)
            for y in range(top + (row + 1) * scale, top + (row + 2) * scale):
                offset = y * self.width + left
                picture[offset : offset + len(line)] = line

    def _draw_background(self) -> bytes:
        width, height = self.width, self.height
        edges = [_edge(stripe, 14, width) for stripe in range(15)]
        grass = b"".join(
            bytes(((_DARK_GRASS, _LIGHT_GRASS)[stripe % 2],)) * (edges[stripe + 1] - edges[stripe])
            for stripe in range(14)
        )
        chroma = [bytes((level,)) * (width * height // 4) for level in (_GRASS_U, _GRASS_V)]
        picture = bytearray(grass * height + chroma[0] + chroma[1])
        for box in _pitch_lines(width, self._rows[3], self._rows[16]):
            self._fill(picture, box, (_CHALK, _NEUTRAL, _NEUTRAL))
        self._draw_panels(picture)
        return bytes(picture)

    def _draw_panels(self, picture: bytearray) -> None:
        """Draw black panels for counter and clock, and the camera's name."""
        width = self.width
        panel = (_BLACK, _NEUTRAL, _NEUTRAL)
        half = (self._columns[1] // 4) * 2, (self._rows[1] // 4) * 2
        right = self._columns[_FIRST_COLUMN + _CELLS_A_ROW]
        box = half[0], half[1], right + half[0], self._rows[3] + half[1]
        self._fill(picture, box, panel)
        text = self.name.upper(), _clock(0.0)
        for line, top in zip(text, (self._rows[15], self._rows[17]), strict=True):
            end = self._columns[1] + len(line) * _FONT_PITCH * self._text_scale
            bottom = top + 2 * math.ceil((_FONT_HEIGHT + 2) * self._text_scale / 2)
            box = half[0], top, min(end + half[0], width), min(bottom, self.height)
            self._fill(picture, box, panel)
            self._draw_text(picture, line, top)

    def _fill(self, picture: bytearray, box: _Box, colour: tuple[int, int, int]) -> None:
        """Fill a box (rounded outwards to even pixels) with one colour in all three planes."""
        left, top, right, bottom = box[0] & ~1, box[1] & ~1, (box[2] + 1) & ~1, (box[3] + 1) & ~1
        base, stride = 0, self.width
        for plane, level in enumerate(colour):
            shift = 1 if plane else 0
            line = bytes((level,)) * ((right - left) >> shift)
            for y in range(top >> shift, bottom >> shift):
                offset = base + y * stride + (left >> shift)
                picture[offset : offset + len(line)] = line
            base += stride * (self.height >> shift)
            stride = self.width // 2


class Sprite:
    """A small coloured shape, stored as spans of each plane so that drawing is slice assignment."""

    def __init__(self, rows: list[tuple[int, int, tuple[int, int, int]]]) -> None:
        """`rows` holds, for each pair of lines, an even left edge, an even width and a colour."""
        self.height = 2 * len(rows)
        self.width = max(left + width for left, width, _ in rows)
        self._luma = [
            (y, left, bytes((colour[0],)) * width)
            for pair, (left, width, colour) in enumerate(rows)
            for y in (2 * pair, 2 * pair + 1)
        ]
        self._chroma = [
            [(y, r[0] // 2, bytes((r[2][plane],)) * (r[1] // 2)) for y, r in enumerate(rows)]
            for plane in (1, 2)
        ]

    @classmethod
    def player(cls, height: int, shirt: tuple[int, int, int]) -> Sprite:
        """Create a player: head, shirt, shorts and legs, a twentieth of the picture high."""
        unit = max(1, height // 180)
        skin, shorts = (150, 112, 148), (200, 128, 128)
        return cls(
            [(2 * unit, 2 * unit, skin)] * unit
            + [(0, 6 * unit + 6 * unit % 2, shirt)] * (2 * unit)
            + [(2 * (unit // 2), 4 * unit, shorts)] * unit
            + [(2 * ((unit + 1) // 2), 2 * unit, skin)] * unit
        )

    @classmethod
    def ball(cls, height: int) -> Sprite:
        """Create a ball: a white square that is never too small to see."""
        side = 2 * max(2, height // 180)
        return cls([(0, side, (_WHITE, _NEUTRAL, _NEUTRAL))] * (side // 2))

    def draw(self, picture: bytearray, frame: TestPicture, x: int, y: int) -> None:
        """Draw the sprite at an even position inside the picture."""
        width = frame.width
        origin = y * width + x
        for row, left, span in self._luma:
            offset = origin + row * width + left
            picture[offset : offset + len(span)] = span
        stride = width // 2
        origin = width * frame.height + y // 2 * stride + x // 2
        for plane in self._chroma:
            for row, left, span in plane:
                offset = origin + row * stride + left
                picture[offset : offset + len(span)] = span
            origin += stride * (frame.height // 2)


def read_counter(luma: Luma, width: int, height: int, stride: int | None = None) -> int | None:
    """Read the counter in a luma plane; None if there is none that can be trusted.

    `width` and `height` are those of the whole picture; `luma` may end below the counter
    (`counter_bottom(height)` lines are enough).
    """
    stride = width if stride is None else stride
    if len(luma) < (counter_bottom(height) - 1) * stride + width:
        return None
    levels = [
        _cell_level(luma, stride, width, height, _FIRST_COLUMN + cell, _FIRST_ROW + row)
        for row in range(2)
        for cell in range(_CELLS_A_ROW)
    ]
    upper, lower = levels[:_CELLS_A_ROW], levels[_CELLS_A_ROW:]
    white, black = (upper[0] + lower[-1]) / 2, (upper[-1] + lower[0]) / 2
    contrast = white - black
    if contrast < _LEAST_CONTRAST:
        return None
    value = 0
    for level in (*upper[1:-1], *lower[1:-1]):
        share = (level - black) / contrast
        if 1 / 3 < share < 2 / 3:
            return None
        value = value << 1 | (share > 0.5)
    middle = black + contrast / 2
    if min(upper[0], lower[-1]) < middle or max(upper[-1], lower[0]) > middle:
        return None
    return value >> 8 if _crc8(value >> 8) == value & 0xFF else None


def counter_bottom(height: int) -> int:
    """Return how many lines from the top of a picture hold the whole counter."""
    return _edge(_FIRST_ROW + 2, _ROWS, height)


def _cell_level(luma: Luma, stride: int, width: int, height: int, column: int, row: int) -> float:
    """Return the mean brightness of the middle half of a cell, from at most eight lines of it."""
    left, right = (int((column + part) * width / _COLUMNS) for part in (0.25, 0.75))
    top, bottom = (int((row + part) * height / _ROWS) for part in (0.25, 0.75))
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    lines = range(top, bottom, max(1, (bottom - top) // 8))
    total = sum(sum(luma[y * stride + left : y * stride + right]) for y in lines)
    return total / (len(lines) * (right - left))


def _counter_rows(counter: int) -> tuple[list[int], list[int]]:
    """Return the two rows of cells, guards included, as ones and zeros."""
    value = counter << 8 | _crc8(counter)
    bits = [value >> shift & 1 for shift in range(2 * _BITS_A_ROW - 1, -1, -1)]
    return [1, *bits[:_BITS_A_ROW], 0], [0, *bits[_BITS_A_ROW:], 1]


def _crc8(counter: int) -> int:
    crc = 0xFF
    for byte in counter.to_bytes(4, "big"):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def _edge(number: int, parts: int, pixels: int) -> int:
    """Return the even pixel nearest to `number` parts of `parts`; halves are rounded up."""
    return 2 * int(number * pixels / (2 * parts) + 0.5)


def _glyph_rows(char: str, scale: int) -> list[bytes]:
    rows = bytes.fromhex(_FONT.get(char, _FONT["?"]))
    return [
        b"".join(bytes((_WHITE if row & mask else _BLACK,)) * scale for mask in (16, 8, 4, 2, 1, 0))
        for row in rows
    ]


def _clock(unix_s: float) -> str:
    hundredths = int(unix_s * 100)
    return f"{time.strftime('%H:%M:%S', time.gmtime(hundredths // 100))}.{hundredths % 100:02d}Z"


def _pitch_lines(width: int, top: int, bottom: int) -> Iterable[_Box]:
    """Yield boxes that draw a pitch's chalk lines seen from above, between two rows of pixels."""
    line = max(2, 2 * round(width / 900))
    left, right = width // 32, width - width // 32
    middle_x, middle_y, tall = width // 2, (top + bottom) // 2, bottom - top

    def outline(x0: int, y0: int, x1: int, y1: int) -> Iterable[_Box]:
        yield x0, y0, x1, y0 + line
        yield x0, y1 - line, x1, y1
        yield x0, y0, x0 + line, y1
        yield x1 - line, y0, x1, y1

    yield from outline(left, top, right, bottom)
    yield middle_x - line // 2, top, middle_x + line // 2, bottom
    for depth, breadth in ((0.157, 0.59), (0.052, 0.27)):  # penalty and goal area, as shares
        deep, half = int((right - left) * depth), int(tall * breadth / 2)
        yield from outline(left, middle_y - half, left + deep, middle_y + half)
        yield from outline(right - deep, middle_y - half, right, middle_y + half)
    radius = int(tall * 0.135)
    for step in range(8 * radius):
        angle = step * math.pi / (4 * radius)
        x, y = middle_x + int(radius * math.cos(angle)), middle_y + int(radius * math.sin(angle))
        yield x, y, x + line, y + line


def _paths() -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return home (shares of the area) and pace (radians a second) of players and ball."""
    paths = []
    for number in range(2 * _PLAYERS_A_TEAM):
        team, place = number % 2, number // 2
        depth = (0.03, 0.18, 0.18, 0.2, 0.2, 0.36, 0.34, 0.37, 0.52, 0.5, 0.53)[place]
        breadth = (0.5, 0.15, 0.85, 0.38, 0.62, 0.2, 0.8, 0.5, 0.25, 0.75, 0.5)[place]
        home = (depth if team == 0 else 0.97 - depth, breadth)
        paths.append((home, (0.5 + 0.07 * place + 0.03 * team, 0.8 - 0.04 * place + 0.05 * team)))
    return [*paths, ((0.5, 0.45), (1.7, 2.3))]


_PATHS = _paths()
