from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from touchline.studio.errors import StudioError
from touchline.studio.pictures.jpeg import scaled, write_jpeg

STRIPES = np.full((180, 320, 3), (200, 100, 50), np.uint8)


@pytest.mark.parametrize(("height", "width"), [(90, 160), (360, 640), (1, 2)])
def test_a_picture_keeps_its_shape_and_its_colour(height: int, width: int) -> None:
    small = scaled(STRIPES, height)
    assert small.shape == (height, width, 3)
    assert np.abs(small.astype(int) - (200, 100, 50)).max() <= 1


def test_a_file_is_a_jpeg_and_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "poster.jpg"
    path.write_bytes(b"before")
    write_jpeg(path, STRIPES)
    assert path.read_bytes().startswith(b"\xff\xd8\xff")
    read = cv2.imread(str(path))
    assert read is not None
    assert np.abs(read.astype(int) - STRIPES).max() < 6
    assert [each.name for each in tmp_path.iterdir()] == ["poster.jpg"]


def test_what_cannot_be_a_jpeg_is_said(tmp_path: Path) -> None:
    with pytest.raises((StudioError, cv2.error)):
        write_jpeg(tmp_path / "poster.jpg", np.empty((0, 0, 3), np.uint8))
    assert not (tmp_path / "poster.jpg").exists()
