from __future__ import annotations

from pathlib import Path

import pytest

from support.jobcontext import MATCH_ID, job_context
from touchline.capture.jobkinds.kind import JobKind

pytestmark = pytest.mark.anyio


async def test_a_kind_without_an_order_of_its_own_passes_its_parameters_on(tmp_path: Path) -> None:
    context, kind = job_context(tmp_path), JobKind("scoreboard")
    params = {"corner": "left"}
    order = await kind.order(context, MATCH_ID, params)
    assert order == params
    assert order is not params
    assert (dict(kind.params), dict(kind.fixed_params(context)), kind.is_large) == ({}, {}, False)
