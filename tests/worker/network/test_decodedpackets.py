"""Pictures of codecs that are decoded here get times that rise, whatever the packets."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from touchline.worker.network.decodedpackets import DecodedPackets
from touchline.worker.rtsp.description import TrackFormat

RATE, TYPE, STEP_NS = 90_000, 98, 40_000_000
FORMATS = {
    "h265": TrackFormat(TYPE, "H265", RATE),
    "mjpeg": TrackFormat(TYPE, "JPEG", RATE),
    "vp8": TrackFormat(TYPE, "VP8", RATE),
}


@dataclass(frozen=True)
class Sent:
    """A packet on its way; `picture` is the number of the one that it belongs to."""

    picture: int
    payload: bytes
    number: int
    stamp: int
    marked: bool
    at_ns: int
    ssrc: int = 7

    @property
    def data(self) -> bytes:
        second = TYPE | (0x80 if self.marked else 0)
        head = struct.pack(">BBHII", 0x80, second, self.number & 0xFFFF, self.stamp, self.ssrc)
        return head + self.payload


def payloads(codec: str, picture: int) -> list[bytes]:
    """Three packets of a picture, each with its number in it."""
    name = b"%04d" % picture
    if codec == "mjpeg":
        return [struct.pack(">IBBBB", at, 1, 255, 40, 23) + name + b"x" * at for at in (0, 7, 14)]
    if codec == "h265":
        start, middle = b"\x62\x01\x81\x80" + name, b"\x62\x01\x01" + name
        sets = [b"\x40\x01" + name] if picture % 10 == 0 else []
        return [*sets, start, middle, b"\x62\x01\x41" + name]
    return [bytes((0x10 if n == 0 else 0, n)) + name for n in range(3)]


def stream(codec: str, pictures: int = 100) -> list[Sent]:
    """What a good camera sends, 25 pictures a second."""
    sent: list[Sent] = []
    for picture in range(pictures):
        parts = payloads(codec, picture)
        for n, payload in enumerate(parts):
            at_ns = 10_000_000_000 + picture * STEP_NS + n * 100_000
            stamp = 5_000 + picture * 3_600
            last = n == len(parts) - 1
            sent.append(Sent(picture, payload, len(sent) + 65_400, stamp, last, at_ns))
    return sent


class Decoder:
    """Notes the time of each picture, and the packets as they came."""

    def __init__(self) -> None:
        self.packets: list[tuple[bytes, int]] = []

    def push(self, data: bytes, pts_ns: int, dts_ns: int | None, *, keyframe: bool) -> None:
        assert dts_ns is None
        assert not keyframe
        self.packets.append((data, pts_ns))

    def times(self, sent: list[Sent]) -> dict[int, set[int]]:
        """The times of each picture's packets."""
        names = {each.payload: each.picture for each in sent}
        times: dict[int, set[int]] = {}
        for data, pts_ns in self.packets:
            times.setdefault(names[data[12:]], set()).add(pts_ns)
        return times


def play(codec: str, sent: list[Sent]) -> tuple[DecodedPackets, Decoder]:
    decoder = Decoder()
    feed = DecodedPackets(FORMATS[codec], decoder)
    for each in sent:
        feed.packet(each.data, each.at_ns)
    feed.end()
    return feed, decoder


def twice(sent: list[Sent]) -> Iterator[Sent]:
    for each in sent:
        yield each
        if each.number % 3 == 0:
            yield each


def held(sent: list[Sent]) -> list[Sent]:
    until_ns = sent[0].at_ns + 2_000_000_000
    return [
        replace(each, at_ns=max(each.at_ns, until_ns) if each.picture >= 20 else each.at_ns)
        for each in sent
    ]


def stray(sent: list[Sent]) -> Iterator[Sent]:
    for each in sent:
        if each.picture == 30:
            yield replace(each, ssrc=9, number=each.number + 7777, stamp=0, payload=b"\x00" * 9)
        yield each


