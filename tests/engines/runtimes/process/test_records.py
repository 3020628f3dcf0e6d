"""Records on the disk, and what is made of those that cannot be right."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from touchline.engines.model.model import PortMapping
from touchline.engines.runtimes.process.kernel.procfs import Identity
from touchline.engines.runtimes.process.records import ProcessRecord, Records

ID = "5e4777288cde" * 5 + "beef"
RECORD = ProcessRecord(
    id=ID,
    name="one",
    image="any",
    command=("/bin/sleep", "é\n"),
    created_at=datetime(2026, 11, 26, 12, tzinfo=UTC),
    bind_address="127.0.0.1",
    env={"A": "b=c"},
    labels={"a": ""},
    ports=(PortMapping(8000, 19000), PortMapping(8001, None, "udp")),
    memory_limit_bytes=64 << 20,
    restarts=True,
    process=Identity(4711, 12, "boot"),
    started_at=datetime(2026, 11, 26, 12, tzinfo=UTC),
)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    made = Records(tmp_path)
    made.open()
    return made


def read(records: Records, *alive: str) -> list[ProcessRecord]:
    return list(records.read_all(is_alive=lambda each: each in alive))


def test_a_record_comes_back_as_it_was(records: Records) -> None:
    records.create(RECORD)
    assert read(records) == [RECORD]


def test_a_record_that_was_removed_is_not_made_anew(records: Records, tmp_path: Path) -> None:
    records.create(RECORD)
    records.remove(ID)
    records.remove(ID)
    with pytest.raises(FileNotFoundError):
        records.write(RECORD)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../etc"},
        {"id": "0" * 64},
        {"labels": {"a": 1}},
        {"ports": [{"container_port": "x"}]},
        {"process": {"pid": 1}},
        {"created_at": "yesterday"},
        {"command": "rm -rf"},
    ],
    ids=str,
)
def test_a_record_that_cannot_be_right_is_cleared_away_unless_its_process_runs(
    records: Records, tmp_path: Path, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    records.create(RECORD)
    file = tmp_path / ID / "record.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    assert read(records, ID) == []
    assert file.exists()
    assert "A running process belongs to" in caplog.text
    assert read(records) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", None])
def test_a_record_that_is_half_written_or_missing_is_cleared_away(
    records: Records, tmp_path: Path, content: bytes | None
) -> None:
    home = tmp_path / ID
    home.mkdir()
    (home / "engine.log").write_text("x")
    if content is not None:
        (home / "record.json").write_bytes(content)
    (tmp_path / "a file of somebody's").write_text("x")
    assert read(records) == []
    assert [each.name for each in tmp_path.iterdir()] == ["a file of somebody's"]


def test_what_a_later_version_added_is_no_fault(records: Records, tmp_path: Path) -> None:
    records.create(RECORD)
    file = tmp_path / ID / "record.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "later": [1]}))
    assert read(records) == [RECORD]


def test_the_last_lines_are_the_end_of_the_log(records: Records, tmp_path: Path) -> None:
    records.create(RECORD)
    assert records.last_lines(ID) == ""
    (tmp_path / ID / "engine.log").write_bytes(b"x" * 100_000 + b"\n\x1b[31mthe reason \xff\n")
    words = records.last_lines(ID)
    assert words.endswith("\n\\x1b[31mthe reason \\xff")
    assert len(words) < 3000


def test_an_instance_shows_ports_that_lead_somewhere_and_the_rest_in_full_only() -> None:
    brief = RECORD.instance("running")
    assert {name: bound[0].host_port for name, bound in brief.ports.items()} == {"8000/tcp": 19000}
    assert (dict(brief.env), brief.started_at, brief.exit_code) == ({}, None, None)
    full = RECORD.instance("running", in_full=True)
    assert (dict(full.env), full.started_at) == ({"A": "b=c"}, RECORD.started_at)
