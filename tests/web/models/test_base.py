from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from touchline.foreign.numbers import LARGEST
from touchline.web.models.base import (
    CameraNumber,
    Flag,
    Moment,
    Number,
    Port,
    SchemaKeywords,
    Truth,
    mapping,
)

PORT: TypeAdapter[int] = TypeAdapter(Port)
NUMBER: TypeAdapter[float] = TypeAdapter(Number)
MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
FLAG: TypeAdapter[int | bool] = TypeAdapter(Flag)
TRUTH: TypeAdapter[bool] = TypeAdapter(Truth)
CAMERA: TypeAdapter[int] = TypeAdapter(CameraNumber)
NOON = datetime(2026, 2, 11, 12, tzinfo=UTC)


def refused(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("value", [6878, "6878", "06878", 6878.0])
def test_a_port_may_be_its_digits(value: object) -> None:
    assert PORT.validate_python(value) == 6878


@pytest.mark.parametrize("value", [0, 65536, "0", "65536", "x", True, 1.5, None, "1e3", "٣"])
def test_what_is_no_port_is_refused(value: object) -> None:
    assert refused(PORT, value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", True, None])
def test_a_number_is_finite_and_nothing_else(value: object) -> None:
    assert refused(NUMBER, value)
    assert NUMBER.validate_python(1) == 1.0


def test_whole_numbers_may_be_written_with_a_point_up_to_a_limit() -> None:
    assert CAMERA.validate_python(2.0) == 2
    assert refused(CAMERA, 2.5)
    assert refused(CAMERA, float(LARGEST) * 4)
    assert refused(CAMERA, True)


@pytest.mark.parametrize(("value", "flag"), [(1, 1), (0, 0), ("7", 7), (True, True), (2.0, 2)])
def test_a_flag_is_a_number_its_digits_or_a_truth_value(value: object, flag: object) -> None:
    found = FLAG.validate_python(value)
    assert (found, type(found)) == (flag, type(flag))


@pytest.mark.parametrize(("value", "truth"), [("Yes", True), ("off", False), (1, True), (0, False)])
def test_words_for_true_and_false_are_understood(value: object, *, truth: bool) -> None:
    assert TRUTH.validate_python(value) is truth
    assert refused(TRUTH, "perhaps")


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-11T12:00:00Z",
        "2026-02-11T13:00:00+01:00",
        "2026-02-11T12:00:00",
        "1770811200",
        1_770_811_200,
        1_770_811_200_000,
        "1770811200000",
    ],
)
def test_a_time_is_understood_in_each_of_its_forms(value: object) -> None:
    assert MOMENT.validate_python(value) == NOON


@pytest.mark.parametrize("value", ["1e9", "+5", "1.5.5", "yesterday", ""])
def test_other_notations_are_no_times(value: str) -> None:
    assert refused(MOMENT, value)


@pytest.mark.parametrize(
    ("value", "year"), [("0001-01-01T00:00:00+14:00", 1), ("9999-12-31T23:59:59-14:00", 9999)]
)
def test_a_time_at_the_edge_of_the_calendar_stays_in_it(value: str, year: int) -> None:
    found = MOMENT.validate_python(value)
    assert (found.year, found.tzinfo) == (year, UTC)


def test_what_the_core_checks_is_only_described() -> None:
    adapter: TypeAdapter[str] = TypeAdapter(Annotated[str, SchemaKeywords({"maxLength": 3})])
    assert adapter.validate_python("long") == "long"
    assert adapter.json_schema() == {"type": "string", "maxLength": 3}
    described = mapping({"maxLength": 8}, {"type": "string"}, most=4)
    names: TypeAdapter[dict[str, str]] = TypeAdapter(Annotated[dict[str, str], described])
    schema = names.json_schema()
    assert (schema["propertyNames"]["maxLength"], schema["maxProperties"]) == (8, 4)
