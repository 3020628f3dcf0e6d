from __future__ import annotations

from functools import partial
from operator import add

import pytest

from touchline.media.decodetimes import Order
from touchline.worker.rtp.mediatime import MediaTime

STEP_NS = 40_000_000


START_NS = 10**12


def test_a_silence_that_the_stamps_tell_is_no_jump() -> None:
    media, at = MediaTime(90_000), []
    plain = Order(0, later=True, pictures=1, first=False)
    numbers = [*range(30), *range(280, 300)]
    for n in numbers:
        now_ns = START_NS + n * STEP_NS
        ahead = partial(add, START_NS - now_ns)
        at.append(media.place(n * 3600, now_ns, plain, frame_ns=None, ahead_ns=ahead))
    assert at == [n * STEP_NS for n in numbers]
    assert media.jumps == 0


TICKS = 3600
PLAIN = Order(0, later=True, pictures=1, first=False)


def placed(*stamps: tuple[int, int]) -> tuple[list[int | None], MediaTime]:
    """Where pictures are put that have these RTP times and arrive at these frames."""
    media, at = MediaTime(90_000), []
    for number, (ticks, frame) in enumerate(stamps):
        now_ns = START_NS + frame * STEP_NS
        order = PLAIN._replace(number=2 * number)
        ahead = partial(add, START_NS - now_ns)
        at.append(media.place(ticks, now_ns, order, frame_ns=STEP_NS, ahead_ns=ahead))
    return at, media


def test_intervals_are_the_cameras_own_whenever_its_pictures_arrive() -> None:
    at, media = placed(*((n * TICKS, n + 5 * (n % 3)) for n in range(20)))
    assert at == [n * STEP_NS for n in range(20)]
    assert (media.jumps, media.own_times) == (0, 0)


def test_a_time_that_passes_its_32_bits_goes_on() -> None:
    first = 0x1_0000_0000 - 3 * TICKS
    at, media = placed(*((first + n * TICKS & 0xFFFF_FFFF, n) for n in range(10)))
    assert at == [n * STEP_NS for n in range(10)]
    assert media.jumps == 0


def test_a_repeated_time_gets_a_place_by_the_frame_rate_and_is_counted() -> None:
    at, media = placed(*((0 if 5 <= n < 8 else n * TICKS, n) for n in range(5)), (4 * TICKS, 5))
    assert at == [n * STEP_NS for n in range(6)]
    assert media.own_times == 1


@pytest.mark.parametrize("jump_s", [3600, -3600])
def test_a_jump_without_a_pause_leaves_no_gap_and_is_told(jump_s: int) -> None:
    stamps = [(n * TICKS + (jump_s * 90_000 if n >= 5 else 0) & 0xFFFF_FFFF, n) for n in range(10)]
    at, media = placed(*stamps)
    assert at == [n * STEP_NS for n in range(10)]
    assert media.jumps == 1
    assert f"{jump_s:+d}." in media.last_jump


def test_more_pictures_than_can_have_been_captured_have_no_time() -> None:
    at, _ = placed((0, 0), *((0, 1) for _ in range(2000)))
    assert at.count(None) > 1000
    times = [each for each in at if each is not None]
    assert times == sorted(times)
