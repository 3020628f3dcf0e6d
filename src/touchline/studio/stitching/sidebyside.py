"""Both views beside each other, for cameras of which nothing more is known."""

from __future__ import annotations

import cv2

from touchline.studio.pictures.planes import Bytes, Planes


class SideBySide:
    """Puts camera 0 to the left and camera 1 to the right, both as high as the lower one."""

    def __init__(self, size0: tuple[int, int], size1: tuple[int, int]) -> None:
        """Sizes are width and height in pixels."""
        self.height = min(size0[1], size1[1]) & ~1
        widths = [_even(width * self.height / height) for width, height in (size0, size1)]
        self._middle = widths[0]
        self.width = sum(widths)

    def stitch(self, cam0: Planes, cam1: Planes, into: Planes) -> None:
        """The picture of both; `into` is overwritten whole."""
        middle = self._middle
        for source, columns in ((cam0, slice(0, middle)), (cam1, slice(middle, self.width))):
            half = slice(columns.start // 2, columns.stop // 2)
            _fit(source.y, into.y[:, columns])
            _fit(source.u, into.u[:, half])
            _fit(source.v, into.v[:, half])


def _even(value: float) -> int:
    return round(value / 2) * 2


def _fit(source: Bytes, into: Bytes) -> None:
    if source.shape == into.shape:
        into[:] = source
    else:
        height, width = into.shape
        into[:] = cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA)
