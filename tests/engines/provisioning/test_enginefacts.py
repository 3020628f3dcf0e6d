"""Which engine a new stream gets, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from support.facts import engine_facts as engine
from touchline.engines.provisioning.enginefacts import EngineFacts, select


def engines(*names: str, **changes: Any) -> tuple[EngineFacts, ...]:
    return tuple(engine(name, **changes) for name in names)


@pytest.mark.parametrize(
    ("fleet", "expected"),
    [
        ((), None),
        (engines("a", "b"), "a"),
        ((engine("a", idle_since_s=9.0), engine("b", idle_since_s=3.0)), "b"),
        ((engine("a"), engine("b", forwarded=True, idle_since_s=5.0)), "b"),
        ((engine("a", streams=1), engine("b")), "b"),
        (engines("a", streams=1), None),
        (engines("a", leased=True), None),
        (engines("a", health="unknown"), None),
        (engines("a", draining="outdated"), None),
        (engines("a", vpn="v1"), None),
        (engines("a", joined=False), None),
    ],
)
def test_which_engine_a_new_stream_gets(
    fleet: tuple[EngineFacts, ...], expected: str | None
) -> None:
    assert select(fleet, unusable_vpns={"v1"}, most=1) == expected
