from __future__ import annotations

import pytest

from touchline.foreign import numbers


@pytest.mark.parametrize(
    "text",
    ["", "²", "٣", "1_000", " 1", "1 ", "+1", "-1", "0x1", "1.0", "9" * 20, "9" * 5000],
)
def test_only_ascii_digits_of_a_bounded_number_are_whole(text: str) -> None:
    assert numbers.whole(text) is None


def test_a_number_out_of_range_is_none() -> None:
    assert numbers.whole("65535", most=65535) == 65535
    assert numbers.whole("65536", most=65535) is None
    assert numbers.whole("0", least=1) is None
    assert numbers.whole("9" * 19) is None
    assert numbers.integer("-12") == -12
    assert numbers.integer("+12") == 12
    assert numbers.integer("²") is None


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e999", "1e16", "٣.5", "1_0", ""])
def test_what_is_no_finite_number_in_range_is_no_decimal(text: str) -> None:
    assert numbers.decimal(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1.0), ("-1.5", -1.5), (".5", 0.5), ("1e3", 1000.0), ("2.", 2.0)]
)
def test_decimals_are_read(text: str, value: float) -> None:
    assert numbers.decimal(text) == value
