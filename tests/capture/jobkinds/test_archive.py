from __future__ import annotations

from pathlib import Path

import pytest

from support.jobcontext import MATCH_ID, job_context
from touchline.capture.jobkinds.archive import ARCHIVE
from touchline.core.errors import NotFound

pytestmark = pytest.mark.anyio


async def test_the_order_names_the_cameras_of_the_match_and_the_profile(tmp_path: Path) -> None:
    context = job_context(tmp_path, archive={"profile": "compact", "crf": 30})
    order = await ARCHIVE.order(context, MATCH_ID, {})
    assert order["cameras"] == ["cam0", "cam2"]
    assert (order["profile"], order["crf"]) == ("compact", 30)


async def test_an_unknown_match_has_no_order(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await ARCHIVE.order(job_context(tmp_path), "nobody", {})


def test_room_is_kept_for_a_file_as_large_as_the_match() -> None:
    assert ARCHIVE.is_large
