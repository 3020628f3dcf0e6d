from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import pytest

from support.facts import engine_facts
from touchline.engines.control.observation import Observed, Starting
from touchline.engines.provisioning.enginefacts import EngineFacts, is_free


@pytest.mark.parametrize(
    ("changes", "free"),
    [
        ({}, True),
        ({"health": "unknown"}, True),
        ({"streams": 1}, False),
        ({"leased": True}, False),
        ({"draining": "requested"}, False),
    ],
)
def test_an_engine_is_free_that_nobody_uses_or_has_been_promised(
    changes: dict[str, Any], *, free: bool
) -> None:
    assert is_free(engine_facts("e1", **changes)) is free


@pytest.mark.parametrize("facts", [EngineFacts, Starting, Observed])
def test_no_fact_has_a_default(facts: type[Any]) -> None:
    given = [f.name for f in fields(facts) if (f.default, f.default_factory) != (MISSING, MISSING)]
    assert given == []
