"""What delays starts is stored for the next server, part by part."""

from __future__ import annotations

from typing import Any, cast

import pytest

from support.fakeengines import Disk, MemoryEvents, MemoryStore
from touchline.engines.fleet.failures import BREAKERS, FailureRecord
from touchline.engines.fleet.store import Store


def record_on(disk: Disk, made_of: str) -> tuple[FailureRecord, list[Any]]:
    store = MemoryStore(disk, cast("Any", MemoryEvents()))
    record, restored = FailureRecord(cast("Store", store), lambda: made_of), list[Any]()
    record.add("general", write=lambda: {"failures": 3}, restore=restored.append)
    return record, restored


@pytest.mark.parametrize(("made_of", "expected"), [("docker a:1", [{"failures": 3}]), ("b:2", [])])
def test_what_was_stored_is_restored_unless_starts_depend_on_something_else(
    made_of: str, expected: list[Any]
) -> None:
    disk = Disk()
    record, _ = record_on(disk, "docker a:1")
    record.save()
    assert disk.state[BREAKERS] == {"general": {"failures": 3}, "made_of": "docker a:1"}
    later, restored = record_on(disk, made_of)
    later.restore(disk.state[BREAKERS])
    assert restored == expected


def test_a_part_that_was_not_stored_is_left_alone() -> None:
    record, restored = record_on(Disk(), "docker a:1")
    record.restore({"rounds": []})
    assert restored == []
