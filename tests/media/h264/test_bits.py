from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.parametersets import Writer
from touchline.media.h264.bits import Bits


@given(st.lists(st.integers(0, 2**32 - 2), max_size=20))
def test_exp_golomb_numbers_are_read_as_written(values: list[int]) -> None:
    bits = Bits(Writer().ue(*values).unit(0x67).replace(b"\0\0\3", b"\0\0")[1:])
    assert [bits.ue() for _ in values] == values