def beside(sent: list[Sent]) -> Iterator[Sent]:
    """A second stream of the same codec, with a picture after each of the first."""
    for each in sent:
        yield each
        if each.marked:
            for n in range(2):
                other = replace(each, number=each.picture * 2 + n, stamp=each.stamp + 9, ssrc=9)
                yield replace(other, payload=b"\x00" * 9, marked=n == 1)


MISBEHAVIOURS: dict[str, Callable[[list[Sent]], list[Sent]]] = {
    "nothing": list,
    "constant stamps": lambda sent: [replace(each, stamp=5) for each in sent],
    "stamps that count pictures": lambda sent: [replace(each, stamp=each.picture) for each in sent],
    "doubled stamps": lambda sent: [
        replace(each, stamp=each.stamp - 3_600) if each.picture % 10 == 9 else each for each in sent
    ],
    "packets that come twice": lambda sent: list(twice(sent)),
    "packets held back": held,
    "a new SSRC with each tenth picture": lambda sent: [
        replace(each, ssrc=each.picture // 10, number=each.number + each.picture // 10 * 777)
        for each in sent
    ],
    "stray packets of another source": lambda sent: list(stray(sent)),
    "a second stream beside the first": lambda sent: list(beside(sent)),
    "sequence numbers that jump": lambda sent: [
        replace(each, number=each.number + (20_000 if each.picture > 40 else 0)) for each in sent
    ],
    "stamps that jump": lambda sent: [
        replace(each, stamp=each.stamp + (450_000_000 if each.picture > 40 else 0)) for each in sent
    ],
    "stamps that jump back": lambda sent: [
        replace(each, stamp=(each.stamp - (450_000_000 if each.picture > 40 else 0)) % 2**32)
        for each in sent
    ],
}


@pytest.mark.parametrize("codec", ["h265", "mjpeg", "vp8"])
@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_each_picture_gets_a_time_of_its_own_near_its_capture(codec: str, name: str) -> None:
    good = stream(codec)
    sent = MISBEHAVIOURS[name](good)
    feed, decoder = play(codec, sent)
    times = decoder.times(good)
    assert list(times) == list(range(100)), "each picture, in order"
    assert all(len(each) == 1 for each in times.values()), "one time for all of a picture"
    stamps = [min(each) for each in times.values()]
    assert all(after > before for before, after in pairwise(stamps))
    captured = {each.picture: each.at_ns for each in reversed(good)}
    assert max(abs(stamps[n] - captured[n]) for n in range(100)) < 3 * STEP_NS
    assert feed.lost == 0
    assert len(decoder.packets) == len(good), "each packet once"
    numbers = [int.from_bytes(data[2:4], "big") for data, _ in decoder.packets]
    assert {(b - a) & 0xFFFF for a, b in pairwise(numbers)} == {1}, "nothing looks lost"
    assert len({data[8:12] for data, _ in decoder.packets}) == 1, "one source"


@pytest.mark.parametrize("codec", ["h265", "mjpeg"])
@pytest.mark.parametrize("stamps", ["own", "constant"])
def test_pictures_are_told_apart_without_markers(codec: str, stamps: str) -> None:
    good = stream(codec)
    sent = [
        replace(each, marked=False, stamp=5 if stamps == "constant" else each.stamp)
        for each in good
    ]
    feed, decoder = play(codec, sent)
    times = [min(each) for each in decoder.times(good).values()]
    assert len(times) == 100
    assert all(after > before for before, after in pairwise(times))
    assert feed.lost == 0
    assert marks(decoder) == [each.marked for each in good], "as decoders expect them"


def marks(decoder: Decoder) -> list[bool]:
    return [bool(data[1] & 0x80) for data, _ in decoder.packets]


def test_slices_with_markers_of_their_own_are_one_picture() -> None:
    good = stream("h265")
    feed, decoder = play("h265", [replace(each, marked=True, stamp=5) for each in good])
    assert all(len(each) == 1 for each in decoder.times(good).values())
    assert marks(decoder) == [each.marked for each in good]
    assert feed.lost == 0


@pytest.mark.parametrize("codec", ["h265", "mjpeg"])
def test_packets_of_a_camera_with_right_markers_wait_for_nothing(codec: str) -> None:
    good = stream(codec, 40)
    decoder = Decoder()
    feed = DecodedPackets(FORMATS[codec], decoder)
    for n, each in enumerate(good):
        feed.packet(each.data, each.at_ns)
        if each.picture > 10 and each.marked:
            assert len(decoder.packets) == n + 1


def test_the_end_of_a_picture_that_was_lost_is_not_made_up() -> None:
    good = stream("mjpeg", 40)
    cut = [each for each in good if not (each.picture == 20 and each.marked)]
    _, decoder = play("mjpeg", cut)
    assert marks(decoder) == [each.marked for each in cut]


def test_a_last_packet_without_a_marker_waits_only_a_moment() -> None:
    good = stream("mjpeg", 20)
    decoder = Decoder()
    feed = DecodedPackets(FORMATS["mjpeg"], decoder)
    for each in good:
        feed.packet(replace(each, marked=False).data, each.at_ns)
    feed.tick(good[-1].at_ns + 20_000_000)
    assert len(decoder.packets) == len(good) - 1
    feed.tick(good[-1].at_ns + 250_000_000)
    assert len(decoder.packets) == len(good)
    assert decoder.packets[-1][0][1] & 0x80


@pytest.mark.parametrize(
    ("missing", "lost"),
    [
        ({(50, 1)}, 1),
        ({(50, 0), (50, 1), (50, 2)}, 1),
        ({(n, part) for n in range(50, 54) for part in range(3)}, 4),
        ({(50, 1), (60, 1)}, 2),
    ],
    ids=["in a picture", "a picture", "four pictures", "in two pictures"],
)
def test_pictures_that_packets_say_are_lost_are_counted(
    missing: set[tuple[int, int]], lost: int
) -> None:
    good = stream("mjpeg")
    places = {id(each): (each.picture, n % 3) for n, each in enumerate(good)}
    feed, _ = play("mjpeg", [each for each in good if places[id(each)] not in missing])
    assert feed.lost == lost


def test_b_frames_keep_the_times_at_which_they_are_shown() -> None:
    good = stream("h265", 90)
    shown = [n // 3 * 3 + (2, 0, 1)[n % 3] for n in range(90)]  # each third is sent first
    sent = [replace(each, stamp=5_000 + shown[each.picture] * 3_600) for each in good]
    feed, decoder = play("h265", sent)
    times = [min(each) for each in decoder.times(good).values()]
    in_order = [times[n] for n in sorted(range(90), key=lambda n: shown[n])]
    assert {after - before for before, after in pairwise(in_order)} == {STEP_NS}
    assert feed.lost == 0


def test_a_flood_without_times_does_not_run_ahead_of_the_clock() -> None:
    flood = [
        replace(each, stamp=5, at_ns=10_000_000_000 + n * 20_000)
        for n, each in enumerate(stream("mjpeg", 3_000))
    ]
    feed, decoder = play("mjpeg", flood)
    assert max(pts for _, pts in decoder.packets) < flood[-1].at_ns + 1_000_000_000
    assert feed.lost > 0, "what was left out is counted"


@pytest.mark.parametrize("codec", ["h265", "mjpeg", "vp8"])
def test_damaged_packets_break_nothing(codec: str) -> None:
    good = stream(codec, 20)
    bad = [b"", b"\x80", b"\x00" * 40, bytes((0xBF, TYPE)) + b"\xff" * 20]
    decoder = Decoder()
    feed = DecodedPackets(FORMATS[codec], decoder)
    for each in good:
        for data in bad:
            feed.packet(data, each.at_ns)
        feed.packet(each.data, each.at_ns)
    feed.end()
    assert len(decoder.packets) == len(good)
    assert feed.lost == 0
