"""Presigned URLs for files of an S3-compatible storage, valid for a limited time.

AWS Signature Version 4 in query parameters ("Authenticating Requests: Using Query Parameters" in
the documentation of Amazon S3). Pure: the storage is not contacted.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

MAX_VALID_S = 7 * 86_400
"""Longest validity in seconds that storages accept."""


@dataclass(frozen=True)
class BucketAccess:
    """Location of the files, and the key for reading them.

    Without an endpoint it is Amazon's own.
    """

    bucket: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    endpoint_url: str | None = None
    region: str = "auto"

    @property
    def own_region(self) -> str:
        """Region used for signing."""
        return "us-east-1" if self.region == "auto" and self.endpoint_url is None else self.region

    @property
    def base(self) -> str:
        """URL of the storage without a path."""
        return self.endpoint_url or f"https://s3.{self.own_region}.amazonaws.com"


def presign_url(storage: BucketAccess, key: str, *, now: datetime, valid_s: int) -> str:
    """Return a public URL of this file.

    It is valid from `now` on for `valid_s` seconds.
    """
    if not 1 <= valid_s <= MAX_VALID_S:
        raise ValueError(f"a URL is valid for 1 s to {MAX_VALID_S} s, not {valid_s} s")
    parts = urlsplit(storage.base)
    path = f"{parts.path.rstrip('/')}/{storage.bucket}/{key}"
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{storage.own_region}/s3/aws4_request"
    query = _query(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{storage.access_key_id}/{scope}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(valid_s),
            "X-Amz-SignedHeaders": "host",
        }
    )
    target = quote(path, safe="/-_.~")
    host = _host(parts.netloc, parts.scheme)
    request = f"GET\n{target}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    secret = f"AWS4{storage.secret_access_key}".encode()
    for word in scope.split("/"):
        secret = hmac.digest(secret, word.encode(), "sha256")
    signed = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.new(secret, signed.encode(), "sha256").hexdigest()
    return f"{parts.scheme}://{parts.netloc}{target}?{query}&X-Amz-Signature={signature}"


def _query(values: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(values.items()))


def _host(netloc: str, scheme: str) -> str:
    """Return the host as a client names it: without the port that its scheme implies."""
    usual = {"http": ":80", "https": ":443"}[scheme]
    return netloc.removesuffix(usual).lower()
