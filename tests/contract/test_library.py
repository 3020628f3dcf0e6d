"""Recorded matches and uploaded files, as the contract has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, TypeAdapter

from support.fakesystem import FakeSystem
from support.serving import API, client_of
from touchline.capture import Deleted, Protection, Verification
from touchline.capture.jobkinds.settings import UploadSettings
from touchline.capture.library.library import Library
from touchline.capture.processing.cloud import Cloud

pytestmark = pytest.mark.anyio


async def test_a_match_is_deleted_unless_it_is_running(system: FakeSystem) -> None:
    system.capture.library.running = "m1"
    async with client_of(system) as client:
        refused = await client.delete(f"{API}/recordings/m1")
        system.capture.library.running = None
        deleted = await client.delete(f"{API}/recordings/m1")
    assert refused.status_code == 409
    assert "m1" in refused.json()["detail"]
    TypeAdapter(Deleted).validate_json(deleted.content, strict=True)


async def test_a_match_is_protected(system: FakeSystem) -> None:
    async with client_of(system) as client:
        response = await client.put(f"{API}/recordings/m1/protection", json={"protected": True})
        missing = await client.put(f"{API}/recordings/none/protection", json={"protected": True})
        nothing = await client.put(f"{API}/recordings/m1/protection", json={})
    answer = TypeAdapter(Protection).validate_json(response.content, strict=True)
    assert (answer["match_id"], answer["protected"]) == ("m1", True)
    assert (missing.status_code, nothing.status_code) == (404, 422)


async def test_a_match_is_verified_on_demand(system: FakeSystem) -> None:
    async with client_of(system) as client:
        response = await client.post(f"{API}/recordings/m1/verify")
    report = TypeAdapter(Verification).validate_json(response.content, strict=True)
    assert (report["match_id"], report["ok"]) == ("m1", True)


async def test_uploaded_files_are_listed_or_no_storage_is_said_to_be_configured(
    system: FakeSystem, tmp_path: Path
) -> None:
    library = Library(tmp_path / "recordings", is_running=lambda _: False)
    system.capture.cloud = Cloud(UploadSettings(), library)
    paths = ("/r2/archives", f"{API}/r2/archives", f"{API}/recordings/m1/r2-urls")
    async with client_of(system) as client:
        for path in paths:
            refused = await client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (503, "no_storage")
            assert refused.json()["can_retry"] is False
        key = SecretStr("s")
        settings = UploadSettings(bucket="matches", access_key_id="k", secret_access_key=key)
        system.capture.cloud = Cloud(settings, library)
        for path in paths[:2]:
            told = (await client.get(path)).json()
            assert (told["success"], told["matches"]) == (True, [])
        told = (await client.get(paths[2])).json()
        assert (told["match_id"], told["files"]) == ("m1", [])
        assert (await client.get(f"{API}/recordings/unknown/r2-urls")).status_code == 404
