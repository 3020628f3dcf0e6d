from __future__ import annotations

import pytest

from touchline.worker.rtsp.address import (
    control_uris,
    parse_address,
    redirect_target,
    usable_base,
)
from touchline.worker.rtsp.errors import RtspError


@pytest.mark.parametrize(
    ("url", "host", "port", "uri"),
    [
        ("rtsp://cam/a?b=c#d", "cam", 554, "rtsp://cam/a?b=c"),
        ("RTSPS://cam/a", "cam", 322, "rtsps://cam/a"),
        ("rtsp://u:p@cam:8554/", "cam", 8554, "rtsp://cam:8554/"),
        ("rtsp://[fe80::1]:9/x", "fe80::1", 9, "rtsp://[fe80::1]:9/x"),
        ("rtsp://cam", "cam", 554, "rtsp://cam/"),
        ("rtsp://cam/fläche%20x", "cam", 554, "rtsp://cam/fl%C3%A4che%20x"),
    ],
)
def test_an_address_is_what_is_asked_for_without_credentials(
    url: str, host: str, port: int, uri: str
) -> None:
    address = parse_address(url)
    assert (address.host, address.port, address.uri) == (host, port, uri)


@pytest.mark.parametrize(
    "url",
    ["", "http://cam/", "rtsp:///x", "rtsp://cam:99999/", "rtsp://[::1/", "rtsp://c/\r\nX: y",
     "rtsp://c/" + "x" * 5000],
)  # fmt: skip
def test_what_is_no_rtsp_url_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(RtspError, match="not an RTSP URL"):
        parse_address(url)


@pytest.mark.parametrize(
    ("base", "control", "first"),
    [
        ("rtsp://h/s", "trackID=1", "rtsp://h/s/trackID=1"),
        ("rtsp://h/s/", "trackID=1", "rtsp://h/s/trackID=1"),
        ("rtsp://h/s?x=1&y=0", "trackID=1", "rtsp://h/s?x=1&y=0/trackID=1"),
        ("rtsp://h/s", "rtsp://10.0.0.9/s/track1", "rtsp://10.0.0.9/s/track1"),
        ("rtsp://h/s", "rtsp://u:p@h/s/track1", "rtsp://h/s/track1"),
        ("rtsp://h/s", "/abs/track", "rtsp://h/abs/track"),
        ("rtsp://h/s", None, "rtsp://h/s"),
        ("rtsp://h/s", "*", "rtsp://h/s"),
        ("rtsp://h/s", "a b\r\nX: y", "rtsp://h/s/a%20b%0D%0AX:%20y"),
    ],
)
def test_control_urls_are_read_as_cameras_mean_them(
    base: str, control: str | None, first: str
) -> None:
    assert control_uris(base, control)[0].replace("%0D%0A", "") == first.replace("%0D%0A", "")
    assert not any(c in uri for uri in control_uris(base, control) for c in "\r\n ")


def test_other_meanings_come_after_the_likeliest() -> None:
    assert control_uris("rtsp://h/s?q", "track") == (
        "rtsp://h/s?q/track",
        "rtsp://h/s/track?q",
        "rtsp://h/track",
    )


def test_a_redirect_may_name_a_path_only() -> None:
    here = parse_address("rtsps://cam:5/old")
    assert redirect_target(here, "/new").uri == "rtsps://cam:5/new"
    assert redirect_target(here, "rtsp://other/x").where == "other:554"
    with pytest.raises(RtspError, match="redirects to something"):
        redirect_target(here, "http://other/")


@pytest.mark.parametrize("text", [None, "", "stream/", "http://h/", "rtsp://"])
def test_a_useless_content_base_is_passed_over(text: str | None) -> None:
    assert usable_base(text) is None
