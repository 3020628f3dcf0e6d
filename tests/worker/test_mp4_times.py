"""Whatever times come, a fragment and the tables of a file can be written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coded import CODEC
from touchline.worker import mp4

TIMES = st.integers(-(2**66), 2**66)


@given(st.lists(st.tuples(TIMES, TIMES, TIMES), min_size=1, max_size=5), TIMES)
def test_no_time_breaks_a_file(times: list[tuple[int, int, int]], capture_unix_ns: int) -> None:
    samples = [mp4.Sample(b"abcd", dts, pts, length, True) for dts, pts, length in times]
    part = mp4.fragment_part(1, samples, capture_unix_ns)
    head = mp4.read_moof(part[: mp4.MOOF_BYTES])
    assert head is not None
    assert head[2] == len(samples)
    table = mp4.SampleTable(CODEC)
    table.add(100, samples, samples[-1].duration)
    assert b"stbl" in table.final_part(2)
    assert mp4.live_fragment(1, samples)
