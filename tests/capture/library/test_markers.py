"""Markers are on the match clock: seconds stay what they are, dates follow what is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import segmentfiles
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest, MatchClock, Part, SegmentRecord
from touchline.capture.library.markers import Markers
from touchline.capture.library.playback.clips import MatchTimes
from touchline.core.errors import Invalid

pytestmark = pytest.mark.anyio

S = 1_000_000_000
ORIGIN_S = 35
"""The clock of the match began at 1970."""
CORRECTION_S = 1_795_000_000


def part(number: int, start_s: int, ended_s: int) -> Part:
    return Part(
        number=number,
        boot_id=f"boot-{number}",
        start_ns=start_s * S,
        start_monotonic_ns=10 * S,
        unix_minus_monotonic_ns=(CORRECTION_S + start_s - 10) * S,
        trust="synchronised",
        pause_known=True,
        ended_ns=ended_s * S,
    )


def recorded(root: Path) -> Markers:
    """A match of two parts: 0 to 60 s, and 3,600 to 3,660 s."""
    folder = root / "m1"
    name = "cam0_19700101_000035_00.mp4"
    segmentfiles.write_segment(folder / "segments" / name, start_unix_ns=ORIGIN_S * S)
    manifest = Manifest(
        match_id="m1",
        state="recording",
        clock=MatchClock(start_unix_ns=ORIGIN_S * S, unix_correction_ns=CORRECTION_S * S),
        parts=(part(1, ORIGIN_S, ORIGIN_S + 60), part(2, ORIGIN_S + 3600, ORIGIN_S + 3660)),
        segments=(SegmentRecord(name=name, camera="cam0", index=0, start_unix_ns=ORIGIN_S * S),),
    )
    manifestfile.save(folder, manifest)
    library = Library(root, is_running=lambda _: False)
    running = {"m1": (ORIGIN_S + 3610) * S}
    return Markers(library, match_now_ns=running.get, now_ns=lambda: 5 * S)


async def test_a_marker_now_is_on_the_clock_of_the_match(tmp_path: Path) -> None:
    marker = await recorded(tmp_path).add("m1", at_s=None, seconds_ago=2.0)
    assert marker["at"] == 3608.0
    assert marker["at_unix_ms"] == (CORRECTION_S + ORIGIN_S + 3608) * 1000


async def test_seconds_address_every_part_of_a_match(tmp_path: Path) -> None:
    markers = recorded(tmp_path)
    await markers.add("m1", at_s=30.0, seconds_ago=0.0, kind="goal")
    await markers.add("m1", at_s=3630.0, seconds_ago=0.0)
    assert [each["at"] for each in await markers.all("m1")] == [30.0, 3630.0]
    assert await markers.moments("m1", ["goal"]) == [(ORIGIN_S + 30) * S]
    assert len(await markers.moments("m1", None)) == 2


async def test_a_marker_of_a_match_that_is_over_needs_a_time(tmp_path: Path) -> None:
    markers = recorded(tmp_path)
    markers._match_now_ns = lambda _: None
    with pytest.raises(Invalid, match="needs a time"):
        await markers.add("m1", at_s=None, seconds_ago=0.0)


def test_a_clip_is_found_by_seconds_and_by_the_corrected_date() -> None:
    times = MatchTimes(ORIGIN_S * S, CORRECTION_S * S)
    by_second = times.at_second(3610.5)
    assert by_second == times.at_date((CORRECTION_S + ORIGIN_S) * S + 3_610_500_000_000)
