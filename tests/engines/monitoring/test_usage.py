"""What engines take of the machine, as the API says it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from touchline.engines.model.model import Usage
from touchline.engines.monitoring.usage import usage_json

MACHINE_BYTES = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, MACHINE_BYTES), (0, MACHINE_BYTES), (512 << 20, 512 << 20)],
)
def test_an_engine_without_a_limit_shows_the_machines_memory(
    limit: int | None, expected: int
) -> None:
    shown = usage_json("a", Usage(1.0, 64 << 20, limit, None, None, None, None))
    assert shown["memory_limit"] == expected
    assert shown["memory_percent"] == round(100 * (64 << 20) / expected, 2)


def test_the_machines_memory_is_what_the_kernel_says() -> None:
    told = next(
        int(line.split()[1])
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemTotal:")
    )
    shown = usage_json("a", Usage(1.0, 0, None, None, None, None, None))
    assert shown["memory_limit"] == told * 1024
