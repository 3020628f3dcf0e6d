from __future__ import annotations

import struct

import pytest

from support.parametersets import PLAIN
from support.rtpcamera import avcc, encoded
from touchline.media.h264.colour import colour_box, colour_of
from touchline.media.h264.syntax import Colour

BT709 = "colorprim=bt709:transfer=bt709:colormatrix=bt709"


def configuration(x264: str) -> bytes:
    return avcc(encoded(1, x264)[0])


@pytest.mark.parametrize(
    ("x264", "colour"),
    [
        (BT709, Colour(1, 1, 1, full_range=False)),
        (f"{BT709}:fullrange=on", Colour(1, 1, 1, full_range=True)),
        (
            "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m",
            Colour(6, 6, 6, full_range=False),
        ),
        (PLAIN, None),
    ],
)
def test_the_colours_are_those_that_the_stream_states(x264: str, colour: Colour | None) -> None:
    found = colour_of(configuration(x264))
    assert found == colour
    box = colour_box(configuration(x264))
    if colour is None:
        assert box == b""
        return
    size, kind, form, *codes, flags = struct.unpack(">I4s4sHHHB", box)
    assert (size, kind, form) == (len(box), b"colr", b"nclx")
    assert codes == [colour.primaries, colour.transfer, colour.matrix]
    assert flags == (0x80 if colour.full_range else 0)


@pytest.mark.parametrize("damaged", [b"", b"\x01", configuration(PLAIN)[:12], bytes(40)])
def test_a_damaged_configuration_states_nothing_and_refuses_no_file(damaged: bytes) -> None:
    assert colour_of(damaged) is None
    assert colour_box(damaged) == b""
