"""Uploads to a real server that speaks S3's API, in a process of its own."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx
import pytest

from support.hostile import FLOODS, REDIRECTS, SLOW, Send, Watch, hostile, redirecting, saying
from touchline.studio.errors import StudioError
from touchline.studio.verbs import upload

MIB = 1 << 20
BUCKET = "matches"
KEY, SECRET = "a-key", "a-secret"


@dataclass
class Storage:
    url: str
    process: subprocess.Popen[bytes]

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )

    def digest(self, key: str) -> str:
        body = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return hashlib.sha256(body).hexdigest()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    made = Storage(f"http://127.0.0.1:{port}", process)
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(made.url, timeout=2)
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the storage did not start"
            time.sleep(0.05)
    made.client.create_bucket(Bucket=BUCKET)
    yield made
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def match(tmp_path: Path) -> Path:
    folder = tmp_path / "derby"
    folder.mkdir()
    (folder / "panorama_archive.mp4").write_bytes(os.urandom(13 * MIB))
    (folder / "cam0_archive.mp4").write_bytes(os.urandom(100))
    return folder


def spec(storage: Storage, match: Path, **more: Any) -> dict[str, Any]:
    return {
        "folder": str(match),
        "endpoint_url": storage.url,
        "bucket": BUCKET,
        "prefix": f"{match.parent.name}/",
        "region": "us-east-1",
        "access_key_id": KEY,
        "secret_access_key": SECRET,
        "part_bytes": 5 * MIB,
        "files": ["cam0_archive.mp4", "cam1_archive.mp4", "panorama_archive.mp4"],
        "max_mbit_s": None,
        **more,
    }


def state(match: Path) -> dict[str, Any]:
    return dict(json.loads((match / upload.STATE).read_text())["files"])


def quiet(_: Mapping[str, Any]) -> None:
    return None


def test_what_is_there_is_uploaded_in_parts_and_verified(storage: Storage, match: Path) -> None:
    told: list[Mapping[str, Any]] = []
    asked = spec(storage, match)
    result = upload.run(asked, told.append, threading.Event())
    assert result["files"] == ["cam0_archive.mp4", "panorama_archive.mp4"]
    for name in result["files"]:
        mine = hashlib.sha256((match / name).read_bytes()).hexdigest()
        assert storage.digest(asked["prefix"] + name) == mine
    assert {s["state"] for s in state(match).values()} == {"uploaded"}
    assert told[-1]["done"] == told[-1]["total"] == 13 * MIB + 100
    assert SECRET not in (match / upload.STATE).read_text()


def test_an_upload_that_was_killed_sends_no_part_twice(storage: Storage, match: Path) -> None:
    asked = spec(storage, match, files=["panorama_archive.mp4"], max_mbit_s=60)
    command = [sys.executable, "-m", "touchline.studio", "upload", "--parent", str(os.getpid())]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(asked).encode())
    process.stdin.close()
    process.stdout.readline()  # the first part is there
    process.kill()
    process.wait()
    process.stdout.close()
    upload_id = state(match)["panorama_archive.mp4"]["upload_id"]
    key = asked["prefix"] + "panorama_archive.mp4"
    listed = storage.client.list_parts(Bucket=BUCKET, Key=key, UploadId=upload_id)
    before = {part["PartNumber"]: part["LastModified"] for part in listed["Parts"]}
    assert before
    sent: list[int] = []

    class Counting(upload._Uploading):
        def _send_part(self, where: Any, upload_id: str, number: int, data: bytes) -> str:
            sent.append(number)
            return super()._send_part(where, upload_id, number, data)

    original = upload._Uploading
    upload._Uploading = Counting  # type: ignore[misc]
    try:
        upload.run({**asked, "max_mbit_s": None}, quiet, threading.Event())
    finally:
        upload._Uploading = original  # type: ignore[misc]
    assert not set(sent) & set(before)
    assert set(sent) | set(before) == {1, 2, 3}
    mine = hashlib.sha256((match / "panorama_archive.mp4").read_bytes()).hexdigest()
    assert storage.digest(key) == mine


def test_a_file_that_is_there_is_not_sent_again_and_a_changed_one_is(
    storage: Storage, match: Path
) -> None:
    asked = spec(storage, match, files=["cam0_archive.mp4"])
    upload.run(asked, quiet, threading.Event())
    key = asked["prefix"] + "cam0_archive.mp4"
    first = storage.client.head_object(Bucket=BUCKET, Key=key)["LastModified"]
    upload.run(asked, quiet, threading.Event())
    assert storage.client.head_object(Bucket=BUCKET, Key=key)["LastModified"] == first
    (match / "cam0_archive.mp4").write_bytes(b"changed")
    upload.run(asked, quiet, threading.Event())
    assert storage.digest(key) == hashlib.sha256(b"changed").hexdigest()


def test_a_stop_keeps_what_was_sent(storage: Storage, match: Path) -> None:
    stopping = threading.Event()

    def stop_after_a_part(_: Mapping[str, Any]) -> None:
        stopping.set()

    asked = spec(storage, match, files=["panorama_archive.mp4"])
    with pytest.raises(StudioError) as caught:
        upload.run(asked, stop_after_a_part, stopping)
    assert caught.value.code == "stopped"
    kept = state(match)["panorama_archive.mp4"]
    assert (kept["state"], kept["sent_bytes"]) == ("waiting", 5 * MIB)
    upload.run(asked, quiet, threading.Event())
    assert state(match)["panorama_archive.mp4"]["state"] == "uploaded"


def test_what_is_wrong_is_said_without_any_secret(storage: Storage, match: Path) -> None:
    with pytest.raises(StudioError) as caught:
        upload.run(spec(storage, match, bucket="nobodys"), quiet, threading.Event())
    assert caught.value.message == "The bucket does not exist"
    assert state(match)["cam0_archive.mp4"]["state"] == "failed"
    nowhere = spec(storage, match, endpoint_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StudioError) as caught:
        upload.run(nowhere, quiet, threading.Event())
    assert caught.value.code == "upload_unreachable"
    assert SECRET not in caught.value.message + caught.value.advice


def test_something_else_in_the_storage_is_noticed(
    storage: Storage, match: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = upload._client

    def tampering(asked: Mapping[str, Any]) -> Any:
        client = real(asked)
        complete = client.complete_multipart_upload

        def completed(**given: Any) -> Any:
            reply = complete(**given)
            storage.client.put_object(Bucket=BUCKET, Key=given["Key"], Body=b"else")
            return reply

        client.complete_multipart_upload = completed
        return client

    monkeypatch.setattr(upload, "_client", tampering)
    with pytest.raises(StudioError) as caught:
        upload.run(spec(storage, match), quiet, threading.Event())
    assert caught.value.code == "upload_differs"


def test_without_an_archive_there_is_nothing_to_upload(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        upload.run(spec(storage, tmp_path), quiet, threading.Event())
    assert caught.value.code == "nothing_to_upload"


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
def test_an_answer_without_an_end_is_given_up(
    storage: Storage, match: Path, monkeypatch: pytest.MonkeyPatch, pause_s: float
) -> None:
    monkeypatch.setattr(upload, "_ATTEMPTS", 1)
    monkeypatch.setattr(upload, "ANSWER_WITHIN_S", 1.0)
    ended = threading.Event()
    sent_bytes = 0

    def serve(listener: socket.socket) -> None:
        nonlocal sent_bytes
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n")
            chunk = b"<" * (1 if pause_s else 65536)
            try:
                while not ended.wait(pause_s):
                    sent_bytes += connection.send(chunk)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        endless = spec(storage, match, endpoint_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(StudioError) as given_up:
            upload.run(endless, quiet, threading.Event())
        ended.set()
        thread.join(10)
    assert given_up.value.code == "upload_unreachable"
    assert sent_bytes < 64 * MIB


XML = b"Content-Type: application/xml\r\n"
ODD: Mapping[str, Send] = {
    "nothing": lambda _: None,
    "no XML": saying(b"<html>", head=XML),
    "an empty answer": saying(b"", head=XML),
    "another answer": saying(b"<Something><Else/></Something>", head=XML),
    "deep": saying(b"<a>" * 200_000 + b"</a>" * 200_000, head=XML),
    "entities": saying(
        b'<!DOCTYPE a [<!ENTITY x0 "ha">'
        + b"".join(b'<!ENTITY x%d "%s">' % (n, b"&x%d;" % (n - 1) * 10) for n in range(1, 12))
        + b"]><a><UploadId>&x11;</UploadId></a>",
        head=XML,
    ),
    "a long id": saying(
        b"<InitiateMultipartUploadResult><UploadId>"
        + b"x" * 100_000
        + b"</UploadId></InitiateMultipartUploadResult>",
        head=XML,
    ),
    "an error of control characters": saying(
        b"<Error><Code>No\nSuch\x7f</Code></Error>", head=XML, status=b"400 Bad Request"
    ),
    "no HTTP": lambda talk: talk.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
}


ANSWERS: dict[str, Send] = {**SLOW, **FLOODS, **ODD}


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_answer_of_a_storage_holds_an_upload_up(
    match: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(upload, "_ATTEMPTS", 1)
    monkeypatch.setattr(upload, "ANSWER_WITHIN_S", 0.5)
    nowhere = Storage("", None)  # type: ignore[arg-type]
    with hostile(ANSWERS[answer]) as server, Watch() as watch:
        odd = spec(nowhere, match, endpoint_url=f"http://127.0.0.1:{server.port}")
        with pytest.raises(StudioError) as given_up:
            upload.run(odd, quiet, threading.Event())
    assert watch.took_s < 20
    assert server.sent_bytes < 48 * MIB
    assert given_up.value.code in {"upload_unreachable", "upload_refused"}
    assert given_up.value.message.isprintable()
    assert len(given_up.value.message) < 300


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 T", b"308 P"])
def test_a_storage_leads_nowhere_else(
    match: Path, monkeypatch: pytest.MonkeyPatch, status: bytes
) -> None:
    monkeypatch.setattr(upload, "_ATTEMPTS", 1)
    with hostile(saying(b"")) as elsewhere:
        for where in REDIRECTS:
            with hostile(redirecting(where.format(port=elsewhere.port), status)) as server:
                nowhere = Storage(f"http://127.0.0.1:{server.port}", None)  # type: ignore[arg-type]
                with pytest.raises(StudioError):
                    upload.run(spec(nowhere, match), quiet, threading.Event())
        assert elsewhere.asked == 0


def test_a_list_of_parts_without_an_end_is_given_up(
    match: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "_ATTEMPTS", 1)
    monkeypatch.setattr(upload, "MOST_PAGES", 20)
    file = match / "cam0_archive.mp4"
    stamp = [file.stat().st_size, file.stat().st_mtime_ns]
    known = {file.name: {"state": "uploading", "stamp": stamp, "upload_id": "one"}}
    (match / upload.STATE).write_text(json.dumps({"files": known}))
    pages = itertools.count(1)

    def page(talk: Any) -> None:
        marker = b"<NextPartNumberMarker>%d</NextPartNumberMarker>" % next(pages)
        body = b"<ListPartsResult>%s<IsTruncated>true</IsTruncated></ListPartsResult>" % marker
        saying(body, head=XML)(talk)

    with hostile(page) as server:
        nowhere = Storage(f"http://127.0.0.1:{server.port}", None)  # type: ignore[arg-type]
        with pytest.raises(StudioError) as given_up:
            upload.run(spec(nowhere, match), quiet, threading.Event())
        assert server.asked < 30
    assert given_up.value.code == "upload_unreachable"
