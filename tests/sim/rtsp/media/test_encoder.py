"""What the encoder of the simulated camera makes: slices, parameter sets, B-frames, sizes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from support.rawclient import WORD, client_of, connected, playing, wait_until
from support.rtsp import camera_in_thread
from touchline.media.h264 import units
from touchline.sim.rtsp.ledger import decodable


def test_slices_come_with_a_marker_each() -> None:
    with client_of(slices=4, markers="each-slice") as client:
        frames = playing(client, 5)
    assert [sum(p.marker for p in frame) for frame in frames[1:]] == [4] * 4


def test_no_marker_at_all() -> None:
    with client_of(markers="none") as client:
        assert not any(p.marker for frame in playing(client, 5) for p in frame)


def test_access_unit_delimiters_come_first() -> None:
    with client_of(aud=True) as client:
        frames = playing(client, 5)
    assert [frame[0].kind for frame in frames] == [units.AUD] * 5
    assert [p.kind for p in frames[0]][1:3] == [units.SPS, units.PPS]


@pytest.mark.parametrize(
    ("sets", "in_sdp", "first", "second"),
    [
        ("both", True, True, False),
        ("sdp", True, False, False),
        ("band", False, True, False),
        ("each-frame", False, True, True),
    ],
)
def test_parameter_sets_are_where_they_are_asked_for(
    sets: str, *, in_sdp: bool, first: bool, second: bool
) -> None:
    with client_of(parameter_sets=sets) as client:
        described = client.ask("DESCRIBE")[1]
        frames = playing(client, 2)
    assert ("sprop-parameter-sets" in described) == in_sdp
    found = [any(p.kind == units.SPS for p in frame) for frame in frames]
    assert found == [first, second]


@pytest.mark.parametrize("pyramid", [False, True])
def test_b_frames_come_after_what_they_refer_to(*, pyramid: bool) -> None:
    with client_of(b_frames=3, b_pyramid=pyramid) as client:
        frames = playing(client, 12)
    steps = [(b[0].stamp - a[0].stamp + 2**31) % 2**32 - 2**31 for a, b in pairwise(frames)]
    assert any(step < 0 for step in steps)
    unused = [all(p.payload[0] & 0x60 == 0 for p in f if p.kind in {1, 28}) for f in frames]
    # In a pyramid the middle one of three is referred to.
    assert sum(unused) == pytest.approx(6 if pyramid else 9, abs=1)


def test_open_gops_have_keyframes_without_idr() -> None:
    options = {"b_frames": 2, "open_gop": True, "gop_s": 0.4, "packing": "whole"}
    with camera_in_thread(**options) as camera, connected(camera) as client:
        client.play()
        client.frames(40)
        keyframes = [e for e in camera.ledger.entries("frame") if e["keyframe"]]
    assert len(keyframes) >= 3
    assert sum(p.kind == units.IDR for p in client.rtp()) == 1


def test_the_picture_size_changes_when_told_to() -> None:
    options = {"resize_after": 0.2, "resize_to": "480x270", "on_signal": True, "gop_s": 10}
    with camera_in_thread(**options) as camera, connected(camera) as client:
        client.play()
        client.frames(10)
        assert {(e["width"], e["height"]) for e in camera.ledger.entries("frame")} == {(320, 180)}
        camera.begin()
        wait_until(
            lambda: any(e["width"] == 480 for e in camera.ledger.entries("frame")), "other size"
        )
        changed = next(e for e in camera.ledger.entries("frame") if e["width"] == 480)
        counters = [e["counter"] for e in camera.ledger.entries("frame")]
    assert changed["keyframe"]
    assert counters == list(range(counters[0], counters[0] + len(counters)))


def test_parameter_sets_change_at_one_size() -> None:
    with client_of(recode_after=0.2, gop_s=10) as client:
        playing(client, 15)
    found = {p.payload for p in client.rtp() if p.kind == units.SPS}
    assert len(found) == 2


def test_the_rate_changes() -> None:
    with client_of(rate_after=0.2, rate_to=15) as client:
        frames = playing(client, 14)
    steps = [(b[0].stamp - a[0].stamp) & WORD for a, b in pairwise(frames)]
    assert steps[0] == pytest.approx(3000, abs=1)
    assert steps[-1] == pytest.approx(6000, abs=1)


def test_a_client_first_gets_what_it_cannot_decode() -> None:
    with camera_in_thread(first_keyframe_after=0.4) as camera, connected(camera) as client:
        client.play()
        client.frames(20)
        frames = camera.ledger.entries("frame")
        usable = decodable(camera.ledger.entries(), client=1)
    first = next(n for n, e in enumerate(frames) if e["keyframe"])
    assert 1 <= first <= 14
    assert usable[0]["counter"] == frames[first]["counter"]


@pytest.mark.parametrize("how", ["fragments", "slices", "aggregates"])
def test_a_picture_without_an_end(how: str) -> None:
    with client_of(endless_unit_after=0.1, endless_unit=how) as client:
        client.play()
        client.get(1000)
        last = client.rtp()[-500:]
    assert len({p.stamp for p in last}) == 1
    assert not any(p.marker for p in last)
