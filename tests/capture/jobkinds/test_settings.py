from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from touchline.capture.jobkinds.settings import ArchiveSettings, UploadSettings

GOOD: dict[str, Any] = {
    "endpoint_url": "https://storage.example",
    "bucket": "matches",
    "access_key_id": "a",
    "secret_access_key": "s3cret",
}


def test_the_archives_settings_are_what_the_studio_is_told() -> None:
    spec = ArchiveSettings(profile="compact", height=720, crf=30, preset="slow").to_spec()
    assert spec == {"profile": "compact", "height": 720, "crf": 30, "preset": "slow"}
    assert ArchiveSettings().to_spec()["profile"] == "copy"


def test_the_specification_names_files_and_place() -> None:
    spec = UploadSettings(**GOOD, files=("panorama", "reel")).to_spec("derby", ["cam0"])
    assert spec["files"] == ["panorama_archive.mp4", "reel.mp4"]
    assert (spec["prefix"], spec["secret_access_key"]) == ("derby/", "s3cret")
    assert "s3cret" not in repr(UploadSettings(**GOOD))


def test_every_camera_of_the_match_is_uploaded_unless_files_are_named() -> None:
    spec = UploadSettings(**GOOD).to_spec("derby", ["cam0", "cam2", "cam11"])
    assert spec["files"] == [
        *("cam0_archive.mp4", "cam2_archive.mp4", "cam11_archive.mp4"),
        *("panorama_archive.mp4", "follow_archive.mp4"),
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"endpoint_url": "http://storage.example"}, "allow_http"),
        ({"endpoint_url": "ftp://storage.example"}, "https"),
        ({"endpoint_url": "https://me@storage.example"}, "without a user"),
        ({"secret_access_key": None}, "needs access_key_id"),
        ({"bucket": "No Spaces"}, "pattern"),
        ({"prefix": "{user}/"}, "match_id"),
        ({"part_bytes": 100}, "greater"),
        ({"files": ["../secret"]}, "pattern"),
    ],
)
def test_what_cannot_work_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        UploadSettings(**{**GOOD, **changed})
