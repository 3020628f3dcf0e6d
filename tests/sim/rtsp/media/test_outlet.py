"""RTP and RTCP that the outlet of a simulated track sends, and their misbehaviours."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from support.rawclient import WORD, client_of, connected, playing, wait_until
from support.rtsp import camera_in_thread
from touchline.media.h264 import units
from touchline.sim.rtsp.ledger import decodable


def test_a_well_behaved_camera_marks_the_last_packet_of_each_frame() -> None:
    with client_of() as client:
        client.play()
        frames = client.frames(10)
    assert [[p.marker for p in f][-1] for f in frames] == [True] * 10
    assert not any(p.marker for f in frames for p in f[:-1])
    assert {p.kind for p in frames[0]} >= {7, 8}
    numbers = [p.sequence for f in frames for p in f]
    assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
    steps = {(b[0].stamp - a[0].stamp) & 0xFFFFFFFF for a, b in pairwise(frames)}
    assert steps <= {3000, 3001, 2999}


def test_every_third_stamp_is_doubled() -> None:
    with camera_in_thread(double_stamp_every=3) as camera, connected(camera) as client:
        client.play()
        client.frames(6)
        sent = len(camera.ledger.entries("frame"))
    stamps = {p.stamp for p in client.rtp()}
    assert sent >= 8
    assert len(stamps) < sent


def test_constant_stamps() -> None:
    with client_of(constant_stamps=True) as client:
        client.play()
        packets = client.get(30)
    assert len({p.stamp for p in packets}) == 1


def test_stamps_pass_the_wrap_around() -> None:
    with client_of(stamp_start=2**32 - 9000, sequence_start=65_530) as client:
        frames = playing(client, 20)
    stamps, numbers = [f[0].stamp for f in frames], [p.sequence for f in frames for p in f]
    assert max(stamps) > 2**31 > min(stamps)
    assert numbers[0] == 65_530
    assert 0 in numbers
    assert {(b - a) & WORD for a, b in pairwise(stamps)} <= {2999, 3000, 3001}


@pytest.mark.parametrize("jump_s", [100.0, -100.0])
def test_stamps_jump(jump_s: float) -> None:
    with client_of(stamp_jump_after=0.2, stamp_jump_s=jump_s) as client:
        frames = playing(client, 15)
    steps = [(b[0].stamp - a[0].stamp + 2**31) % 2**32 - 2**31 for a, b in pairwise(frames)]
    odd = [step for step in steps if abs(step - 3000) > 2]
    assert odd == [pytest.approx(3000 + jump_s * 90_000, abs=2)]


def test_a_clock_that_is_too_fast() -> None:
    with client_of(drift_ppm=100_000) as client:
        frames = playing(client, 6)
    assert (frames[5][0].stamp - frames[0][0].stamp) & WORD == pytest.approx(16_500, abs=2)


def test_the_ssrc_changes_with_each_keyframe() -> None:
    with client_of(ssrc_each_keyframe=True, gop_s=0.2) as client:
        frames = playing(client, 20)
    ssrcs = [f[0].ssrc for f in frames]
    assert len(set(ssrcs)) >= 3
    changed = [b for a, b in pairwise(frames) if a[0].ssrc != b[0].ssrc]
    assert all(units.SPS in {p.kind for p in frame} for frame in changed)


@pytest.mark.parametrize("what", ["stream", "metadata"])
def test_another_source_sends_after_each_frame(what: str) -> None:
    with client_of(second_source=what) as client:
        client.play()
        packets = client.get(60)
    (own, beside) = dict.fromkeys(p.ssrc for p in packets)
    for ssrc in (own, beside):
        numbers = [p.sequence for p in packets if p.ssrc == ssrc]
        assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
    types = {p.ssrc: p.payload_type for p in packets}
    assert (types[own] == types[beside]) is (what == "stream")


def test_the_ssrc_changes_once() -> None:
    with client_of(ssrc_after=0.2, ssrc_new_stamps=True) as client:
        ssrcs = [f[0].ssrc for f in playing(client, 15)]
    assert sum(a != b for a, b in pairwise(ssrcs)) == 1


def test_sequence_numbers_jump() -> None:
    with client_of(sequence_jump_after=0.2) as client:
        numbers = [p.sequence for f in playing(client, 15) for p in f]
    assert sorted({(b - a) & 0xFFFF for a, b in pairwise(numbers)}) == [1, 20_001]


@pytest.mark.parametrize("extension", ["none", "one-byte", "two-byte", "onvif"])
@pytest.mark.parametrize("more", [{}, {"padding": 200, "csrc": 15}])
def test_headers_with_everything(extension: str, more: dict[str, int]) -> None:
    with client_of(extension=extension, **more) as client:
        frames = playing(client, 3)
    assert {p.kind for p in frames[0]} >= {units.SPS, units.PPS}
    assert bool(frames[0][0].data[0] & 0x10) == (extension != "none")
    assert frames[0][0].data[0] & 15 == more.get("csrc", 0)


@pytest.mark.parametrize(
    ("packing", "kinds"),
    [
        ("plain", {7, 8, 28, 1}),
        ("aggregate", {24, 28, 1}),
        ("fragment", {28}),
        ("whole", {7, 8, 5, 1}),
    ],
)
def test_units_are_packed_as_asked(packing: str, kinds: set[int]) -> None:
    with client_of(packing=packing, packet_bytes=1000) as client:
        frames = playing(client, 8)
    found = {p.kind for frame in frames for p in frame} - {6}
    assert found - {1} <= kinds
    assert kinds - {1} <= found


def test_packets_are_lost_swapped_and_doubled() -> None:
    with camera_in_thread(lose_every=7, packet_bytes=200) as camera, connected(camera) as client:
        numbers = [p.sequence for f in playing(client, 10) for p in f]
        wait_until(lambda: len(camera.ledger.entries("frame")) >= 10, "ten frames")
        assert not all(e["whole"] for e in camera.ledger.entries("frame"))
        assert len(decodable(camera.ledger.entries(), client=1)) < 10
    assert {(b - a) & 0xFFFF for a, b in pairwise(numbers)} == {1, 2}
    with client_of(reorder_every=5, packet_bytes=200) as client:
        numbers = [p.sequence for f in playing(client, 10) for p in f]
    assert {(b - a) & 0xFFFF for a, b in pairwise(numbers)} == {1, 2, 0xFFFF}
    with client_of(duplicate_every=3) as client:
        numbers = [p.sequence for f in playing(client, 10) for p in f]
    assert {(b - a) & 0xFFFF for a, b in pairwise(numbers)} == {0, 1}


@pytest.mark.parametrize(("reports", "count"), [("right", 1), ("none", 0), ("wrong-clock", 1)])
def test_sender_reports(reports: str, count: int) -> None:
    with client_of(sender_reports=reports) as client:
        playing(client, 5)
    assert len(client.rtcp()) == count
    for packet in client.rtcp():
        assert packet.data[1] == 200
        unix_s = int.from_bytes(packet.data[8:12], "big") - 2_208_988_800
        assert (abs(unix_s - time.time()) < 60) == (reports == "right")


def test_a_bye_is_the_last_that_comes() -> None:
    with client_of(bye_after=0.2) as client:
        client.play()
        while not client.rtcp() or client.rtcp()[-1].data[9] != 203:
            client._message()
        before = len(client.rtp())
        client.ask("OPTIONS")  # the connection stays
        assert len(client.rtp()) == before
