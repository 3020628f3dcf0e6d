from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.libraryservices import orders_of
from support.segmentfiles import write_segment
from touchline.capture.library.library import Library
from touchline.capture.library.markers import Markers
from touchline.capture.processing.jobs import Job
from touchline.capture.processing.orders import StudioOrders
from touchline.core.errors import Blocked, NotFound, Refused

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 2, 11, 19, tzinfo=UTC)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    root = tmp_path / "recordings"
    write_segment(root / "m1" / "segments" / "cam0_20260211_220241_00.mp4")
    return Library(root, is_running=lambda match_id: match_id == "now")


def job(kind: str, match_id: str = "m1", **params: Any) -> Job:
    return Job.model_validate(
        {"job_id": "j", "kind": kind, "match_id": match_id, "params": params, "created_at": NOW}
    )


async def test_without_a_calibration_both_views_are_put_side_by_side(
    tmp_path: Path, library: Library
) -> None:
    orders = orders_of(tmp_path, library)
    run = await orders.prepare(job("panorama", calibration_version=None))
    assert run._spec.get("calibration") is None
    with pytest.raises(NotFound):
        await orders.prepare(job("panorama", calibration_version=4))


async def test_the_archive_step_makes_one_of_every_camera_of_the_match(
    tmp_path: Path, library: Library
) -> None:
    segments = tmp_path / "recordings" / "m1" / "segments"
    for camera in (2, 11):
        write_segment(segments / f"cam{camera}_20260211_220241_00.mp4")
    run = await orders_of(tmp_path, library).prepare(job("archive"))
    assert run._spec["cameras"] == ["cam0", "cam2", "cam11"]
    archives = await library.list_archives_of("m1")
    assert list(archives) == ["cam0", "cam1", "cam2", "cam11", "panorama", "follow"]


async def test_what_would_leave_no_room_for_the_next_match_is_not_begun(
    tmp_path: Path, library: Library
) -> None:
    def with_free(free: int) -> StudioOrders:
        async def free_bytes() -> int:
            return free

        return orders_of(tmp_path, library, free_bytes=free_bytes)

    with pytest.raises(Blocked) as caught:
        await with_free((1 << 30) + 10).prepare(job("archive"))
    assert caught.value.code == "disk_low"
    await with_free(2 << 30).prepare(job("archive"))
    await with_free(0).prepare(job("sprites"))


async def test_a_reel_needs_markers_and_an_upload_a_storage(
    tmp_path: Path, library: Library
) -> None:
    markers = Markers(library, match_now_ns=lambda _: None)
    orders = orders_of(tmp_path, library, markers=markers)
    reel = job("reel", camera="cam0", before_s=5.0, after_s=2.0, kinds=["goal"])
    with pytest.raises(Refused, match="no markers"):
        await orders.prepare(reel)
    await markers.add("m1", at_s=10.0, seconds_ago=0.0, kind="corner")
    with pytest.raises(Refused, match="no markers"):
        await orders.prepare(reel)
    await markers.add("m1", at_s=20.0, seconds_ago=0.0, kind="goal")
    assert len((await orders.prepare(reel))._spec["stretches"]) == 1
    with pytest.raises(Refused, match="No storage"):
        await orders.prepare(job("upload"))
