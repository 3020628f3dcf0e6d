"""The verb `upload`: upload archives to S3-compatible storage, in parts, verified and resumable.

The storage itself is asked which parts of a file it has. `upload.json` in the match's folder stores
the upload's id and the state of each file: `{"files": {name: {"state": …, "key", "size_bytes",
"sent_bytes", "upload_id", "error"}}}` with the states waiting, uploading, uploaded and failed.
`spec` has `folder` and the output of `capture.jobkinds.settings`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    HTTPClientError,
)
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]
from urllib3.exceptions import HTTPError as Urllib3Error

from touchline.foreign.files import is_regular, read_bytes, reading, replace_whole, status_of
from touchline.foreign.numbers import whole
from touchline.foreign.text import shown
from touchline.studio.errors import StudioError
from touchline.studio.verbs import Tell

log = logging.getLogger(__name__)

STATE = "upload.json"
_ATTEMPTS = 6
MOST_ANSWER_BYTES = 4 << 20
"""Ten times the longest response, a list of a thousand parts."""

ANSWER_WITHIN_S = 60.0
SLOWEST_BYTES_PER_S = 16 << 10
"""Minimum upload rate, which extends the time limit of a request with a body."""

MOST_PAGES = 1000
"""An upload has at most ten thousand parts; some storages list a few at a time."""

MOST_ID_CHARS = 2048
_READ_BYTES = 64 << 10
_NONSENSE = (
    ResponseParserError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
)
"""Errors caused by responses that are not a storage's; the last by circular redirects."""

_STORAGE_ERRORS = (ClientError, BotoCoreError, OSError, *_NONSENSE)
_REASONS = {
    "AccessDenied": "The storage refuses the access key",
    "403": "The storage refuses the access key",
    "InvalidAccessKeyId": "The storage does not know the access key",
    "SignatureDoesNotMatch": "The secret key does not match the access key",
    "NoSuchBucket": "The bucket does not exist",
    "404": "The bucket does not exist",
}


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Upload the existing ones of `files`; raises StudioError for the first that fails."""
    folder = Path(spec["folder"])
    found = [folder / name for name in spec["files"] if is_regular(folder / name)]
    if not found:
        raise StudioError(
            "nothing_to_upload",
            "This match has no archive to upload",
            advice="Process the match first.",
        )
    work = _Uploading(spec, folder, _client(spec), tell, stopping)
    work.total = sum(status_of(path).st_size for path in found)
    for path in found:
        work.note(path.name, state=work.state_of(path.name).get("state", "waiting"))
    for path in found:
        try:
            work.upload(path)
        except StudioError as error:
            state = "waiting" if error.code == "stopped" else "failed"
            work.note(path.name, state=state, error=error.message)
            raise
        except _STORAGE_ERRORS as error:
            described = _describe_error(error)
            work.note(path.name, state="failed", error=described.message)
            raise described from error
    return {"files": [path.name for path in found], "bytes": work.total}


class _BoundedReading:
    """Bounded reader of responses instead of botocore's, which reads without limit."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __call__(self, request: Any, **_: Any) -> Any:
        """Send a request and read its response. Raises botocore's HTTPClientError."""
        request.stream_output = True  # the response is read here and not while sending
        response = self._send_request(request)
        until_s = time.monotonic() + ANSWER_WITHIN_S
        parts: list[bytes] = []
        left = MOST_ANSWER_BYTES
        try:
            # One read at a time, so that the time limit also applies to one byte per second.
            while data := response.raw.read1(min(left + 1, _READ_BYTES)):
                left -= len(data)
                if left < 0 or time.monotonic() > until_s:
                    raise HTTPClientError(error="the storage's response is incomplete")
                parts.append(data)
        except (Urllib3Error, OSError) as error:
            raise HTTPClientError(error=error) from error
        finally:
            if left < 0 or time.monotonic() > until_s:
                response.raw.close()
            else:
                response.raw.release_conn()
        response._content = b"".join(parts)  # noqa: SLF001  (what its own reading sets)
        return response

    def _send_request(self, request: Any) -> Any:
        """Send a request, and wait for the header of its response within a total time limit.

        The connection's own timeout applies to each byte that arrives, and a header may have
        millions.
        """
        answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

        def send() -> None:
            try:
                answers.put((self._session.send(request), None))
            except BaseException as error:  # noqa: BLE001  (raised below, where it is waited for)
                answers.put((None, error))

        length = whole(str(request.headers.get("Content-Length") or 0)) or 0
        threading.Thread(target=send, name="storage", daemon=True).start()
        try:
            response, error = answers.get(timeout=ANSWER_WITHIN_S + length / SLOWEST_BYTES_PER_S)
        except queue.Empty:
            raise HTTPClientError(error="the storage sent no response") from None
        if error is not None:
            raise error
        return response


