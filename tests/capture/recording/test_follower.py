"""What workers and cameras do while a match is recorded, and what the recorder makes of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support import segmentfiles
from support.growingsegments import Segment
from support.recorders import studio, until
from touchline.capture.library import recovery

pytestmark = pytest.mark.anyio

LOST_AND_FOUND = ["recording_camera_lost", "recording_camera_recovered"]


async def test_a_worker_that_dies_is_replaced_and_the_match_goes_on_in_a_new_file(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        await until(lambda: it.fleet[0].segments[0].fragments > 1, "some footage")
        dead = it.fleet[0]
        dead.die()
        await until(lambda: it.recorder.status()["degraded"], "the loss is seen")
        assert "the worker exited" in it.recorder.status()["degraded_cameras"]["camera_0"]
        await until(lambda: not it.recorder.status()["degraded"], "it goes on")
        status = it.recorder.status()
        assert status["camera_recovery"]["camera_0"]["attempts"] == 1
        assert status["camera_recovery"]["camera_1"]["attempts"] == 0
        (first, second) = [name for name in it.files() if name.startswith("cam0")]
        assert second.endswith("_01.mp4")
        report = await it.stop()
        assert report["success"], report
        assert it.manifest().segment(first).finalized  # type: ignore[union-attr]
        assert it.alerts.types().count("recording_camera_lost") == 1
        assert it.alerts.types().count("recording_camera_recovered") == 1
        assert it.fleet.spawned.count("cam0") == 2


async def test_a_dead_workers_gap_begins_where_its_footage_ends(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        await until(lambda: it.fleet[0].segments[0].fragments > 1, "some footage")
        dead = it.fleet[0]
        it.fleet.refuses_to_spawn = True
        dead.die()
        end = dead.segments[0].info()["end_unix_ns"]
        await until(lambda: it.recorder.status()["duration"] > 1.6, "the gap has a length")
        it.fleet.refuses_to_spawn = False
        await until(lambda: not it.recorder.status()["degraded"], "it goes on")
        (gap,) = (await it.stop())["gaps"]
        assert gap["from_unix_ns"] == pytest.approx(end, abs=2_000_000)
        assert "the worker exited" in gap["reason"]


async def test_a_worker_that_dies_as_it_begins_a_file_fails_no_stop(tmp_path: Path) -> None:
    """The file has a header and no picture: nothing is missing but what the gap says."""
    async with studio(tmp_path) as it:
        await it.start()
        await until(lambda: it.fleet[0].segments[0].fragments > 1, "some footage")
        begun = it.root / "m1" / "segments" / "cam0_20260211_220241_01.mp4"
        begun.write_bytes(segmentfiles.join([]))
        it.fleet[0].die()
        await until(lambda: it.recorder.status()["degraded"], "the loss is seen")
        await until(lambda: not it.recorder.status()["degraded"], "it goes on")
        report = await it.stop()
        assert report["success"], report
        assert begun.name not in it.files()


async def test_workers_that_die_one_after_the_other_leave_every_gap_listed(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        await until(lambda: it.fleet[0].segments[0].fragments > 1, "some footage")
        dead = it.fleet[0]
        order = dead.order
        assert order is not None
        it.fleet.refuses_to_spawn = True
        dead.die()
        longer_s = it.recorder.status()["duration"] + 1.0
        await until(lambda: it.recorder.status()["duration"] > longer_s, "the gap has a length")
        # The next one writes a file and dies before the server has heard of it.
        now_ns = time.monotonic_ns() + order.unix_minus_monotonic_ns
        Segment(order, 1, now_ns).write_until(now_ns + 1)
        longer_s = it.recorder.status()["duration"] + 1.5
        await until(lambda: it.recorder.status()["duration"] > longer_s, "so has the second one")
        it.fleet.refuses_to_spawn = False
        await until(lambda: not it.recorder.status()["degraded"], "it goes on")
        report = await it.stop()
        assert report["success"], report
        assert [gap["camera"] for gap in report["gaps"]] == ["cam0", "cam0"]
        assert all("the worker exited" in gap["reason"] for gap in report["gaps"])


async def test_a_worker_that_says_nothing_is_killed_and_replaced(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        hung = it.fleet[1]
        hung.mute = True
        await until(lambda: hung.dead, "it is killed")
        await until(lambda: it.fleet[1] is not hung, "there is a next one")
        await until(lambda: it.alerts.types() == LOST_AND_FOUND, "both edges are alerted")
        assert "said nothing for" in str(it.alerts.sent[0].details["error"])
        report = await it.stop()
        assert report["success"], report


async def test_a_camera_that_is_lost_and_comes_back_costs_a_gap_with_its_reason(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        camera = it.fleet[1]
        camera.mark_lost("retrying", "the cable is out")
        await until(lambda: it.recorder.status()["degraded"], "the loss is seen")
        status = it.recorder.status()
        assert status["degraded_cameras"] == {"camera_1": "the cable is out"}
        assert status["camera_recovery"]["camera_1"]["last_error"] == "the cable is out"
        assert status["cameras"]["camera_1"]["state"] == "error"
        assert status["cameras"]["camera_1"]["gaps"] == 1
        assert it.recorder.health()["healthy"] is False
        await until(lambda: it.recorder.status()["duration"] > 1, "the gap has a length")
        camera.record_now()
        await until(lambda: not it.recorder.status()["degraded"], "it is back")
        report = await it.stop()
        assert report["success"], report
        (gap,) = report["gaps"]
        assert (gap["camera"], gap["reason"]) == ("cam1", "the cable is out")
        assert it.alerts.types() == LOST_AND_FOUND
        assert it.alerts.sent[1].details["gap_s"] == pytest.approx(gap["seconds"], abs=0.01)


async def test_a_short_stall_within_a_segment_is_alerted_on_both_edges(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        it.fleet[0].mark_lost("stalled", "no frame for 0.9 s")
        await until(lambda: it.recorder.status()["degraded"], "the stall is seen")
        it.fleet[0].resume_work()
        await until(lambda: not it.recorder.status()["degraded"], "it is over")
        assert len([name for name in it.files() if name.startswith("cam0")]) == 1
        assert it.alerts.types() == LOST_AND_FOUND


async def test_a_disk_that_refuses_to_be_mended_does_not_stop_the_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio(tmp_path) as it:
        await it.start()

        def broken(*_: object, **__: object) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(recovery, "salvage_match", broken)
        dead = it.fleet[0]
        dead.die()
        await until(lambda: it.fleet[0] is not dead and it.fleet[0].segments, "it goes on")
        await until(lambda: not it.recorder.status()["degraded"], "and that is seen")


async def test_an_empty_segment_that_was_removed_is_forgotten(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        await it.start()
        it.fleet[0].record_now()
        await until(lambda: it.recorder.status()["cameras"]["camera_0"]["segments"] == 2, "two")
        newest = it.fleet[0].segments.pop()
        newest.path.unlink()
        it.fleet[0].tell({"event": "segment", "change": "removed", "segment": newest.info()})
        it.fleet[0].record_now()
        await until(
            lambda: (
                it.recorder.status()["cameras"]["camera_0"]["segment"] != newest.path.name
                or it.fleet[0].segments[-1].path.name == newest.path.name
            ),
            "it is forgotten",
        )
        assert (await it.stop())["success"]
        assert len(it.manifest().segments) == len(it.files())
