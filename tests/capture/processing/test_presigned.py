from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.config import Config  # type: ignore[import-untyped]

from touchline.capture.processing.presigned import BucketAccess, presign_url


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://account.r2.example", "auto"),
        ("http://127.0.0.1:9000", "eu-central-1"),
        ("https://storage.example:443", "us-east-1"),
    ],
)
@pytest.mark.parametrize("key", ["m1/cam0_archive.mp4", "a b/ä+%~=&?.mp4"])
def test_signatures_are_those_of_amazons_own_client(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, region: str, key: str
) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="a-key",
        aws_secret_access_key="a-secret",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    where = {"Bucket": "matches", "Key": key}
    theirs = client.generate_presigned_url("get_object", Params=where, ExpiresIn=3600)
    query = parse_qs(urlsplit(theirs).query)
    now = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    storage = BucketAccess("matches", "a-key", "a-secret", endpoint, region)
    ours = presign_url(storage, key, now=now, valid_s=3600)
    assert parse_qs(urlsplit(ours).query) == query
    assert urlsplit(ours).path == urlsplit(theirs).path


def test_a_url_is_valid_for_a_week_at_the_most() -> None:
    storage = BucketAccess("b", "k", "s")
    with pytest.raises(ValueError, match="604800"):
        presign_url(storage, "x", now=datetime.now(UTC), valid_s=604_801)
