from __future__ import annotations

import pytest

from touchline.worker.rtp.packet import Packet
from touchline.worker.rtp.sequence import HELD_NS, MOST_LOST, Held, Sequence, Source


def test_missing_packets_are_counted_across_the_end_of_the_numbers() -> None:
    sequence = Sequence()
    numbers = [65_533, 65_534, 1, 2]
    assert [sequence.missing(number, 0, 10) for number in numbers] == [0, 0, 2, 0]


def test_a_packet_that_comes_twice_is_read_once() -> None:
    sequence = Sequence()
    assert sequence.missing(5, 100, 10) == 0
    assert sequence.missing(6, 100, 10) == 0
    assert sequence.missing(5, 100, 10) is None
    assert sequence.missing(6, 999, 10) == 0, "the same number with other contents is a new packet"


def test_a_count_that_starts_again_drops_and_loses_nothing() -> None:
    sequence = Sequence()
    sequence.missing(30_000, 0, 10)
    assert sequence.missing(100, 1, 10) == 0
    assert sequence.missing(100 + MOST_LOST, 2, 10) == MOST_LOST - 1
    assert sequence.missing(101 + 2 * MOST_LOST, 3, 10) == 0, "too far for a loss"


def from_source(ssrc: int, time: int, *, marked: bool = False, at_ns: int = 0) -> Held:
    return Held(b"", Packet(marked, 96, 0, time, ssrc, 12, 13), at_ns)


def test_another_source_is_followed_once_its_third_picture_begins() -> None:
    source = Source()
    assert source.see(from_source(1, 100), last_time=None)
    waiting = [from_source(2, 7), from_source(2, 7), from_source(2, 8), from_source(2, 9)]
    for n, each in enumerate(waiting, 1):
        assert not source.see(each, last_time=100)
        assert source.has_changed is (n == 4)
    assert source.change() == waiting
    assert (source.ssrc, source.changes, source.strays) == (2, 1, 0)


def test_what_another_source_sends_beside_the_first_is_dropped() -> None:
    source = Source()
    source.see(from_source(1, 100), last_time=None)
    for time in range(101, 151):
        source.see(from_source(2, time, marked=True), last_time=time - 1)
        assert source.see(from_source(1, time), last_time=time - 1)
    assert (source.ssrc, source.changes, source.strays) == (1, 0, 50)


def test_a_late_packet_does_not_show_that_the_old_source_continues() -> None:
    source = Source()
    source.see(from_source(1, 100), last_time=None)
    source.see(from_source(2, 7), last_time=100)
    assert source.see(from_source(1, 100), last_time=100)
    assert len(source.held) == 1


def test_a_source_without_markers_or_times_is_followed_after_a_moment() -> None:
    source = Source()
    source.see(from_source(1, 100), last_time=None)
    source.see(from_source(2, 7, at_ns=1_000), last_time=100)
    assert not source.is_due(1_000 + HELD_NS)
    assert source.is_due(1_001 + HELD_NS)


def test_sources_that_change_with_each_packet_lose_none() -> None:
    source, read = Source(), []
    for ssrc in range(1, 9):
        each = from_source(ssrc, ssrc)
        if source.see(each, last_time=ssrc - 1):
            read.append(ssrc)
        elif source.has_changed:
            read += [held.head.ssrc for held in source.change()]
    read += [held.head.ssrc for held in source.change()]
    assert read == list(range(1, 9))


@pytest.mark.parametrize(("beside", "followed"), [(False, True), (True, False)])
def test_at_the_end_another_source_counts_unless_there_were_two(
    beside: bool,  # noqa: FBT001
    followed: bool,  # noqa: FBT001
) -> None:
    source = Source()
    source.see(from_source(1, 100), last_time=None)
    if beside:
        source.see(from_source(2, 6), last_time=100)
        source.see(from_source(1, 101), last_time=100)
    source.see(from_source(2, 7), last_time=101)
    assert source.end() is followed
    assert source.strays == (2 if beside else 0)
