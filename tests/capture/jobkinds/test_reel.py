from __future__ import annotations

from pathlib import Path

import pytest

from support.jobcontext import MATCH_ID, job_context
from touchline.capture.jobkinds.reel import REEL, merge_stretches
from touchline.core.errors import Refused

pytestmark = pytest.mark.anyio


def test_stretches_that_touch_become_one() -> None:
    assert merge_stretches([(10, 20), (0, 5), (18, 30), (5, 6)]) == [(0, 6), (10, 30)]
    assert merge_stretches([(0, 30), (10, 20)]) == [(0, 30)]


async def test_a_reel_shows_what_is_around_the_markers_of_these_kinds(tmp_path: Path) -> None:
    context = job_context(tmp_path)
    with pytest.raises(Refused, match="no markers"):
        await REEL.order(context, MATCH_ID, REEL.params)
    for at_s, kind in ((20.0, "goal"), (60.0, "corner"), (24.0, "goal")):
        await context.markers.add(MATCH_ID, at_s=at_s, seconds_ago=0.0, kind=kind)
    order = await REEL.order(context, MATCH_ID, {**REEL.params, "kinds": ["goal"]})
    ((start_ns, end_ns),) = order["stretches"]
    assert (end_ns - start_ns) / 1e9 == 8.0 + 4.0 + 4.0
    assert order["camera"] == "cam0"
    assert len((await REEL.order(context, MATCH_ID, REEL.params))["stretches"]) == 2
