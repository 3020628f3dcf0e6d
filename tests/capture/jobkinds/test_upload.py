from __future__ import annotations

from pathlib import Path

import pytest

from support.jobcontext import MATCH_ID, job_context
from touchline.capture.jobkinds.upload import UPLOAD
from touchline.core.errors import Refused

pytestmark = pytest.mark.anyio


async def test_without_a_bucket_nothing_is_uploaded(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"upload\.bucket") as caught:
        await UPLOAD.order(job_context(tmp_path), MATCH_ID, {})
    assert caught.value.code == "no_storage"


async def test_the_order_has_the_storage_and_the_files_of_the_match(tmp_path: Path) -> None:
    keys = {"access_key_id": "a", "secret_access_key": "s3cret"}
    context = job_context(tmp_path, upload={"bucket": "matches", **keys})
    order = await UPLOAD.order(context, MATCH_ID, {})
    assert (order["bucket"], order["secret_access_key"]) == ("matches", "s3cret")
    assert order["files"][:2] == ["cam0_archive.mp4", "cam2_archive.mp4"]
