"""Samples in packed columns, and what went through streams in total."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from touchline.engines.fleet.samples import BLOCK, SampleBook, SampleRing
from touchline.engines.model.model import Sample

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def sample(number: int, **values: int | str | None) -> Sample:
    return Sample(ts=NOON + timedelta(seconds=number), **values)  # type: ignore[arg-type]


def filled(capacity: int, number: int) -> SampleRing:
    ring = SampleRing(capacity)
    for n in range(number):
        ring.append(sample(n, peers=n, status="dl"))
    return ring


def test_what_was_put_in_comes_out() -> None:
    ring = SampleRing(10)
    whole = sample(
        1, peers=0, speed_down=-1, speed_up=7, downloaded=1 << 40, uploaded=0, status="x"
    )
    ring.append(sample(0))
    ring.append(whole)
    assert ring.since(None) == [sample(0), whole]
    assert ring.since(NOON + timedelta(seconds=1)) == [whole]
    assert ring.latest == whole


def test_numbers_beyond_any_engine_are_clipped_and_words_are_few() -> None:
    ring = SampleRing(400)
    ring.append(sample(0, peers=1 << 60, downloaded=1 << 80))
    assert ring.latest is not None
    assert (ring.latest.peers, ring.latest.downloaded) == ((1 << 31) - 1, (1 << 63) - 1)
    for number in range(300):
        ring.append(sample(number, status=f"word-{number}"))
    assert ring.latest.status is None
    assert ring.since(None)[1].status == "word-0"


@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 74, 75, 500])
def test_the_newest_are_kept(number: int) -> None:
    ring = filled(10, number)
    assert [each.peers for each in ring.since(None)] == list(range(max(0, number - 10), number))
    assert len(ring) == min(10, number)


@pytest.mark.parametrize("number", [1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 3])
def test_blocks_bring_back_what_they_were_made_from(number: int) -> None:
    ring = filled(100, 0)
    kept: dict[int, bytes] = {}
    for n in range(number):
        ring.append(sample(n, peers=n, status="dl"))
        if n % 7 == 0:
            kept.update(ring.take_unsaved_blocks())
    kept.update(ring.take_unsaved_blocks())
    assert ring.take_unsaved_blocks() == []
    again = SampleRing(100)
    again.restore(kept.items())
    assert again.since(None) == ring.since(None)
    assert again.take_unsaved_blocks() == []
    again.append(sample(number, peers=number))
    assert {block for block, _ in again.take_unsaved_blocks()} <= {number // BLOCK}


def test_a_gap_between_blocks_leaves_the_newer_ones() -> None:
    blocks = dict(filled(1000, 4 * BLOCK).take_unsaved_blocks())
    del blocks[1]
    ring = SampleRing(1000)
    ring.restore(blocks.items())
    assert [each.peers for each in ring.since(None)] == list(range(2 * BLOCK, 4 * BLOCK))


def test_totals_grow_by_what_came_and_survive_a_stream() -> None:
    book = SampleBook(10)
    for value in (100, 150, None, 170, 20, 30):
        book.append("a", sample(0, downloaded=value, uploaded=1))
    assert (book.total_downloaded_bytes, book.total_uploaded_bytes) == (180, 1)
    book.forget("a")
    assert book.total_downloaded_bytes == 180
    assert list(book.since("a", None)) == []


def test_earlier_samples_are_put_before_those_that_have_come_since() -> None:
    earlier, book = filled(100, 3), SampleBook(100)
    book.append("a", sample(10, peers=10))
    newest = book.restore("a", earlier.take_unsaved_blocks())
    assert [each.peers for each in book.since("a", None)] == [0, 1, 2, 10]
    assert newest is not None
    assert newest.peers == 10
