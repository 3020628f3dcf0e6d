"""Whatever times come, a fragment and the tables of a file can be written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.codedbytes import CODEC
from touchline.media.mp4.fragment import MOOF_BYTES, fragment_part, live_fragment, read_moof
from touchline.media.mp4.sample import Mp4Sample
from touchline.media.mp4.sampletable import SampleTable
from touchline.media.mp4.writer import final_part

TIMES = st.integers(-(2**66), 2**66)


@given(st.lists(st.tuples(TIMES, TIMES, TIMES), min_size=1, max_size=5), TIMES)
def test_no_time_breaks_a_file(times: list[tuple[int, int, int]], capture_unix_ns: int) -> None:
    samples = [Mp4Sample(b"abcd", dts, pts, length, True) for dts, pts, length in times]
    part = fragment_part(1, samples, capture_unix_ns)
    head = read_moof(part[:MOOF_BYTES])
    assert head is not None
    assert head[2] == len(samples)
    table = SampleTable(CODEC)
    table.add(100, samples, samples[-1].duration)
    assert b"stbl" in final_part(table, 2)
    assert live_fragment(1, samples)
