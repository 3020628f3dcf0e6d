"""Stitching of two pictures: warped by precomputed tables, matched in brightness, blended.

Each view is warped only where it is shown: up to the middle of the common strip plus half the blend
width. A warp that is a mere shift becomes a copy. Everything works on the planes as the decoder
outputs them; no pixel passes through Python.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from touchline.studio.pictures.planes import BLACK_UV, BLACK_Y, Bytes, Planes, new_planes
from touchline.studio.stitching.geometry import Canvas, Floats, Lens, Pair

Pixels = npt.NDArray[np.float32]

BLEND_PX = 96
"""Width of the seam. Wide enough to hide differences of brightness, narrow enough that people
closer than the pitch are not shown twice for long."""

_GRID = 8
_FULL = 128
"""A weight of one. 255 times this still fits 16 bits with a sign."""
_GAIN_EVERY = 15
_GAIN_SHARE = 0.2
_GAIN_RANGE = (0.5, 2.0)
_SPARSE = 4
_LEAST_PIXELS = 200
_BAND_ROWS = 36


@dataclass(frozen=True)
class ColumnSpan:
    """Columns of the panorama from `start` up to, but excluding, `stop`; even numbers."""

    start: int
    stop: int

    @property
    def columns(self) -> slice:
        """Columns of the Y plane."""
        return slice(self.start, self.stop)

    @property
    def half(self) -> slice:
        """Columns of the chroma planes."""
        return slice(self.start // 2, self.stop // 2)

    def __bool__(self) -> bool:
        return self.stop > self.start


@dataclass(frozen=True)
class _Band:
    """Rows of the panorama, few enough to stay in the processor's cache."""

    rows: slice
    half: slice

    def of(self, planes: Planes, columns: ColumnSpan) -> Planes:
        """Return this band of those columns."""
        return Planes(
            planes.y[self.rows, columns.columns],
            planes.u[self.half, columns.half],
            planes.v[self.half, columns.half],
        )


class _Warp:
    """Warp table of one plane for some columns of the panorama."""

    def __init__(self, pixels: Pixels, border: int) -> None:
        """Create the table; `pixels` (rowsxcolumnsx2) are the source positions of each pixel."""
        self._border = border
        far = np.clip(np.nan_to_num(pixels, nan=-10_000.0), -10_000.0, 30_000.0)
        self._whole, self._parts = cv2.convertMaps(far[..., 0], far[..., 1], cv2.CV_16SC2)
        self._shift = self._as_shift()

    def _as_shift(self) -> tuple[int, int] | None:
        """Return the source row and column of the first pixel if the warp is a mere shift."""
        if self._parts.any():
            return None
        rows, columns = self._whole.shape[:2]
        left, top = (int(v) for v in self._whole[0, 0])
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        if not ((self._whole[..., 0] - x == left).all() and (self._whole[..., 1] - y == top).all()):
            return None
        return (top, left) if left >= 0 and top >= 0 else None

    def __call__(self, source: Bytes, into: Bytes, rows: slice) -> None:
        """Write these rows to `into`."""
        if self._shift is not None:
            top, left = self._shift
            first, last, columns = top + rows.start, top + rows.stop, into.shape[1]
            if last <= source.shape[0] and left + columns <= source.shape[1]:
                into[:] = source[first:last, left : left + columns]
                return
        cv2.remap(
            source,
            self._whole[rows],
            self._parts[rows],
            cv2.INTER_LINEAR,
            dst=into,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=self._border,
        )


class _View:
    """One camera's part of the panorama over some columns, all three planes."""

    def __init__(self, canvas: Canvas, lens: Lens, turn: Floats, span: ColumnSpan) -> None:
        self.span = span

        columns = np.arange(span.start, span.stop, dtype=np.float64)
        rows = np.arange(canvas.height, dtype=np.float64)
        self._y = _Warp(_seen(canvas, lens, turn, columns, rows), BLACK_Y)
        # A chroma sample lies on every other column and between two rows (the default of H.264).
        colour = _seen(canvas, lens, turn, columns[::2], rows[::2] + 0.5)
        colour[..., 1] -= 0.5
        self._uv = _Warp(colour * np.float32(0.5), BLACK_UV)

    def warp(self, source: Planes, into: Planes, band: _Band) -> None:
        """Write these rows of this view's columns to the planes `into`."""
        self._y(source.y, into.y, band.rows)
        self._uv(source.u, into.u, band.half)
        self._uv(source.v, into.v, band.half)


