"""What was uploaded, as the earlier dashboard asks for it, with URLs that last an hour."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from support.segmentfiles import write_segment
from touchline.capture.jobkinds.settings import UploadSettings
from touchline.capture.library.library import Library
from touchline.capture.processing.cloud import VALID_S, Cloud
from touchline.core.errors import Blocked, NotFound

pytestmark = pytest.mark.anyio

CONFIGURED = UploadSettings(
    endpoint_url="https://account.r2.example",
    bucket="matches",
    access_key_id="a-key",
    secret_access_key=SecretStr("a-secret"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "recordings"
    for match in ("m1", "m2", "m3"):
        write_segment(made / match / "segments" / "cam0_20260211_220241_00.mp4")
    return made


def uploaded(root: Path, match: str, files: dict[str, Any], *, at_s: int = 0) -> None:
    path = root / match / "upload.json"
    path.write_text(json.dumps({"files": files}))
    if at_s:
        os.utime(path, (at_s, at_s))


def cloud(root: Path, settings: UploadSettings = CONFIGURED) -> Cloud:
    return Cloud(settings, Library(root, is_running=lambda _: False))


def file(key: str, state: str = "uploaded", **facts: Any) -> dict[str, Any]:
    return {"state": state, "key": key, "size_bytes": 3 << 20, **facts}


async def test_matches_are_listed_by_their_newest_upload_with_urls_that_expire(root: Path) -> None:
    one = {"cam0_archive.mp4": file("m1/cam0_archive.mp4"), "x": file("m1/x", "uploading")}
    uploaded(root, "m1", one, at_s=1000)
    uploaded(root, "m2", {"panorama_archive.mp4": file("m2/panorama_archive.mp4")}, at_s=2000)
    told = await cloud(root).all()
    assert told["success"]
    assert [match["match_id"] for match in told["matches"]] == ["m2", "m1"]
    (shown,) = told["matches"][1]["files"]
    assert (shown["name"], shown["key"]) == ("cam0_archive.mp4", "m1/cam0_archive.mp4")
    assert (shown["size_mb"], told["matches"][1]["total_size_mb"]) == (3.0, 3.0)
    query = parse_qs(urlsplit(shown["url"]).query)
    assert query["X-Amz-Expires"] == [str(VALID_S)] == ["3600"]
    assert "a-secret" not in json.dumps(told)


async def test_a_match_has_its_own_list_which_may_be_empty(root: Path) -> None:
    uploaded(root, "m1", {"cam0_archive.mp4": file("m1/cam0_archive.mp4")})
    made = cloud(root)
    assert [f["name"] for f in (await made.of_match("m1"))["files"]] == ["cam0_archive.mp4"]
    assert (await made.of_match("m3"))["files"] == []
    for unknown in ("m9", "..", "m1/segments", ""):
        with pytest.raises(NotFound):
            await made.of_match(unknown)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"files": 7}',
        b'{"files": {"a": 7, "b": {"state": "uploaded"}}}',
        b'{"files": {"a": {"state": "uploaded", "key": "\\ud800", "size_bytes": 1}}}',
        b'{"files": {"a": {"state": "uploaded", "key": "k", "size_bytes": -1}}}',
        b"[" * 100_000,
    ],
)
async def test_a_record_that_cannot_be_read_is_no_upload(root: Path, content: bytes) -> None:
    (root / "m1" / "upload.json").write_bytes(content)
    made = cloud(root)
    assert (await made.of_match("m1"))["files"] == []
    assert (await made.all())["matches"] == []


async def test_files_in_another_bucket_are_left_out(root: Path) -> None:
    files = {"a": file("m1/a", bucket="matches"), "b": file("m1/b", bucket="earlier")}
    uploaded(root, "m1", files)
    assert [f["name"] for f in (await cloud(root).of_match("m1"))["files"]] == ["a"]


async def test_without_a_storage_it_is_said_that_none_is_configured(root: Path) -> None:
    made = cloud(root, UploadSettings())
    for asking in (made.all(), made.of_match("m1")):
        with pytest.raises(Blocked, match="No storage is configured") as blocked:
            await asking
        assert blocked.value.code == "no_storage"
        assert not blocked.value.can_retry
