from __future__ import annotations

import re
import socket
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from support.pipelinespecs import (
    CONVERT,
    I420,
    PATIENT_QUEUE,
    build,
    x264,
)
from support.rtsp import camera_in_thread
from touchline.capture.sources import rtsp as module
from touchline.capture.sources.kinds import Source
from touchline.capture.sources.rtsp import RtspSource
from touchline.ipc.wire import Rtsp


def test_an_rtsp_camera_is_copied_and_kept_connected() -> None:
    spec = build({"kind": "rtsp", "url": "rtsp://coach:hunter2@10.0.0.1/s"})
    assert spec.source == ()
    assert spec.rtsp == Rtsp("rtsp://10.0.0.1/s", "coach", "hunter2", latency_ms=200)
    assert "hunter2" not in repr(spec)
    assert (spec.demux, spec.force_encode, spec.keep_running) == (True, False, True)
    assert spec.encode == (PATIENT_QUEUE, CONVERT, I420, x264(**{"key-int-max": 25}))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("transport", "udp"),
        ("transport", "auto"),
        ("latency_ms", 50),
        ("verify_tls", False),
        ("track", 1),
        ("track", "trackID=2"),
    ],
)
def test_an_rtsp_camera_is_told_how_it_was_configured(setting: str, value: Any) -> None:
    spec = build({"kind": "rtsp", "url": "rtsps://h/", setting: value})
    assert spec.rtsp is not None
    assert getattr(spec.rtsp, setting) == value
    assert spec.rtsp == replace(Rtsp("rtsps://h/"), **{setting: value})


def test_a_crop_too_small_to_matter_leaves_the_copy_alone() -> None:
    spec = build({"kind": "rtsp", "url": "rtsp://h/", "crop": {"left": 1}})
    assert (spec.force_encode, spec.keep_running) == (False, True)


SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


def rtsp(**fields: Any) -> RtspSource:
    return RtspSource.model_validate({"kind": "rtsp", **fields})


@pytest.mark.parametrize(
    "url",
    ["http://h/", "h", "rtsp:///s", "rtsp://h:99999/", "rtsp://[::1/", "rtsp://h/a b", "file:///x"],
)
def test_only_rtsp_urls_with_a_host_are_taken(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        rtsp(url=url)


def test_credentials_leave_the_url_for_fields_of_their_own() -> None:
    source = rtsp(url="rtsp://coach:p%40ss:w@[fe80::1]:554/s?token=abc")
    assert source.url == "rtsp://[fe80::1]:554/s?token=abc"
    assert source.user == "coach"
    assert source.password is not None
    assert source.password.get_secret_value() == "p@ss:w"
    assert source.safe_url == "rtsp://[fe80::1]:554/s"


def test_fields_of_their_own_win_over_the_url() -> None:
    source = rtsp(url="rtsp://a:b@h/", user="c", password="d")
    assert (source.user, source.password and source.password.get_secret_value()) == ("c", "d")


def test_a_source_can_be_shown_without_its_secrets() -> None:
    source = rtsp(url="rtsp://coach:hunter2@h/s?token=hunter2")
    for shown in (repr(source), str(source), f"{source}", source.safe_url):
        assert "hunter2" not in shown
    assert "rtsp://h/s" in repr(source)


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://coach:hunter2@h/"},
        {"url": "rtsp://coach:hunter2@/"},
        {"url": "rtsp://coach:hunter2@h:99999/"},
        {"url": "rtsp://[coach:hunter2@h/"},
        {"url": "rtsp://coach:hunter2@h/", "latency_ms": -1},
        {"url": "rtsp://coach:hunter2@h/", "usr": "x"},
        {"url": "rtsp://h/", "password": ["hunter2"]},
        {"url": "rtsp://h/", "pasword": "hunter2"},
        {"url": ["rtsp://coach:hunter2@h/"]},
        {"password": "hunter2"},
    ],
)
def test_no_refusal_quotes_a_password(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refusal:
        SOURCE.validate_python({"kind": "rtsp", **fields})
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(refusal.value.errors())
    assert "hunter2" not in refusal.value.json()


def test_a_camera_that_cannot_be_reached_is_an_error_where_all_are_required() -> None:
    away = rtsp(url="rtsp://127.0.0.1:1/x")
    needed, spare = (away.finding(4, required=required) for required in (True, False))
    assert (needed.what, needed.state, spare.state) == ("camera 4", "missing", "warn")
    assert "127.0.0.1 port 1 does not answer" in needed.message


def test_a_network_camera_is_signed_in_to() -> None:
    with camera_in_thread(user="coach", password="s3cret", path="cam") as camera:
        root = camera.url.removeprefix("rtsp://").removesuffix("/cam")
        urls = (
            f"rtsp://coach:s3cret@{root}/cam",
            f"rtsp://coach:wrong-one@{root}/cam",
            f"rtsp://coach:s3cret@{root}/elsewhere",
            f"rtsp://{root}/cam",
        )
        found = [rtsp(url=url).finding(at, required=True) for at, url in enumerate(urls)]

    assert [each.state for each in found] == ["ok", "missing", "missing", "missing"], found
    assert re.search(r"h\.?264 320x180", found[0].message, re.IGNORECASE)
    assert "capture.cameras.1.user" in str(found[1].mend)
    assert "capture.cameras.2.url" in str(found[2].mend)
    assert "s3cret" not in str(found)
    assert "wrong-one" not in str(found)


def test_a_camera_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DESCRIBE_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = rtsp(url=f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x")
        found = source.finding(0, required=True)

    assert found.state == "missing"
    assert "no RTSP description within 0.5 s" in found.message
