"""Undamaged pictures are told from damaged ones, in files made without any recorder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.rawclient import connected
from support.rtsp import camera_in_thread
from touchline.media.h264 import units as h264
from touchline.sim.footage import intact_counters, pictures
from touchline.sim.rtsp.ledger import Ledger, decodable, read_ledger


def filmed(
    folder: Path, *, frames: int, drop: Any = None, **options: Any
) -> tuple[Path, list[int]]:
    """A file of the first frames a camera sent, without the packets that `drop` names; counters."""
    options |= {"packing": "whole"}
    with camera_in_thread(**options) as camera, connected(camera) as client:
        client.play()
        units = client.frames(frames)
        counters = [e["counter"] for e in decodable(camera.ledger.entries(), client=1)]
    stream = b"".join(
        h264.START_CODE + packet.payload
        for number, unit in enumerate(units)
        for place, packet in enumerate(unit)
        if drop is None or not drop(number, place, packet)
    )
    path = folder / "filmed.h264"
    path.write_bytes(stream)
    return path, counters[:frames]


@pytest.mark.parametrize(
    "options",
    [{}, {"b_frames": 3, "b_pyramid": True}, {"slices": 4}, {"width": 640, "height": 360}],
)
def test_whole_pictures_are_intact(tmp_path: Path, options: dict[str, Any]) -> None:
    path, counters = filmed(tmp_path, frames=20, **options)
    assert intact_counters([path]) == sorted(counters)


def test_another_rate_is_another_picture(tmp_path: Path) -> None:
    path, counters = filmed(tmp_path, frames=20, fps=15)
    assert intact_counters([path], rates=(30, 15)) == counters


def test_a_missing_slice_is_damage(tmp_path: Path) -> None:
    path, counters = filmed(
        tmp_path,
        frames=20,
        slices=4,
        drop=lambda number, place, packet: number == 0 and packet.kind == 5 and place >= 4,
    )
    assert len(pictures(path)) == len(counters)
    assert intact_counters([path]) == []


def test_wrong_parameter_sets_are_damage(tmp_path: Path) -> None:
    with camera_in_thread(recode_after=0, packing="whole") as camera, connected(camera) as client:
        client.play()
        units = client.frames(12)
    sets = [p.payload for p in units[0] if p.kind in {h264.SPS, h264.PPS}]
    rest = [p.payload for unit in units[2:] for p in unit if p.kind in {1, 5}]
    path = tmp_path / "mixed.h264"
    path.write_bytes(b"".join(h264.START_CODE + unit for unit in [*sets, *rest]))
    assert intact_counters([path]) == []


def test_a_ledger_is_read_back_without_its_unfinished_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.note("frame", client=1, track=0, counter=7, keyframe=True, whole=True)
    ledger.note("request", client=1, method="PLAY")
    with path.open("ab") as file:
        file.write(b'{"event": "fra')
    assert read_ledger(path) == ledger.entries()
    assert [entry["method"] for entry in ledger.entries("request")] == ["PLAY"]
    ledger.close()


def test_what_follows_a_damaged_frame_is_not_decodable_up_to_the_next_keyframe() -> None:
    ledger = Ledger()
    for counter, whole in enumerate([True, True, False, True, True, True, False, True]):
        ledger.note(
            "frame", client=1, track=0, counter=counter, keyframe=counter % 5 == 0, whole=whole
        )
    ledger.note("frame", client=2, track=0, counter=99, keyframe=True, whole=True)
    found = [entry["counter"] for entry in decodable(ledger.entries(), client=1)]
    assert found == [0, 1, 5]
