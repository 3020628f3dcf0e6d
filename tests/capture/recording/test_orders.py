"""What a worker is told to record."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from support.runningmatches import part_from
from touchline.capture.recording.match.match import Match, MatchIdentity
from touchline.capture.recording.orders import make_order
from touchline.capture.settings.tree import CaptureSettings

S = 1_000_000_000
START_UNIX_NS = 1_770_847_361 * S


def camera(number: int) -> Any:
    link = SimpleNamespace(listened_s=lambda: 0.0)
    return SimpleNamespace(id=number, name=f"cam{number}", status={}, link=link)


def match() -> Match:
    return Match(
        MatchIdentity("m1", Path("/matches/m1")),
        [camera(0), camera(1)],
        part=part_from(START_UNIX_NS, 40 * S),
    )


def test_all_cameras_get_the_same_clock_and_label() -> None:
    it, settings = match(), CaptureSettings()
    first, second = (make_order(settings, it, it.tracks[n]) for n in (0, 1))
    assert (first.prefix, second.prefix) == ("cam0", "cam1")
    assert first.start_monotonic_ns == second.start_monotonic_ns == 40 * S
    assert first.unix_minus_monotonic_ns == START_UNIX_NS - 40 * S
    expected = time.strftime("%Y%m%d_%H%M%S", time.localtime(START_UNIX_NS / 1e9))
    assert first.label == second.label == expected
    assert first.directory == "/matches/m1/segments"


def test_the_settings_are_handed_on() -> None:
    settings = CaptureSettings(
        segment_s=300, fragment_s=0.5, min_free_bytes=1 << 30, backlog_bytes=8 << 20, max_match_s=99
    )
    it = match()
    order = make_order(settings, it, it.tracks[0])
    assert order.segment_s == 300
    assert order.fragment_s == 0.5
    assert order.min_free_bytes == 1 << 30
    assert order.backlog_bytes == 8 << 20
    assert order.max_match_s == 99


def test_names_go_on_after_those_the_camera_has() -> None:
    it = match()
    it.tracks[1].next_index = 3
    assert make_order(CaptureSettings(), it, it.tracks[1]).first_index == 3


def test_a_camera_that_joins_again_is_labelled_with_the_time_it_does() -> None:
    it = match()
    before = time.strftime("%Y%m%d_%H%M%S")
    order = make_order(CaptureSettings(), it, it.tracks[0], resumed=True)
    assert before <= order.label <= time.strftime("%Y%m%d_%H%M%S")
    assert order.unix_minus_monotonic_ns == START_UNIX_NS - 40 * S  # one clock all the same
