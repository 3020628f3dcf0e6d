from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from touchline.core.errors import Invalid
from touchline.web.websocket.actions import MOST_LINES, actions_of

pytestmark = pytest.mark.anyio


def capture() -> Any:
    """A capture half that notes what is asked of it."""
    return Mock(
        recorder=Mock(stop=AsyncMock()),
        preview=Mock(start=AsyncMock(), stop=AsyncMock()),
        library=Mock(list=AsyncMock(return_value=["m1"])),
        logs=Mock(tail=AsyncMock()),
        panorama=Mock(process_status=AsyncMock()),
    )


def test_there_are_the_seven_actions_of_the_contract() -> None:
    actions = actions_of(capture())
    assert len(actions) == 7
    changing = {name for name, each in actions.items() if each.refreshes}
    assert changing == {"start_recording", "stop_recording", "start_preview", "stop_preview"}
    assert all(each.reads is not each.refreshes for each in actions.values())


@pytest.mark.parametrize(
    ("params", "force"), [({}, False), ({"force": None}, False), ({"force": True}, True)]
)
async def test_a_stop_is_forced_only_on_request(params: dict[str, Any], *, force: bool) -> None:
    half = capture()
    await actions_of(half)["stop_recording"].run(params)
    half.recorder.stop.assert_awaited_once_with(force=force)


async def test_a_preview_is_of_every_camera_unless_one_is_named() -> None:
    half = capture()
    actions = actions_of(half)
    await actions["start_preview"].run({})
    await actions["start_preview"].run({"camera_id": 1, "transport": "hls"})
    await actions["stop_preview"].run({"camera_id": 1})
    assert [each.args for each in half.preview.start.await_args_list] == [(None, None), (1, "hls")]
    half.preview.stop.assert_awaited_once_with(1)


@pytest.mark.parametrize(
    ("params", "asked"),
    [
        ({}, ("health", 200)),
        ({"log_type": None, "lines": None}, ("health", 200)),
        ({"log_type": "alerts", "lines": 99_999}, ("alerts", MOST_LINES)),
    ],
)
async def test_logs_are_read_in_small_parts(params: dict[str, Any], asked: tuple[str, int]) -> None:
    half = capture()
    await actions_of(half)["get_logs"].run(params)
    half.logs.tail.assert_awaited_once_with(*asked)


async def test_the_match_to_report_on_has_to_be_named() -> None:
    half = capture()
    actions = actions_of(half)
    with pytest.raises(Invalid, match="match_id"):
        await actions["get_panorama_processing"].run({"match_id": ""})
    await actions["get_panorama_processing"].run({"match_id": "m1"})
    half.panorama.process_status.assert_awaited_once_with("m1")
    assert await actions["get_recordings"].run({}) == ["m1"]
