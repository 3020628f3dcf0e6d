"""Cameras as they are: what they deliver is in the frames, and the decoder shows every picture."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import chain, count, pairwise

import pytest

from support.rtpcamera import (
    RATE,
    Packet,
    Unit,
    encoded,
    numbers,
    packets,
    payloads,
    renumbered,
    stap_a,
)
from touchline.ipc.tee import Frame
from touchline.worker.rtp import H264Stream

START_NS, STEP_NS = 1_000_000_000_000, 40_000_000
PLAIN = "keyint=20:min-keyint=20:scenecut=0:bframes=0"
SLICES = PLAIN + ":slices=4"
B_FRAMES = "keyint=20:min-keyint=20:scenecut=0:bframes=3:b-adapt=0:b-pyramid=normal"
Sent = list[list[Packet]]


class Camera:
    """Feeds a stream with the packets of each picture at its time, and keeps what comes out."""

    def __init__(
        self, *, sprop: Sequence[bytes] = (), payload_types: Collection[int] | None = None
    ) -> None:
        self.frames: list[Frame] = []
        self.delivered_ns: list[int] = []
        self.warnings: list[str] = []
        self.now_ns = START_NS
        self.stream = H264Stream(
            RATE,
            sprop,
            self._frame,
            payload_types=payload_types,
            on_warning=self.warnings.append,
        )

    def _frame(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.delivered_ns.append(self.now_ns)

    def send(self, sent: Iterable[Sequence[Packet]], arrivals: Iterable[int] | None = None) -> None:
        """Send each picture at its arrival; by default one every 40 ms, a reordering delay late."""
        for picture, at_ns in zip(sent, arrivals or count(START_NS, STEP_NS), strict=False):
            self.now_ns = at_ns
            self.stream.due(at_ns)
            for each in picture:
                self.stream.packet(each.pack(), at_ns)

    def shows(self) -> list[int]:
        """End the stream; the numbers of the pictures that a decoder shows."""
        self.stream.flush()
        assert all(f.dts_ns <= f.pts_ns for f in self.frames)
        assert all(a.dts_ns < b.dts_ns for a, b in pairwise(self.frames))
        return numbers(self.frames)

    def steps(self) -> set[int]:
        """The steps from picture to picture as shown."""
        return {b - a for a, b in pairwise(sorted(f.pts_ns for f in self.frames))}


def changed(sent: Sent, how: Callable[[int, int, Packet], Packet]) -> Sent:
    """Every packet as `how` makes it of the number of its picture and its place in it."""
    return [[how(n, m, p) for m, p in enumerate(picture)] for n, picture in enumerate(sent)]


def in_one_line(sent: Sent) -> Sent:
    """The packets with numbers that follow one another."""
    numbered = renumbered(chain.from_iterable(sent))
    return [[next(numbered) for _ in picture] for picture in sent]


MARKERS: dict[str, Callable[[int, int, Packet], Packet]] = {
    "none": lambda n, m, p: replace(p, marker=False),
    "on every packet": lambda n, m, p: replace(p, marker=True),
    "on the first packet only": lambda n, m, p: replace(p, marker=m == 0),
    "wrong in every tenth picture": lambda n, m, p: replace(p, marker=p.marker ^ (n % 10 == 9)),
    "missing from the 30th picture on": lambda n, m, p: replace(p, marker=p.marker and n < 30),
    "on every packet from the 30th picture on": lambda n, m, p: replace(
        p, marker=p.marker or n >= 30
    ),
}


@pytest.mark.parametrize("marking", MARKERS.values(), ids=MARKERS)
@pytest.mark.parametrize("x264", [PLAIN, SLICES, B_FRAMES + ":slices=3"])
def test_markers_decide_nothing(marking: Callable[[int, int, Packet], Packet], x264: str) -> None:
    camera = Camera()
    camera.send(changed(packets(encoded(100, x264), mtu=300), marking))
    assert camera.shows() == list(range(100))
    assert camera.stream.damaged == 0


def test_a_frame_is_delivered_with_its_marker_once_markers_have_been_right() -> None:
    camera = Camera()
    camera.send(packets(encoded(60, SLICES)))
    late = [d - START_NS - n * STEP_NS for n, d in enumerate(camera.delivered_ns)]
    assert set(late[42:]) == {0}
    assert max(late) <= 2 * STEP_NS


def test_a_frame_without_a_marker_does_not_wait_for_ever() -> None:
    camera = Camera()
    camera.send(changed(packets(encoded(30, PLAIN)), MARKERS["none"]))
    camera.stream.due(camera.now_ns + 400_000_000)
    assert len(camera.frames) == 29
    camera.stream.due(camera.now_ns + 600_000_000)
    assert len(camera.frames) == 30


STAMPS: dict[str, Callable[[int, int, Packet], Packet]] = {
    "every tenth doubled": lambda n, m, p: replace(p, time=p.time - 3600 * (n % 10 == 9)),
    "in pairs": lambda n, m, p: replace(p, time=p.time // 7200 * 7200),
    "constant": lambda n, m, p: replace(p, time=77),
    "a tick apart": lambda n, m, p: replace(p, time=n),
    "another for each packet": lambda n, m, p: replace(p, time=p.time + m),
}


@pytest.mark.parametrize("stamping", STAMPS.values(), ids=STAMPS)
@pytest.mark.parametrize("x264", [PLAIN, SLICES])
def test_stamps_that_say_nothing_cost_no_picture_and_no_step(
    stamping: Callable[[int, int, Packet], Packet], x264: str
) -> None:
    camera = Camera()
    camera.send(changed(packets(encoded(100, x264)), stamping))
    assert camera.shows() == list(range(100))
    assert max(abs(step - STEP_NS) for step in camera.steps()) < 100_000


@pytest.mark.parametrize("stamping", STAMPS.values(), ids=STAMPS)
def test_b_frames_with_stamps_that_say_nothing_are_shown_in_their_order(
    stamping: Callable[[int, int, Packet], Packet],
) -> None:
    camera = Camera()
    camera.send(changed(packets(encoded(100, B_FRAMES)), stamping))
    assert camera.shows() == list(range(100))


def test_b_frames_stamped_in_the_order_of_sending_are_shown_evenly_after_the_first_second() -> None:
    camera = Camera()
    sent = changed(packets(encoded(100, B_FRAMES)), lambda n, m, p: replace(p, time=n * 3600))
    camera.send(sent)
    units = encoded(100, B_FRAMES)
    assert camera.shows() == list(range(100))
    shown = [f.pts_ns for _, f in sorted(zip([u.shown for u in units], camera.frames, strict=True))]
    assert {b - a for a, b in pairwise(shown[41:99])} == {STEP_NS}


@pytest.mark.parametrize("held_s", [0.25, 1.0, 1.8, 8.0])
@pytest.mark.parametrize("x264", [PLAIN, B_FRAMES])
def test_what_is_delivered_late_keeps_its_exact_steps(held_s: float, x264: str) -> None:
    camera = Camera()
    sent = packets(encoded(400, x264))
    begin, end = START_NS + 2 * 10**9, START_NS + round((2 + held_s) * 1e9)
    arrivals = [START_NS + n * STEP_NS for n in range(400)]
    camera.send(sent, [end if begin <= at < end else at for at in arrivals])
    assert camera.shows() == list(range(400))
    assert camera.steps() == {STEP_NS}
    assert {b.dts_ns - a.dts_ns for a, b in pairwise(camera.frames)} == {STEP_NS}


@pytest.mark.parametrize("jump", [-(2**31) + 5, -RATE * 3600, -RATE, RATE, RATE * 3600, 2**31 - 9])
@pytest.mark.parametrize("x264", [PLAIN, B_FRAMES])
def test_stamps_that_jump_leave_no_hole_where_no_time_passed(jump: int, x264: str) -> None:
    camera = Camera()
    sent = packets(encoded(100, x264), first_time=2**31)
    camera.send(changed(sent, lambda n, m, p: replace(p, time=p.time + jump * (n >= 40))))
    assert camera.shows() == list(range(100))
    assert max(abs(s - STEP_NS) for s in camera.steps()) < 1_000_000
    assert camera.stream.counts["jumps of the time stamps"] == 1


def test_a_source_that_changes_with_each_keyframe_is_followed_without_a_gap() -> None:
    camera = Camera()
    rng = random.Random(4)
    sent = packets(encoded(100, PLAIN))
    sources = [(rng.randrange(2**32), rng.randrange(2**16), rng.randrange(2**32)) for _ in range(5)]

    def change(n: int, m: int, p: Packet) -> Packet:
        ssrc, number, time = sources[n // 20]
        return replace(p, ssrc=ssrc, number=p.number + number, time=p.time + time)

    camera.send(changed(sent, change))
    assert camera.shows() == list(range(100))
    assert (camera.stream.packets_lost, camera.stream.damaged) == (0, 0)
    assert max(abs(s - STEP_NS) for s in camera.steps()) < 1_000_000


def test_a_stray_packet_of_another_source_breaks_nothing() -> None:
    camera = Camera()
    sent = packets(encoded(40, PLAIN), mtu=300)
    sent[10].insert(1, Packet(b"\x41abc", 5, number=7, ssrc=9))
    sent[25].append(Packet(b"\x41abc", 5, number=7, ssrc=9))
    camera.send(sent)
    assert camera.shows() == list(range(40))
    assert camera.stream.counts["stray packets of another source"] == 2


@pytest.mark.parametrize("mtu", [1400, 60])
def test_a_second_stream_beside_the_first_damages_nothing(mtu: int) -> None:
    camera = Camera()
    sent = packets(encoded(100, PLAIN), mtu=mtu)
    beside = packets(encoded(100, PLAIN, width=320, height=192), mtu=mtu)
    for picture, other in zip(sent, beside, strict=True):
        picture += [replace(p, ssrc=9, number=p.number + 7_000, time=p.time + 50) for p in other]
    camera.send(sent)
    assert camera.shows() == list(range(100))
    assert {frame.codec.width for frame in camera.frames} == {160}
    assert camera.stream.damaged == 0


def test_packets_of_another_type_and_source_between_the_pictures_cost_nothing() -> None:
    """As a camera's metadata or sound on the channel of its picture."""
    camera = Camera(payload_types={96})
    sent = packets(encoded(100, PLAIN))
    other = Packet(b"\x41abc", 5, ssrc=9, payload_type=107)
    camera.send([[replace(other, number=n), *picture, other] for n, picture in enumerate(sent)])
    assert camera.shows() == list(range(100))


