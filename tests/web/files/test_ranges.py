from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.web.files.ranges import MAX_RANGES, ByteRange, Unsatisfiable, Validators, parse_range


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        ("bytes=0-3", (ByteRange(0, 4),)),
        ("bytes=4-", (ByteRange(4, 10),)),
        ("bytes=-3", (ByteRange(7, 10),)),
        ("bytes=-99", (ByteRange(0, 10),)),
        ("bytes=8-99", (ByteRange(8, 10),)),
        ("BYTES = 0-0", (ByteRange(0, 1),)),
        ("bytes=0-0,-1", (ByteRange(0, 1), ByteRange(9, 10))),
        ("bytes=8-9, 0-1", (ByteRange(8, 10), ByteRange(0, 2))),
        ("bytes=0-1,50-60", (ByteRange(0, 2),)),
        ("bytes=0-5,3-8", (ByteRange(0, 9),)),
        ("bytes=6-9,0-3,2-4", (ByteRange(0, 5), ByteRange(6, 10))),
    ],
)
def test_the_bytes_that_are_asked_for(header: str, spans: tuple[ByteRange, ...]) -> None:
    assert parse_range(header, 10) == spans


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=a-b",
        "bytes=1",
        "bytes=--1",
        "bytes=0-1,x",
        "bytes=٣-٤",
        f"bytes={'9' * 5000}-",
        "lines=0-1",
        "bytes=" + ",".join(["0-0"] * (MAX_RANGES + 1)),
    ],
)
def test_what_is_no_valid_byte_range_means_the_whole_file(header: str | None) -> None:
    assert parse_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0", "bytes=10-,20-"])
def test_a_range_without_any_byte_of_the_file_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, 10)


@given(
    header=st.text("0123456789-, ", max_size=40).map("bytes={}".format),
    size_bytes=st.integers(0, 50),
)
def test_spans_are_inside_the_file_and_never_ask_for_a_byte_twice(
    header: str, size_bytes: int
) -> None:
    try:
        spans = parse_range(header, size_bytes)
    except Unsatisfiable:
        return
    asked = [byte for span in spans or () for byte in range(span.start, span.end)]
    assert len(asked) == len(set(asked))
    assert all(0 <= byte < size_bytes for byte in asked)


@pytest.fixture
def validators(tmp_path: Path) -> Validators:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    os.utime(file, (1_770_836_561.5, 1_770_836_561.5))
    return Validators.of(file.stat())


def test_a_copy_with_the_same_tag_is_unchanged(validators: Validators) -> None:
    for header in (validators.etag, f"W/{validators.etag}", f'"other", {validators.etag}', "*"):
        assert validators.unchanged(header, None)
    assert not validators.unchanged('"other"', None)


def test_the_tag_decides_where_both_conditions_are_given(validators: Validators) -> None:
    assert not validators.unchanged('"other"', validators.last_modified)


def test_a_copy_from_the_second_of_the_last_change_is_unchanged(validators: Validators) -> None:
    assert validators.unchanged(None, validators.last_modified)
    assert not validators.unchanged(None, "Wed, 11 Feb 2026 00:00:00 GMT")
    assert not validators.unchanged(None, "no date")


def test_parts_join_only_to_the_same_state_of_the_file(validators: Validators) -> None:
    assert validators.same_as(None)
    assert validators.same_as(validators.etag)
    assert validators.same_as(validators.last_modified)
    assert not validators.same_as(f"W/{validators.etag}")
    assert not validators.same_as('"other"')


def test_a_file_that_grows_gets_another_tag(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    before = Validators.of(file.stat())
    os.utime(file, ns=(0, file.stat().st_mtime_ns))
    with file.open("ab") as appended:
        appended.write(b"y")
    assert Validators.of(file.stat()).etag != before.etag
