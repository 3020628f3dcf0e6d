"""Details of a match: bounded text and a date, in a file that is replaced whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from touchline.capture.library.manifest import detailsfile
from touchline.capture.library.manifest.detailsfile import Details
from touchline.core.errors import Failed, Refused

DERBY = Details(home="SV Süd", away="FC Nord", date="2026-11-29", note="Rain\nAway kit")


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert detailsfile.load(tmp_path) is None
    detailsfile.save(tmp_path, DERBY)
    assert detailsfile.load(tmp_path) == DERBY
    assert DERBY.to_json() == {
        "home": "SV Süd",
        "away": "FC Nord",
        "competition": None,
        "venue": None,
        "date": "2026-11-29",
        "note": "Rain\nAway kit",
    }


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("  SV \t Süd\n", "SV Süd"),
        ("SV\x00Süd\x1b[31m", "SV Süd [31m"),
        ("\u202eevil", "evil"),
        ("", None),
        (" \u200b ", None),
        (None, None),
    ],
)
def test_a_name_is_one_printable_line_or_nothing(given: str | None, stored: str | None) -> None:
    assert Details(home=given).home == stored


def test_a_note_keeps_its_lines() -> None:
    assert Details(note="\n one \r\ntwo\x07\n\n three ").note == "one\ntwo\n\nthree"


@pytest.mark.parametrize(
    "given", ["2026-11-29", "2026-11-29T15:00:00Z", "2026-11-29t15:00z", "2028-02-29 15:00+01:00"]
)
def test_a_date_is_kept_as_it_was_written(given: str) -> None:
    assert Details(date=given).date == given


@pytest.mark.parametrize(
    "given",
    [
        *("", "29.11.2026", "2026-02-30", "2026-11-29T25:00", "20261129", "2026-W48-7"),
        *("tomorrow", "2026-11-29T15:00:00.1234567Z", "٢٠٢٦-11-29", "2026-11-29T15:00:00+99:99"),
    ],
)
def test_what_is_no_date_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="must be a date"):
        Details(date=given)


@pytest.mark.parametrize(
    ("name", "most"), [("home", 120), ("away", 120), ("competition", 120), ("venue", 120)]
)
def test_text_is_bounded(name: str, most: int) -> None:
    assert Details.model_validate({name: "x" * most}).to_json()
    with pytest.raises(ValidationError):
        Details.model_validate({name: "x" * (most + 1)})
    with pytest.raises(ValidationError):
        Details(note="x" * 2001)


def test_on_a_full_disk_the_earlier_details_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detailsfile.save(tmp_path, DERBY)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="space"):
            detailsfile.save(tmp_path, Details(home="Others"))
    assert detailsfile.load(tmp_path) == DERBY
    assert [path.name for path in tmp_path.iterdir()] == [detailsfile.FILE_NAME]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"details": {"home": 1}}', b"\xff"])
def test_a_damaged_file_is_an_error_until_it_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / detailsfile.FILE_NAME).write_bytes(content)
    with pytest.raises(Failed, match="Save the details again"):
        detailsfile.load(tmp_path)
    detailsfile.save(tmp_path, DERBY)
    assert detailsfile.load(tmp_path) == DERBY


def test_a_newer_file_is_neither_misread_nor_replaced(tmp_path: Path) -> None:
    newer = b'{"format_version": 2, "details": {"home": ["SV", "S\\u00fcd"]}}'
    path = tmp_path / detailsfile.FILE_NAME
    path.write_bytes(newer)
    with pytest.raises(Refused, match="format version 2"):
        detailsfile.load(tmp_path)
    with pytest.raises(Refused, match="format version 2"):
        detailsfile.save(tmp_path, DERBY)
    assert path.read_bytes() == newer


def test_a_link_or_a_giant_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text('{"details": {"home": "Secret"}}')
    folder = tmp_path / "m1"
    folder.mkdir()
    (folder / detailsfile.FILE_NAME).symlink_to(tmp_path / "elsewhere")
    assert detailsfile.load(folder) is None
    (folder / detailsfile.FILE_NAME).unlink()
    (folder / detailsfile.FILE_NAME).write_bytes(b" " * (detailsfile.MOST_BYTES + 1))
    with pytest.raises(OSError, match="larger"):
        detailsfile.load(folder)
