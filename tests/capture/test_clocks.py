"""A wall clock that is wrong, set or set back, before, during and between recordings."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.fakefleet import FakeFleet, fake_fleet
from support.recorders import Studio, studio, until
from touchline.capture.library.manifest.manifest import by_camera_and_start
from touchline.core.wallclock import Reading, read_clocks

pytestmark = pytest.mark.anyio

HOUR_S = 3600.0
YEARS_50_S = 50 * 365.25 * 86_400
TO_1970_S = -time.time() + 35
SHIFTS = pytest.mark.parametrize(
    "shift_s", [-HOUR_S, TO_1970_S, YEARS_50_S], ids=["hour back", "1970", "50 years on"]
)


class Clocks:
    """The real clocks, but for the wall clock and the boot; no service keeps them, or one does."""

    def __init__(self) -> None:
        self.shift_s = 0.0
        self.boot = "boot-1"
        self.synchronised = False

    def __call__(self) -> Reading:
        found = read_clocks()
        return replace(
            found,
            boot_id=self.boot,
            unix_ns=found.unix_ns + int(self.shift_s * 1e9),
            synchronised=self.synchronised,
        )


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FakeFleet]:
    (tmp_path / "run").mkdir()
    with fake_fleet(tmp_path / "run") as fleet:
        yield fleet


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


async def record_until_power_cut(folder: Path, fleet: FakeFleet, clocks: Clocks) -> None:
    async with studio(folder, fleet=fleet, clocks=clocks, leave_recording=True) as it:
        assert (await it.start())["success"]
        await until(lambda: it.recorder.status()["duration"] > 0.6, "some footage")
        for worker in fleet.workers.values():
            worker.write()
        await until(lambda: len(it.manifest().segments) == 2, "the manifest is saved")
    for worker in list(fleet.workers.values()):
        worker.die()
    clocks.boot = "boot-2"


async def recorded_again(it: Studio) -> None:
    await until(lambda: it.recorder.status()["recording"], "it goes on")
    await until(lambda: not it.recorder.status()["degraded"], "the cameras are back")
    for worker in it.fleet.workers.values():
        worker.write()


def assert_in_order(it: Studio, match_id: str = "m1") -> None:
    segments = it.manifest(match_id).segments
    for camera in ("cam0", "cam1"):
        own = [s for s in segments if s.camera == camera]
        assert [s.index for s in own] == list(range(len(own)))
        assert own == sorted(own, key=by_camera_and_start)
        for before, after in itertools.pairwise(own):
            assert before.end_unix_ns is not None
            assert after.start_unix_ns is not None
            assert before.end_unix_ns <= after.start_unix_ns


@SHIFTS
async def test_a_match_goes_on_after_a_power_cut_whatever_the_clock_says_then(
    tmp_path: Path, fleet: FakeFleet, clocks: Clocks, shift_s: float
) -> None:
    await record_until_power_cut(tmp_path, fleet, clocks)
    clocks.shift_s = shift_s
    async with studio(tmp_path, fleet=fleet, clocks=clocks) as it:
        await recorded_again(it)
        assert it.recorder.status()["match_id"] == "m1"
        assert it.recorder.status()["duration"] < 30
        report = await it.stop()
        assert report["success"], report
        assert {gap["camera"] for gap in report["gaps"]} == {"cam0", "cam1"}
        assert all(gap["seconds"] > 0 for gap in report["gaps"])
        assert all(gap["length_known"] is False for gap in report["gaps"])
        assert_in_order(it)
        assert [part.pause_known for part in it.manifest().parts] == [True, False]
        resumed = next(a for a in it.alerts.sent if a.event_type == "recording_resumed")
        assert resumed.details["gap_s"] is None
        assert abs(it.manifest().unix_ns(it.manifest().origin_ns) / 1e9 - time.time()) < 60


async def test_a_clock_between_start_and_last_footage_interleaves_nothing(
    tmp_path: Path, fleet: FakeFleet, clocks: Clocks
) -> None:
    await record_until_power_cut(tmp_path, fleet, clocks)
    clocks.shift_s = -0.9  # what a clock without a battery keeps is the time of its last save
    async with studio(tmp_path, fleet=fleet, clocks=clocks) as it:
        await recorded_again(it)
        report = await it.stop()
        assert report["success"], report
        assert len(report["gaps"]) == 2
        assert all(gap["seconds"] > 0 for gap in report["gaps"])
        assert_in_order(it)


@SHIFTS
async def test_a_match_that_began_with_a_wrong_clock_goes_on_with_the_right_one(
    tmp_path: Path, fleet: FakeFleet, clocks: Clocks, shift_s: float
) -> None:
    clocks.shift_s = shift_s
    await record_until_power_cut(tmp_path, fleet, clocks)
    clocks.shift_s, clocks.synchronised = 0.0, True
    async with studio(tmp_path, fleet=fleet, clocks=clocks) as it:
        await recorded_again(it)
        assert it.recorder.status()["duration"] < 30
        report = await it.stop()
        assert report["success"], report
        assert all(gap["seconds"] > 0 for gap in report["gaps"])
        assert_in_order(it)
        manifest = it.manifest()
        assert abs(manifest.unix_ns(manifest.origin_ns) / 1e9 - time.time()) < 60


@SHIFTS
async def test_dates_are_corrected_when_the_clock_becomes_known_and_seconds_stay(
    tmp_path: Path, clocks: Clocks, shift_s: float
) -> None:
    clocks.shift_s = shift_s
    async with studio(tmp_path, clocks=clocks) as it:
        await it.start()
        before = it.manifest()
        running = it.context.current.running
        assert running is not None
        clocks.shift_s, clocks.synchronised = 0.0, True  # the time service has answered
        await until(lambda: running.match.part.trust == "synchronised", "it is seen")
        assert it.recorder.status()["duration"] < 30
        assert abs(running.match.started_unix_ns / 1e9 - time.time()) < 30
        assert (await it.stop())["success"]
        after = it.manifest()
        assert after.origin_ns == before.origin_ns
        assert abs(after.unix_ns(after.origin_ns) / 1e9 - time.time()) < 30
        assert_in_order(it)


@SHIFTS
async def test_nothing_but_a_date_changes_when_the_clock_is_set_during_a_match(
    tmp_path: Path, clocks: Clocks, shift_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_ns = time.time_ns
    async with studio(tmp_path, clocks=clocks, protection_s=0.5) as it:
        await it.start()
        await until(lambda: it.recorder.status()["duration"] > 0.3, "it is recorded")
        clocks.shift_s = shift_s
        # Also for whatever asks the wall clock by itself.
        monkeypatch.setattr(time, "time_ns", lambda: real_ns() + int(shift_s * 1e9))
        monkeypatch.setattr(time, "time", lambda: real_ns() / 1e9 + shift_s)
        status = it.recorder.status()
        assert 0.3 < status["duration"] < 30
        assert 0 < status["cameras"]["camera_0"]["uptime"] < 30
        it.fleet[0].mark_lost()
        await until(lambda: it.recorder.status()["degraded"], "the loss is seen")
        # Longer than the fragment that the fake camera had already written.
        longer_s = it.recorder.status()["duration"] + 0.5
        await until(lambda: it.recorder.status()["duration"] > longer_s, "the loss has a length")
        it.fleet[0].record_now()
        await until(lambda: not it.recorder.status()["degraded"], "it is back")
        report = await it.stop(force=False)
        assert report["success"], report
        assert all(0 <= gap["seconds"] < 30 for gap in report["gaps"])
        assert_in_order(it)


@SHIFTS
async def test_takes_of_one_match_share_one_axis(
    tmp_path: Path, clocks: Clocks, shift_s: float
) -> None:
    async with studio(tmp_path, clocks=clocks) as it:
        await it.start()
        await until(lambda: it.recorder.status()["duration"] > 0.3, "it is recorded")
        assert (await it.stop())["success"]
        first = it.manifest()
        clocks.shift_s = shift_s
        await it.start()
        assert it.recorder.status()["duration"] < 30
        second_start_ns = it.context.current.match_now_ns("m1")
        assert second_start_ns is not None
        assert first.ended_unix_ns is not None
        await until(lambda: it.recorder.status()["duration"] > 0.3, "it is recorded")
        report = await it.stop()
        assert report["success"], report
        assert report["gaps"] == []
        manifest = it.manifest()
        assert manifest.origin_ns == first.origin_ns
        assert manifest.number == first.number
        assert len(manifest.parts) == 2
        assert manifest.pauses == ((first.ended_unix_ns, manifest.parts[1].start_ns),)
        assert_in_order(it)


async def test_a_name_that_the_clock_gives_twice_is_another_match(
    tmp_path: Path, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands = read_clocks()

    def same_date() -> Reading:
        return replace(read_clocks(), unix_ns=stands.unix_ns)

    async with studio(tmp_path, clocks=same_date) as it:
        first = await it.start(None)
        await it.stop()
        second = await it.start(None)
        await it.stop()
        assert first["match_id"] == f"match_{stands.unix_ns // 10**9}"
        assert second["match_id"] == f"{first['match_id']}_2"
        assert it.manifest(first["match_id"]).number == 1
        assert it.manifest(second["match_id"]).number == 2


async def test_numbers_rise_over_the_loss_of_their_record(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start("a")
        await it.stop()
        await it.start("b")
        await it.stop()
    (tmp_path / "library.json").write_text("{")
    async with studio(tmp_path) as it:
        await it.start("c")
        await it.stop()
        assert [it.manifest(each).number for each in "abc"] == [1, 2, 3]