def test_the_picture_size_changes_with_the_picture_that_uses_it() -> None:
    small, large = encoded(30, PLAIN), encoded(30, PLAIN, width=320, height=192)
    camera = Camera()
    sent = in_one_line(
        [
            *packets(small),
            *packets(large, first_time=30 * 3600),
            *packets(small, first_time=60 * 3600),
        ]
    )
    camera.send(sent)
    assert camera.shows() == [*range(30)] * 3
    assert [f.codec.width for f in camera.frames] == [160] * 30 + [320] * 30 + [160] * 30


def test_everything_delivered_at_once_after_a_change_of_size_is_described_by_its_own_sets() -> None:
    small, large = encoded(30, PLAIN), encoded(30, PLAIN, width=320, height=192)
    camera = Camera()
    sent = in_one_line([*packets(small), *packets(large, first_time=30 * 3600)])
    arrivals = [START_NS + (n if n < 20 else 45) * STEP_NS for n in range(60)]
    camera.send(sent, arrivals)
    assert camera.shows() == [*range(30)] * 2
    assert [f.codec.width for f in camera.frames] == [160] * 30 + [320] * 30


def without_sets(units: Iterable[Unit]) -> list[Unit]:
    return [replace(u, nals=tuple(n for n in u.nals if n[0] & 31 not in {7, 8})) for u in units]


