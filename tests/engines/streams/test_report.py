"""What a report of a stream may say, and which id the stream gets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from touchline.core.errors import Invalid
from touchline.engines.streams.report import LONGEST_ID, StreamReport, address_in, check_report

REPORT = StreamReport(
    container_id=None,
    host="127.0.0.1",
    port=6878,
    key_type="infohash",
    key="k" * 40,
    playback_session_id="session",
    stat_url="http://127.0.0.1:6878/ace/stat/1",
    command_url="http://127.0.0.1:6878/ace/cmd/1",
    is_live=True,
    labels={},
)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (REPORT, f"{'k' * 40}|session"),
        (replace(REPORT, labels={"stream_id": "mine"}), "mine"),
        (replace(REPORT, labels={"stream_id": ""}), f"{'k' * 40}|session"),
    ],
)
def test_the_id_of_a_stream(report: StreamReport, expected: str) -> None:
    assert report.stream_id == expected


def test_an_id_that_would_be_too_long_is_a_hash_of_it() -> None:
    ids = {replace(REPORT, key=letter * LONGEST_ID).stream_id for letter in "abb"}
    assert len(ids) == 2
    assert {len(each) for each in ids} == {64}


@pytest.mark.parametrize("stream_id", ["", "a" * (LONGEST_ID + 1), "a\nb", "\ud800"])
def test_an_id_that_cannot_be_one_is_refused(stream_id: str) -> None:
    with pytest.raises(Invalid):
        check_report(REPORT, stream_id)


@pytest.mark.parametrize("host", ["", "a b", "a/b", "x" * 254])
def test_a_host_that_cannot_be_one_is_refused(host: str) -> None:
    with pytest.raises(Invalid):
        check_report(replace(REPORT, host=host), "id")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://Engine:6878/ace", ("engine", 6878)),
        ("http://engine/", ("engine", 80)),
        ("https://engine/", ("engine", 443)),
        ("http://[::1]:1/", ("::1", 1)),
    ],
)
def test_the_address_of_a_url(url: str, expected: tuple[str, int]) -> None:
    assert address_in("stat_url", url) == expected


@pytest.mark.parametrize(
    "url", ["", "engine", "ftp://engine/", "http://", "http://a:x/", "http://a/\n"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        address_in("stat_url", url)
