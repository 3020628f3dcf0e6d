"""Whatever times come, a fragment and the tables of a file can be written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.codedbytes import CODEC
from touchline.media.mp4 import writer

TIMES = st.integers(-(2**66), 2**66)


@given(st.lists(st.tuples(TIMES, TIMES, TIMES), min_size=1, max_size=5), TIMES)
def test_no_time_breaks_a_file(times: list[tuple[int, int, int]], capture_unix_ns: int) -> None:
    samples = [writer.Sample(b"abcd", dts, pts, length, True) for dts, pts, length in times]
    part = writer.fragment_part(1, samples, capture_unix_ns)
    head = writer.read_moof(part[: writer.MOOF_BYTES])
    assert head is not None
    assert head[2] == len(samples)
    table = writer.SampleTable(CODEC)
    table.add(100, samples, samples[-1].duration)
    assert b"stbl" in table.final_part(2)
    assert writer.live_fragment(1, samples)