def test_parameter_sets_of_the_description_are_enough() -> None:
    units = encoded(40, PLAIN)
    sets = [n for n in units[0].nals if n[0] & 31 in {7, 8}]
    camera = Camera(sprop=sets)
    camera.send(packets(without_sets(units)))
    assert camera.shows() == list(range(40))


def test_pictures_before_the_first_keyframe_are_counted() -> None:
    camera = Camera()
    camera.send(packets(encoded(60, PLAIN))[7:], count(START_NS, STEP_NS))
    assert camera.shows() == list(range(20, 60))
    assert sum(camera.stream.counts.values()) == 13


@pytest.mark.parametrize("x264", [PLAIN, SLICES])
@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_lost_packet_costs_its_picture_and_is_counted(x264: str, place: int) -> None:
    camera = Camera()
    sent = packets(encoded(100, x264), mtu=30)
    assert len(sent[30]) > 2
    del sent[30][place]
    camera.send(sent)
    camera.stream.flush()
    assert len(camera.frames) == 99
    assert (camera.stream.packets_lost, camera.stream.damaged) == (1, 1)
    assert camera.stream.counts["packets were lost"] == 1
    assert camera.warnings


def test_what_follows_a_lost_keyframe_up_to_the_next_is_left_out_and_counted() -> None:
    camera = Camera()
    sent = packets(encoded(100, PLAIN), mtu=300)
    del sent[40][3]
    camera.send(sent)
    assert camera.shows() == [*range(40), *range(60, 100)]
    assert camera.stream.damaged == 20
    assert camera.stream.counts["their keyframe was lost"] == 19


