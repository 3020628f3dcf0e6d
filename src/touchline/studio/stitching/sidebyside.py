"""Both views side by side, for cameras without a calibration."""

from __future__ import annotations

import cv2

from touchline.studio.pictures.planes import Bytes, Planes


class SideBySide:
    """Composition with camera 0 left and camera 1 right, both as high as the lower one."""

    def __init__(self, size0: tuple[int, int], size1: tuple[int, int]) -> None:
        """Create it for these sizes (width and height in pixels)."""
        self.height = min(size0[1], size1[1]) & ~1
        widths = [_even(width * self.height / height) for width, height in (size0, size1)]
        self._middle = widths[0]
        self.width = sum(widths)

    def stitch(self, cam0: Planes, cam1: Planes, into: Planes) -> None:
        """Compose both pictures; `into` is overwritten completely."""
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
