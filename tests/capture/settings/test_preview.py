from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from touchline.capture.settings.preview import PreviewSettings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [{"urls": ["stun:stun.l.google.com:19302"]}]),
        ({"stun_server": ""}, []),
        ({"stun_server": "stun://stun.example:3478"}, [{"urls": ["stun:stun.example:3478"]}]),
        ({"stun_server": "stuns:[2001:db8::1]:5349"}, [{"urls": ["stuns:[2001:db8::1]:5349"]}]),
        (
            {"stun_server": "", "turn_server": "turn://u:p%40ss@turn.example:3478?transport=udp"},
            [
                {
                    "urls": ["turn:turn.example:3478?transport=udp"],
                    "username": "u",
                    "credential": "p@ss",
                }
            ],
        ),
        (
            {"stun_server": "", "turn_server": "turn:open.org"},
            [{"urls": ["turn:open.org"]}],
        ),
    ],
)
def test_ice_servers_have_the_form_that_browsers_take(
    given: dict[str, Any], expected: list[dict[str, Any]]
) -> None:
    assert PreviewSettings(**given).ice_servers(with_credentials=True) == expected


def test_a_turn_server_with_a_password_is_not_shown_to_everybody() -> None:
    settings = PreviewSettings(stun_server=None, turn_server="turn:u:secret@turn.example:3478")
    assert settings.ice_servers(with_credentials=False) == []
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    "given",
    [
        {"stun_server": "stun.example:3478"},
        {"stun_server": "http://stun.example"},
        {"stun_server": "stun:"},
        {"stun_server": "stun:host:port"},
        {"stun_server": "stun://host/path"},
        {"turn_server": "stun:host"},
        {"hls_part_s": 0},
        {"hls_dir": "hls"},
        {"transport_mode": "carrier pigeon"},
        {"rtsp": True, "rtsp_host": "0.0.0.0"},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_right_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PreviewSettings(**given)


def test_rtsp_off_loopback_needs_a_password() -> None:
    settings = PreviewSettings(rtsp=True, rtsp_host="0.0.0.0", rtsp_password="goal")
    assert settings.rtsp_port == 8554
    assert PreviewSettings(rtsp=True, rtsp_host="::1").rtsp