def test_packets_that_come_twice_are_read_once() -> None:
    camera = Camera()
    sent = packets(encoded(60, SLICES), mtu=300)
    camera.send([[p for p in picture for _ in range(2)] for picture in sent])
    assert camera.shows() == list(range(60))
    assert camera.stream.packets_lost == 0


@pytest.mark.parametrize("first", [65_500, 0, 30_000])
def test_sequence_numbers_that_wrap_or_begin_anew_lose_nothing(first: int) -> None:
    camera = Camera()
    sent = packets(encoded(100, PLAIN), mtu=300)
    many = sum(len(p) for p in sent[:50])
    camera.send(
        changed(sent, lambda n, m, p: replace(p, number=p.number + first - many * (n >= 50)))
    )
    assert camera.shows() == list(range(100))
    assert camera.stream.damaged == 0


def test_units_with_start_codes_in_their_packets_are_taken_apart() -> None:
    camera = Camera()
    sent: Sent = []
    number = count()
    for n, unit in enumerate(encoded(40, SLICES)):
        if n % 2:
            parts = [b"\0\0\0\1" + b"\0\0\1".join(unit.nals)]
        else:
            whole = unit.nals[0] + b"".join(b"\0\0\0\1" + nal for nal in unit.nals[1:])
            parts = payloads(whole, 200)
        sent.append([Packet(p, n * 3600, p is parts[-1], next(number)) for p in parts])
    camera.send(sent)
    assert camera.shows() == list(range(40))


def test_fragments_without_an_end_bit_are_told_by_their_numbers() -> None:
    camera = Camera()

    def careless(n: int, m: int, p: Packet) -> Packet:
        if p.payload[0] & 31 == 28:
            return replace(p, payload=p.payload[:1] + bytes([p.payload[1] & 0xBF]) + p.payload[2:])
        return p

    camera.send(changed(packets(encoded(40, PLAIN), mtu=300), careless))
    assert camera.shows() == list(range(40))


def test_a_picture_in_one_packet_with_its_parameter_sets() -> None:
    camera = Camera()
    units = encoded(40, PLAIN)
    camera.send([[Packet(stap_a(u.nals), n * 3600, True, n)] for n, u in enumerate(units)])
    assert camera.shows() == list(range(40))


def test_sender_reports_and_silence_change_nothing() -> None:
    camera = Camera()
    sent = packets(encoded(60, PLAIN))
    camera.send(sent[:30])
    camera.stream.sender_report(30 * 3600, 10**18, camera.now_ns)
    camera.stream.due(camera.now_ns + 10**9)
    camera.send(sent[30:], count(START_NS + 30 * STEP_NS, STEP_NS))
    assert camera.shows() == list(range(60))
    assert camera.steps() == {STEP_NS}
