from __future__ import annotations

from touchline.media.mp4.record import FRAGMENT, read_record, record


def test_a_record_reads_back_what_was_written() -> None:
    data = record(FRAGMENT, 7, 6, 1_770_000_000_000_000_000, 0)
    found = read_record(data)
    assert found is not None
    assert found[:4] == (FRAGMENT, 7, 6, 1_770_000_000_000_000_000)
    assert read_record(data[:-1]) is None
    assert read_record(b"\1" + data[1:]) is None
