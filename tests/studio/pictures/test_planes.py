from __future__ import annotations

import av
import numpy as np

from touchline.studio.pictures.planes import BLACK_UV, BLACK_Y, new_frame, new_planes, planes_of


def test_planes_are_views_without_the_stride_between_rows() -> None:
    frame, planes = new_frame(100, 50)
    assert (planes.width, planes.height) == (100, 50)
    assert planes.u.shape == planes.v.shape == (25, 50)
    planes.fill_black()
    planes.y[10, 20] = 235
    # The codec sees what was written.
    assert frame.to_ndarray()[10, 20] == 235
    assert planes_of(frame).y[10, 20] == 235


def test_a_black_picture_is_black_to_a_player() -> None:
    frame, planes = new_frame(64, 32)
    planes.fill_black()
    assert frame.to_ndarray(format="rgb24").max() == 0
    own = new_planes(64, 32)
    for each, black in ((own.y, BLACK_Y), (own.u, BLACK_UV), (own.v, BLACK_UV)):
        assert np.unique(each).tolist() == [black]
    own.u[:] = 0
    assert own.v.min() == BLACK_UV, "each plane has memory of its own"


def test_planes_of_a_decoders_picture_are_read_as_they_are() -> None:
    pixels = np.arange(96 * 64).astype(np.uint8).reshape(96, 64)
    frame = av.VideoFrame.from_ndarray(pixels, "yuv420p")
    assert np.array_equal(planes_of(frame).y, pixels[:64])
