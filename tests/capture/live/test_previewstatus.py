from __future__ import annotations

from typing import Any

import pytest

from touchline.capture.live.previewstatus import start_result, transcode_of, webrtc_streams
from touchline.ipc import wire


@pytest.mark.parametrize(
    ("started", "reasons", "expected"),
    [
        (
            [1, 0],
            {},
            {
                "success": True,
                "message": "Preview started for cameras: [0, 1]",
                "transport": "hls",
                "cameras_started": [0, 1],
                "cameras_failed": [],
            },
        ),
        (
            [1],
            {0: "is away"},
            {
                "success": True,
                "message": "Preview started for cameras: [1]",
                "transport": "hls",
                "cameras_started": [1],
                "cameras_failed": [0],
                "errors": {"camera_0": "is away"},
            },
        ),
        (
            [],
            {7: "the camera does not exist"},
            {
                "success": False,
                "message": "Failed to start any preview cameras",
                "failed_cameras": [7],
                "errors": {"camera_7": "the camera does not exist"},
            },
        ),
        (
            [],
            {},
            {
                "success": False,
                "message": "Failed to start any preview cameras",
                "failed_cameras": [],
            },
        ),
    ],
    ids=["all", "some", "none", "no camera"],
)
def test_the_result_of_a_start_names_who_is_shown_and_why_others_are_not(
    started: list[int], reasons: dict[int, str], expected: dict[str, Any]
) -> None:
    assert start_result("hls", started, reasons) == expected


IDLE = {"state": "idle", "error": None, "viewers": 0, "over_hls": False}
RUNNING = {"state": "running", "reason": "r", "error": None, "viewers": 2}


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        ({}, None),
        ({"streams": {"cam0": {"reorders": False}}}, None),
        ({"streams": {"cam1": {"reorders": True}}}, None),
        ({"streams": {"cam0": {"reorders": True}}}, {**IDLE, "reason": wire.REORDERS}),
        (
            {"streams": {"cam0": {"reorders": True, "joinable": False}}},
            {**IDLE, "reason": wire.UNJOINABLE},
        ),
        (
            {"transcodes": {"cam0": {**RUNNING, "over_hls": True, "pid": 1}}},
            {**RUNNING, "over_hls": True},
        ),
        ({"transcodes": {"cam0": RUNNING}}, {**RUNNING, "over_hls": False}),
    ],
    ids=[
        "not heard of",
        "in order",
        "another camera",
        "reorders",
        "unjoinable",
        "running",
        "of an earlier live process",
    ],
)
def test_a_transcode_is_what_the_live_process_says_of_it(
    live: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    assert transcode_of(live, "cam0") == expected


def test_sessions_have_the_contract_s_names_of_their_streams() -> None:
    sessions = [
        {"session": "a", "camera": "cam1", "viewer": "c", "state": "new"},
        {"session": "b", "camera": "panorama", "viewer": "d", "state": "new"},
    ]
    assert webrtc_streams({"webrtc_sessions": sessions}, {"cam0": 0, "cam1": 1}) == [
        {"session_id": "a", "stream_kind": "main_cam1", "camera_id": 1, "connection_id": "c"},
        {"session_id": "b", "stream_kind": "panorama", "camera_id": None, "connection_id": "d"},
    ]
