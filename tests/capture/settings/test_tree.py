from __future__ import annotations

import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from touchline.capture.settings.tree import CAMERAS_EXAMPLE, DEMO_CAMERAS, CaptureSettings
from touchline.capture.sources.rtsp import RtspSource
from touchline.capture.sources.simulated import TestSource
from touchline.capture.sources.v4l2 import V4l2Source
from touchline.core.errors import Invalid

PREVIEW = {
    "transport_mode": "dual",
    "stun_server": "stun:stun.l.google.com:19302",
    "turn_server": None,
    "hls_part_s": 0.25,
    "hls_segment_s": 1.0,
    "hls_dir": None,
    "hls_segments": 8,
    "rtsp": False,
    "rtsp_host": "127.0.0.1",
    "rtsp_port": 8554,
    "rtsp_password": None,
}
PROCESSING = {
    "after_recording": ("archive", "sprites", "panorama", "follow"),
    "while_recording": False,
    "upload": {
        "endpoint_url": None,
        "allow_http": False,
        "bucket": None,
        "prefix": "{match_id}/",
        "region": "auto",
        "access_key_id": None,
        "secret_access_key": None,
        "part_bytes": 16 << 20,
        "files": None,
        "max_mbit_s": None,
    },
    "archive": {"profile": "copy", "height": 1080, "crf": 26, "preset": "veryfast"},
}
"""Documented defaults."""


def test_the_defaults_are_the_documented_ones() -> None:
    settings = CaptureSettings()
    assert settings.model_dump() == {
        "cameras": {},
        "recordings_dir": None,
        "runtime_dir": None,
        "require_mount": False,
        "file_mode": "0640",
        "require_all_cameras": True,
        "quality": "fast",
        "encoder": "auto",
        "segment_s": 600.0,
        "fragment_s": 0.25,
        "max_match_s": 14_400.0,
        "protection_s": 10.0,
        "start_timeout_s": 10.0,
        "stop_timeout_s": 8.0,
        "integrity_probe_timeout_s": 8.0,
        "min_effective_fps": 24.0,
        "stall_after_s": 0.8,
        "unresponsive_after_s": 3.0,
        "standby_workers": True,
        "recovery_max_attempts": None,
        "recovery_pause_max_s": 0.5,
        "resume_after_crash": True,
        "overload_guard_enabled": True,
        "overload_cpu_percent": 92.0,
        "overload_poll_s": 5.0,
        "overload_streak": 3,
        "min_free_bytes": 1 << 30,
        "delete_oldest_when_full": False,
        "trash_days": 7,
        "backlog_bytes": 64 << 20,
        "preview_while_recording": False,
        "preview": PREVIEW,
        "processing": PROCESSING,
    }


def test_each_field_is_described() -> None:
    assert [n for n, f in CaptureSettings.model_fields.items() if not f.description] == []


def test_cameras_are_keyed_by_number_and_come_in_order() -> None:
    settings = CaptureSettings.model_validate(
        {"cameras": {"10": {"kind": "test"}, "2": {"kind": "test"}, 0: {"kind": "test"}}}
    )
    assert list(settings.require_cameras()) == [0, 2, 10]


@pytest.mark.parametrize("camera_id", [-1, 64, "left"])
def test_a_camera_number_outside_0_to_63_is_refused(camera_id: Any) -> None:
    with pytest.raises(ValidationError, match="cameras"):
        CaptureSettings.model_validate({"cameras": {camera_id: {"kind": "test"}}})


def test_no_cameras_is_an_error_that_shows_how_to_name_them() -> None:
    with pytest.raises(Invalid, match="No cameras configured") as refusal:
        CaptureSettings().require_cameras()
    assert refusal.value.code == "no_cameras"
    assert CAMERAS_EXAMPLE in refusal.value.message


def test_the_example_in_that_error_is_a_valid_configuration() -> None:
    settings = CaptureSettings.model_validate(tomllib.loads(CAMERAS_EXAMPLE)["capture"])
    assert [type(c) for c in settings.require_cameras().values()] == [RtspSource, V4l2Source]


def test_the_demo_has_two_simulated_cameras() -> None:
    cameras = CaptureSettings.model_validate({"cameras": DEMO_CAMERAS}).require_cameras()
    assert [type(c) for c in cameras.values()] == [TestSource, TestSource]
    assert [c.label(i) for i, c in cameras.items()] == ["LEFT", "RIGHT"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("segment_s", 4.9),
        ("segment_s", 3601),
        ("fragment_s", 0.05),
        ("fragment_s", 0.6),
        ("protection_s", -1),
        ("overload_cpu_percent", 101),
        ("overload_streak", 0),
        ("recovery_max_attempts", -1),
        ("min_free_bytes", 0),
        ("backlog_bytes", 1),
        ("quality", "best"),
        ("encoder", "nvenc"),
        ("recordings_dir", "matches"),
        ("runtime_dir", "run"),
        ("segments_s", 600),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        CaptureSettings.model_validate({field: value})


def test_a_worker_is_not_replaced_before_its_camera_can_have_stalled() -> None:
    with pytest.raises(ValidationError, match="unresponsive_after_s must be longer"):
        CaptureSettings(stall_after_s=5, unresponsive_after_s=3)


@pytest.mark.parametrize(
    ("written", "mode", "umask"),
    [
        ("0640", "0640", 0o027),
        ("640", "0640", 0o027),
        ("0o640", "0640", 0o027),
        (0o640, "0640", 0o027),
        ("0600", "0600", 0o077),
        ("0660", "0660", 0o007),
        ("0644", "0644", 0o022),
    ],
)
def test_the_mode_of_footage_is_octal_and_folders_follow_it(
    written: object, mode: str, umask: int
) -> None:
    settings = CaptureSettings.model_validate({"file_mode": written})
    assert (settings.file_mode, settings.umask) == (mode, umask)


@pytest.mark.parametrize("written", ["0440", "0755", "4640", "640x", "", 640, True, None, "0648"])
def test_a_mode_that_footage_cannot_have_is_refused(written: object) -> None:
    with pytest.raises(ValidationError, match="file_mode"):
        CaptureSettings.model_validate({"file_mode": written})