def _client(spec: Mapping[str, Any]) -> Any:
    client = _build_client(spec)
    session = client._endpoint.http_session  # noqa: SLF001  (there is no other way to it)
    client.meta.events.register("before-send.s3", _BoundedReading(session))
    return client


def _build_client(spec: Mapping[str, Any]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=spec["endpoint_url"],
        region_name=None
        if spec["region"] == "auto" and not spec["endpoint_url"]
        else spec["region"],
        aws_access_key_id=spec["access_key_id"],
        aws_secret_access_key=spec["secret_access_key"],
        config=Config(
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            connect_timeout=10,
            read_timeout=60,
            # Not all storages other than Amazon's support the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@dataclass
class _Uploading:
    spec: Mapping[str, Any]
    folder: Path
    client: Any
    tell: Tell
    stopping: threading.Event
    total: int = 0
    done: int = 0
    state: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            self.state = json.loads(read_bytes(self.folder / STATE))["files"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            self.state = {}

    def state_of(self, name: str) -> dict[str, Any]:
        """Return the stored state of a file."""
        found = self.state.get(name)
        return found if isinstance(found, dict) else {}

    def note(self, name: str, **facts: Any) -> None:
        """Store the state of a file."""
        self.state[name] = {**self.state_of(name), **facts}
        replace_whole(self.folder / STATE, json.dumps({"files": self.state}, indent=1).encode())

    def upload(self, path: Path) -> None:
        """Upload this file completely."""
        status = status_of(path)
        name, key = path.name, f"{self.spec['prefix']}{path.name}"
        stamp = [status.st_size, status.st_mtime_ns]
        known = self.state_of(name)
        if known.get("state") == "uploaded" and known.get("stamp") == stamp:
            self._step(status.st_size)
            return
        where = {"Bucket": self.spec["bucket"], "Key": key}
        upload_id = known.get("upload_id") if known.get("stamp") == stamp else None
        if known.get("upload_id") and upload_id is None:  # the file has changed since
            self._abort_upload(where, known["upload_id"])
        parts = self._parts_there(where, upload_id) if upload_id else None
        if parts is None:
            kind = {"ContentType": "video/mp4"}
            upload_id = str(self.client.create_multipart_upload(**where, **kind)["UploadId"])
            if len(upload_id) > MOST_ID_CHARS:
                raise ValueError("the upload id is too long")
            parts = {}
        self.note(
            name,
            state="uploading",
            key=key,
            bucket=self.spec["bucket"],
            stamp=stamp,
            size_bytes=status.st_size,
            upload_id=upload_id,
            error=None,
        )
        etags, digest = self._send(path, where, str(upload_id), parts)
        self.client.complete_multipart_upload(
            **where,
            UploadId=upload_id,
            MultipartUpload={
                "Parts": [{"PartNumber": n + 1, "ETag": tag} for n, tag in enumerate(etags)]
            },
        )
        self._verify(where, status.st_size, f"{digest}-{len(etags)}")
        self.note(name, state="uploaded", upload_id=None, sent_bytes=status.st_size)
        log.info("%s is uploaded and verified, %d parts", name, len(etags))

    def _parts_there(self, where: Mapping[str, Any], upload_id: str) -> dict[int, str] | None:
        """Return the parts that the storage has; None if it does not know the upload."""
        try:
            pages = self.client.get_paginator("list_parts").paginate(**where, UploadId=upload_id)
            found: dict[int, str] = {}
            for number, page in enumerate(pages):
                if number >= MOST_PAGES:
                    raise ValueError("the list of parts does not end")
                found |= {part["PartNumber"]: part["ETag"] for part in page.get("Parts", ())}
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"NoSuchUpload", "404"}:
                return None
            raise
        return found

    def _send(
        self, path: Path, where: Mapping[str, Any], upload_id: str, parts: Mapping[int, str]
    ) -> tuple[list[str], str]:
        """Send the missing parts; return the parts' tags and the expected digest of the whole."""
        etags: list[str] = []
        digests = hashlib.md5(usedforsecurity=False)
        sent = 0
        with reading(path) as file:
            while data := file.read(int(self.spec["part_bytes"])):
                if self.stopping.is_set():
                    raise StudioError("stopped", "It was stopped and can be resumed")
                number = len(etags) + 1
                digest = hashlib.md5(data, usedforsecurity=False)
                digests.update(digest.digest())
                tag = parts.get(number)
                if tag is None or tag.strip('"') != digest.hexdigest():
                    tag = self._send_part(where, upload_id, number, data)
                etags.append(tag)
                sent += len(data)
                self.note(path.name, sent_bytes=sent)
                self._step(len(data))
        return etags, digests.hexdigest()

    def _send_part(self, where: Mapping[str, Any], upload_id: str, number: int, data: bytes) -> str:
        began_s = time.monotonic()
        reply = self.client.upload_part(**where, UploadId=upload_id, PartNumber=number, Body=data)
        limit = self.spec.get("max_mbit_s")
        if limit:
            rest_s = len(data) * 8 / (float(limit) * 1e6) - (time.monotonic() - began_s)
            if rest_s > 0:
                self.stopping.wait(rest_s)
        return str(reply["ETag"])

    def _verify(self, where: Mapping[str, Any], size_bytes: int, digest: str) -> None:
        """Check that the storage has the data that was sent. Raises StudioError."""
        head = self.client.head_object(**where)
        tag = str(head["ETag"]).strip('"')
        # An encrypting storage has other tags; only the size can be compared then.
        is_digest = "-" in tag and len(tag.partition("-")[0]) == len(digest.partition("-")[0])
        if head["ContentLength"] != size_bytes or (is_digest and tag != digest):
            raise StudioError(
                "upload_differs",
                f"The uploaded object {where['Key']} differs from the file",
                advice="Retry; if it happens again, check the storage.",
            )

    def _abort_upload(self, where: Mapping[str, Any], upload_id: str) -> None:
        try:
            self.client.abort_multipart_upload(**where, UploadId=upload_id)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "NoSuchUpload":
                raise

    def _step(self, count: int) -> None:
        self.done += count
        self.tell({"done": self.done, "total": self.total})


def _describe_error(error: Exception) -> StudioError:
    """Describe an error for people, never with a key or a signature."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        text = _REASONS.get(code, f"The storage responded with {shown(code, 100)}")
        return StudioError("upload_refused", text, advice="Check the upload settings.")
    if isinstance(error, BotoCoreError):
        return StudioError(
            "upload_unreachable",
            f"The storage cannot be reached ({type(error).__name__})",
            advice="Retry when there is a connection; uploaded parts are kept.",
        )
    if isinstance(error, _NONSENSE):
        return StudioError(
            "upload_unreachable",
            f"The endpoint is not an S3 storage ({type(error).__name__})",
            advice="Check the upload settings and the network.",
        )
    return StudioError("upload_failed", f"The archive cannot be read: {error}")
