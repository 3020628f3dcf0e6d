from __future__ import annotations

import pytest

from touchline.engines.settings.memorysize import memory_bytes


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("512m", 512 << 20),
        (" 2G ", 2 << 30),
        ("40000k", 40000 << 10),
        ("33554432", 32 << 20),
        ("33554432b", 32 << 20),
        ("0", None),
        ("0g", None),
        ("", None),
        ("  ", None),
    ],
)
def test_a_limit_is_a_number_with_a_unit(text: str, size_bytes: int | None) -> None:
    assert memory_bytes(text) == size_bytes


@pytest.mark.parametrize("text", ["1.5g", "512 m", "-1", "512mb", "lots", "1e9", "٣g"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 512m"):
        memory_bytes(text)


@pytest.mark.parametrize("text", ["31m", "1", "129g", "999999999999999g"])
def test_a_limit_that_no_engine_can_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="between 32m and 128g"):
        memory_bytes(text)
