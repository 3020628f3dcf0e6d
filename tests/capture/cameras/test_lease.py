"""Who has the cameras, and that nobody keeps them."""

from __future__ import annotations

from datetime import datetime

import anyio
import anyio.abc
import pytest

from touchline.capture.cameras.lease import CameraLease
from touchline.core.errors import Blocked

NOW = datetime(2026, 2, 11, 22, 2, 41)  # noqa: DTZ001  (the contract's local time, without a zone)


def test_without_a_holder_the_cameras_are_idle() -> None:
    assert CameraLease().to_json() == {
        "mode": "idle",
        "holder": None,
        "lock_time": None,
        "can_preview": True,
        "can_record": True,
    }


def test_a_holder_is_named_with_the_time_it_took_them() -> None:
    lease = CameraLease(now=lambda: NOW)
    with lease.hold("recording", "api-recording-m1"):
        assert lease.to_json() == {
            "mode": "recording",
            "holder": "api-recording-m1",
            "lock_time": "2026-02-11T22:02:41",
            "can_preview": False,
            "can_record": False,
        }
    assert lease.mode == "idle"


def test_viewers_leave_room_for_more_viewers_but_not_for_a_recording() -> None:
    lease = CameraLease()
    with lease.hold("preview", "api-preview-all"):
        assert lease.to_json()["can_preview"] is True
        assert lease.to_json()["can_record"] is False


def test_a_recording_can_be_watched_where_that_is_configured() -> None:
    lease = CameraLease()
    before = lease.changed.version
    lease.allow_preview_while_recording(allowed=True)
    assert lease.changed.version > before, "whoever follows the lease learns of it"
    with lease.hold("recording", "api-recording-m1"):
        assert lease.to_json()["can_preview"] is True
    with lease.hold("calibration", "api-calibration"):
        assert lease.to_json()["can_preview"] is False


def test_a_second_holder_is_refused_and_changes_nothing() -> None:
    lease = CameraLease()
    with lease.hold("recording", "api-recording-m1"):
        before = lease.to_json()
        with pytest.raises(Blocked) as caught, lease.hold("preview", "api-preview-0"):
            pytest.fail("two holders")
        assert caught.value.message == "Could not acquire camera resources. Current mode: recording"
        assert caught.value.details == {"mode": "recording", "holder": "api-recording-m1"}
        assert lease.to_json() == before
    assert lease.mode == "idle"


def test_a_refused_recording_is_told_so_in_the_contracts_words() -> None:
    lease = CameraLease()
    with lease.hold("calibration", "api-calibration"):
        with pytest.raises(Blocked) as caught, lease.hold("recording", "api-recording-m1"):
            pytest.fail("two holders")
        assert caught.value.message == "Could not acquire camera resources for recording"


def test_a_scope_that_fails_lets_go() -> None:
    lease = CameraLease()
    with pytest.raises(ZeroDivisionError), lease.hold("recording", "x"):
        raise ZeroDivisionError
    assert lease.mode == "idle"


def test_taking_and_letting_go_are_news() -> None:
    lease = CameraLease()
    before = lease.changed.version
    with lease.hold("preview", "x"):
        assert lease.changed.version == before + 1
    assert lease.changed.version == before + 2


@pytest.mark.anyio
async def test_a_holder_that_can_be_sent_away_is_asked_to_give_way() -> None:
    lease = CameraLease()
    asked: list[str] = []

    async def give_up() -> None:
        asked.append("please")

    await lease.make_way()
    with lease.hold("preview", "x", give_up=give_up):
        await lease.make_way()
    assert asked == ["please"]


@pytest.mark.anyio
async def test_who_asks_while_the_holder_lets_go_waits_for_it_and_is_not_refused() -> None:
    lease = CameraLease()
    steps: list[str] = []

    async def leave(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        with lease.letting_go():
            with lease.hold("preview", "api-panorama-preview"):
                task_status.started()
                await anyio.sleep(0.05)
            steps.append("gone")

    async with anyio.create_task_group() as tasks:
        await tasks.start(leave)
        await lease.settled()
        with lease.hold("preview", "api-preview-all"):
            steps.append("held")
    assert steps == ["gone", "held"]


@pytest.mark.anyio
async def test_who_asks_while_nobody_lets_go_is_told_at_once() -> None:
    lease = CameraLease()
    with lease.hold("preview", "api-panorama-preview"), anyio.fail_after(1):
        await lease.settled()
        with pytest.raises(Blocked), lease.hold("preview", "api-preview-all"):
            pytest.fail("two holders")
