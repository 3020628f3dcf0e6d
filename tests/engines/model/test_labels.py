from __future__ import annotations

import pytest

from touchline.engines.model.labels import HTTP_PORT, is_engine, port_of


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("1", 1),
        ("65535", 65535),
        ("0", None),
        ("65536", None),
        ("000080", None),
        ("-1", None),
        (" 80", None),
        ("²", None),
        ("٨٠", None),
        ("", None),
    ],
)
def test_a_label_is_a_port_or_none(text: str, port: int | None) -> None:
    assert port_of({"a": text}, "a") == port


def test_an_engine_is_what_has_a_port_of_one() -> None:
    assert is_engine({HTTP_PORT: "40000"})
    assert not is_engine({HTTP_PORT: "none"})
    assert not is_engine({})
