from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from touchline.capture.processing.uploadstates import MAX_FILES, UPLOADS, Uploaded, list_uploaded

GOOD: dict[str, Any] = {
    "state": "uploaded",
    "key": "derby/cam0_archive.mp4",
    "size_bytes": 1200,
    "bucket": "matches",
}


def write(folder: Path, files: Any) -> None:
    (folder / UPLOADS).write_text(json.dumps({"files": files}))


def test_files_that_were_uploaded_come_by_name(tmp_path: Path) -> None:
    earlier = {name: value for name, value in GOOD.items() if name != "bucket"}
    write(tmp_path, {"b.mp4": GOOD, "a.mp4": earlier})
    assert list_uploaded(tmp_path) == (
        Uploaded("a.mp4", "derby/cam0_archive.mp4", 1200, None),
        Uploaded("b.mp4", "derby/cam0_archive.mp4", 1200, "matches"),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "sending"},
        {"state": None},
        {"key": ""},
        {"key": None},
        {"key": "k" * 1025},
        {"key": "two\nlines"},
        {"key": "\ud800"},
        {"size_bytes": -1},
        {"size_bytes": "1200"},
        {"size_bytes": 1.5},
        {"size_bytes": True},
    ],
)
def test_a_file_of_which_too_little_is_known_is_left_out(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    write(tmp_path, {"a.mp4": {**GOOD, **wrong}, "b.mp4": GOOD, "c\r.mp4": GOOD, "d.mp4": [1]})
    assert [file.name for file in list_uploaded(tmp_path)] == ["b.mp4"]


def test_a_match_that_was_never_uploaded_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert list_uploaded(tmp_path) == ()
    assert caplog.records == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"files": []}', '{"files": 3}', "[" * 100_000]
)
def test_a_file_that_cannot_be_read_is_none_and_is_logged(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / UPLOADS).write_text(text)
    assert list_uploaded(tmp_path) == ()
    (record,) = caplog.records
    assert tmp_path.name in record.getMessage()


def test_only_so_many_files_are_told_of(tmp_path: Path) -> None:
    write(tmp_path, {f"{number:04d}.mp4": GOOD for number in range(MAX_FILES + 5)})
    assert len(list_uploaded(tmp_path)) == MAX_FILES
