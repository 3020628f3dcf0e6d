from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from touchline.engines.model.listing import Listing, encode_compact, parsed, rfc3339

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Shelf:
    """Values by name, and how often each was asked for."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.asked: list[str] = []
        self.hidden: set[str] = set()
        self.listing = Listing(self._render, self.values.get, is_hidden=self.hidden.__contains__)

    def _render(self, key: str) -> Any:
        self.asked.append(key)
        return {"key": key, "value": self.values[key]}

    def put(self, key: str, value: int, *, moved: bool = False) -> None:
        self.values[key] = value
        self.listing.put(key, moved=moved)

    def shown(self) -> list[str]:
        return [each["key"] for each in json.loads(self.listing.body().content)]


def test_a_read_encodes_what_has_changed_since_the_last_one() -> None:
    shelf = Shelf()
    shelf.put("b", 2)
    shelf.put("a", 1)
    assert shelf.shown() == ["a", "b"]
    shelf.put("b", 3)
    assert shelf.shown() == ["a", "b"]
    assert shelf.asked == ["a", "b", "b"]
    body = shelf.listing.body()
    assert shelf.listing.body() is body, "nothing has changed"
    assert body.version == shelf.listing.version == 3


def test_an_element_takes_its_new_place_where_it_is_said_to_have_moved() -> None:
    shelf = Shelf()
    for number, key in enumerate("abc"):
        shelf.put(key, number)
    assert shelf.shown() == ["a", "b", "c"]
    shelf.put("a", 9, moved=True)
    assert shelf.listing.order() == ["b", "c", "a"]


def test_what_is_hidden_can_be_read_by_itself() -> None:
    shelf = Shelf()
    shelf.put("a", 1)
    shelf.put("b", 2)
    shelf.hidden.add("a")
    assert shelf.shown() == ["b"]
    assert json.loads(shelf.listing.one("a"))["value"] == 1
    assert [each["key"] for each in json.loads(shelf.listing.some("xba"))] == ["b", "a"]


def test_what_is_removed_is_gone_and_removing_it_again_changes_nothing() -> None:
    shelf = Shelf()
    shelf.put("a", 1)
    shelf.listing.remove("a")
    version = shelf.listing.version
    shelf.listing.remove("a")
    assert shelf.listing.version == version
    assert shelf.listing.body().content == b"[]"
    assert "a" not in shelf.listing
    with pytest.raises(KeyError):
        shelf.listing.one("a")


def test_json_is_compact_and_has_no_numbers_that_are_none() -> None:
    assert encode_compact({"a": [1, "ä"]}) == '{"a":[1,"ä"]}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        encode_compact(float("nan"))


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOON, "2026-11-21T12:00:00.000000Z"),
        (NOON.astimezone(timezone(timedelta(hours=5, minutes=45))), "2026-11-21T12:00:00.000000Z"),
        (NOON.replace(microsecond=7), "2026-11-21T12:00:00.000007Z"),
    ],
)
def test_a_time_is_written_in_utc_and_read_again(at: datetime, text: str) -> None:
    assert rfc3339(at) == text
    assert parsed(text) == at


def test_no_time_is_none_and_one_without_a_zone_is_refused() -> None:
    assert (rfc3339(None), parsed(None)) == (None, None)
    with pytest.raises(ValueError, match="time zone"):
        parsed("2026-11-21T12:00:00")