class Stitcher:
    """Stitcher of pairs of pictures. Not for use by two threads at once.

    `seam` are the columns in which both views are mixed.
    """

    def __init__(self, pair: Pair, canvas: Canvas, *, blend_px: int = BLEND_PX) -> None:
        self.canvas = canvas
        self.width, self.height = canvas.width, canvas.height
        turns = (np.eye(3), pair.rotation)
        lenses = (pair.lens0, pair.lens1)
        middles = [_middle(canvas, lens, turn) for lens, turn in zip(lenses, turns, strict=True)]
        self._left, self._right = (0, 1) if middles[0] <= middles[1] else (1, 0)
        weights = _weights(
            canvas,
            (lenses[self._left], turns[self._left]),
            (lenses[self._right], turns[self._right]),
            blend_px,
        )
        self.seam = _seam(weights)
        left_lens, left_turn = lenses[self._left], turns[self._left]
        right_lens, right_turn = lenses[self._right], turns[self._right]
        self._left_span, self._right_span = (
            ColumnSpan(0, self.seam.stop),
            ColumnSpan(self.seam.stop, canvas.width),
        )
        self._left_view = _View(canvas, left_lens, left_turn, self._left_span)
        self._right_view = _View(canvas, right_lens, right_turn, self._right_span)
        self._left_seam = _View(canvas, left_lens, left_turn, self.seam)
        self._right_seam = _View(canvas, right_lens, right_turn, self.seam)
        seam = weights[:, self.seam.columns]
        self._weight_y = np.rint(seam * _FULL).astype(np.int16)
        self._weight_uv = np.rint(seam[::2, ::2] * _FULL).astype(np.int16)
        self._gains = _Gains(seam)
        self._bands = [
            _Band(slice(top, bottom), slice(top // 2, bottom // 2))
            for top in range(0, canvas.height, _BAND_ROWS)
            for bottom in (min(top + _BAND_ROWS, canvas.height),)
        ]
        width = self.seam.stop - self.seam.start
        self._strips = [new_planes(width, canvas.height) for _ in range(2)]

    def stitch(self, cam0: Planes, cam1: Planes, into: Planes) -> None:
        """Stitch two pictures of one instant; `into` is overwritten completely."""
        views = (cam0, cam1)
        left, right = views[self._left], views[self._right]
        if self._gains.is_due():
            self._measure_gains(left, right)
        whole = ColumnSpan(0, self.seam.stop - self.seam.start)
        for band in self._bands:
            left_part, right_part = (
                band.of(into, span) for span in (self._left_span, self._right_span)
            )
            strip, mixed = band.of(self._strips[1], whole), band.of(into, self.seam)
            self._left_view.warp(left, left_part, band)
            self._gains.apply(left_part, 0)
            self._right_view.warp(right, right_part, band)
            self._gains.apply(right_part, 1)
            self._right_seam.warp(right, strip, band)
            self._gains.apply(strip, 1)
            _mix(mixed.y, strip.y, self._weight_y[band.rows])
            _mix(mixed.u, strip.u, self._weight_uv[band.half])
            _mix(mixed.v, strip.v, self._weight_uv[band.half])

    def _measure_gains(self, left: Planes, right: Planes) -> None:
        """Compare both unmodified views in the overlap."""
        whole = ColumnSpan(0, self.seam.stop - self.seam.start)
        for band in self._bands:
            self._left_seam.warp(left, band.of(self._strips[0], whole), band)
            self._right_seam.warp(right, band.of(self._strips[1], whole), band)
        self._gains.look(self._strips[0].y, self._strips[1].y)

    @property
    def gains(self) -> tuple[float, float]:
        """Current brightness factors of camera 0 and camera 1."""
        left, right = self._gains.now
        return (left, right) if self._left == 0 else (right, left)


class _Gains:
    """Brightness adjustment of both views in the overlap, slow enough to avoid flicker."""

    def __init__(self, weights: Floats) -> None:
        self.now = (1.0, 1.0)
        self._seen = 0
        both: npt.NDArray[np.bool_] = np.asarray((weights > 0) & (weights < 1))
        self._both = both[::_SPARSE, ::_SPARSE]
        self._tables = self._build_tables()

    def is_due(self) -> bool:
        """Return whether this picture is to be measured; call it once for each."""
        self._seen += 1
        return self._seen % _GAIN_EVERY == 1

    def look(self, left: Bytes, right: Bytes) -> None:
        """Measure the brightness of both views in the seam, before adjustment."""
        there = self._both
        left_level = left[::_SPARSE, ::_SPARSE][there].astype(np.float64) - BLACK_Y
        right_level = right[::_SPARSE, ::_SPARSE][there].astype(np.float64) - BLACK_Y
        # Ignore pixels that are black or overexposed in either view.
        good = (left_level > 8) & (right_level > 8) & (left_level < 215) & (right_level < 215)
        if good.sum() >= _LEAST_PIXELS:
            ratio = float(np.median(right_level[good]) / np.median(left_level[good]))
            self._approach(float(np.clip(ratio, *_GAIN_RANGE)))

    def _approach(self, ratio: float) -> None:
        """Adjust both views halfway, immediately for the first picture and then gradually."""
        share = 1.0 if self._seen == 1 else _GAIN_SHARE
        before = self.now[0] / self.now[1]
        towards = before ** (1 - share) * ratio**share
        self.now = (float(np.sqrt(towards)), float(1 / np.sqrt(towards)))
        self._tables = self._build_tables()

    def _build_tables(self) -> tuple[tuple[Bytes, Bytes] | None, ...]:
        levels = np.arange(256)
        tables: list[tuple[Bytes, Bytes] | None] = []
        for gain in self.now:
            if abs(gain - 1) < 0.004:  # less than one level
                tables.append(None)
                continue
            y = np.clip((levels - BLACK_Y) * gain + BLACK_Y, 0, 255)
            uv = np.clip((levels - BLACK_UV) * gain + BLACK_UV, 0, 255)
            tables.append((np.rint(y).astype(np.uint8), np.rint(uv).astype(np.uint8)))
        return tuple(tables)

    def apply(self, part: Planes, side: int) -> None:
        """Adjust the brightness of this part; `side` is 0 for the left."""
        tables = self._tables[side]
        if tables is None:
            return
        y, uv = tables
        cv2.LUT(part.y, y, dst=part.y)
        cv2.LUT(part.u, uv, dst=part.u)
        cv2.LUT(part.v, uv, dst=part.v)


def _mix(into: Bytes, other: Bytes, weights: npt.NDArray[np.int16]) -> None:
    """Blend `other` into `into`, which keeps its weight."""
    difference = np.subtract(into, other, dtype=np.int16)
    difference *= weights
    difference += _FULL // 2
    difference >>= 7
    np.add(other, difference, out=into, casting="unsafe")


def _seen(canvas: Canvas, lens: Lens, turn: Floats, columns: Floats, rows: Floats) -> Pixels:
    """Return where a camera sees each pixel of the panorama (rows, columns, 2).

    Computed for every eighth pixel and interpolated linearly, which is off by less than a hundredth
    of a pixel and ten times as fast.
    """
    coarse_columns, column_at, column_part = _coarse(columns)
    coarse_rows, row_at, row_part = _coarse(rows)
    rays = canvas.directions(coarse_columns, coarse_rows) @ turn.T
    known = lens.project(rays).astype(np.float32)
    part = row_part[:, None, None]
    down = known[row_at] * (1 - part) + known[row_at + 1] * part
    part = column_part[None, :, None]
    return np.asarray(down[:, column_at] * (1 - part) + down[:, column_at + 1] * part)


def _coarse(values: Floats) -> tuple[Floats, npt.NDArray[np.int64], Pixels]:
    """Return every eighth of evenly spaced values plus one, and each value's position there."""
    step = float(values[1] - values[0]) * _GRID
    count = int((values[-1] - values[0]) // step) + 2
    coarse = values[0] + step * np.arange(count)
    place = (values - values[0]) / step
    at = np.minimum(place.astype(np.int64), count - 2)
    return coarse, at, (place - at).astype(np.float32)


def _middle(canvas: Canvas, lens: Lens, turn: Floats) -> float:
    """Return the panorama column of the centre of this camera's picture."""
    return float(canvas.place(lens.directions(lens.centre[None, :]) @ turn)[0, 0])


def _weights(
    canvas: Canvas, left: tuple[Lens, Floats], right: tuple[Lens, Floats], blend_px: int
) -> Floats:
    """Return the weight of the left view for each pixel of the panorama, 0 to 1.

    The seam is where both pictures are equally far from their edges, in pixels of the panorama.
    """
    columns = np.arange(canvas.width, dtype=np.float64)
    rows = np.arange(canvas.height, dtype=np.float64)
    away = []
    for lens, turn in (left, right):
        pixels = _seen(canvas, lens, turn, columns, rows)
        x, y = pixels[..., 0], pixels[..., 1]
        across = np.minimum(x, lens.width - 1 - x)
        inside = np.minimum(across, np.minimum(y, lens.height - 1 - y))
        away.append(np.where(np.nan_to_num(inside, nan=-1.0) >= 0, across, -1.0))
    in_left, in_right = away[0] >= 0, away[1] >= 0
    mixed = np.clip(0.5 + (away[0] - away[1]) / (2 * max(blend_px, 1)), 0, 1)
    # Seen by neither camera: it stays black and is assigned to the nearer one.
    lonely = (columns < (canvas.width / 2))[None, :].repeat(canvas.height, axis=0)
    only = np.where(in_left, 1.0, np.where(in_right, 0.0, lonely.astype(np.float64)))
    return np.where(in_left & in_right, mixed, only)


def _seam(weights: Floats) -> ColumnSpan:
    """Return the columns in which some row does not belong to one view alone, rounded to even."""
    left_whole = np.atleast_1d((weights >= 1).all(axis=0))
    right_whole = np.atleast_1d((weights <= 0).all(axis=0))
    width = weights.shape[1]
    start = int(np.argmin(left_whole)) if not left_whole.all() else width
    stop = width - int(np.argmin(right_whole[::-1])) if not right_whole.all() else 0
    start, stop = start & ~1, min((stop + 1) & ~1, width)
    if stop <= start:  # a sharp edge: two columns of mixture
        start = max(0, min(start, width - 2))
        stop = start + 2
    return ColumnSpan(start, stop)
