"""Reports and paths that the engines' API refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.enginesapi import WITH_KEY, Api, opened_api
from support.fakeruntime import SharedMachine

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "path",
    [
        "/engines/a%2Fb",
        "/streams/a%00b",
        "/streams%2fa",
        "/streams/a%2Fb/../x",
        "/streams/a%2fb/c/d",
    ],
)
async def test_an_encoded_slash_leads_nowhere_else(api: Api, path: str) -> None:
    assert (await api.client.get(path, headers=WITH_KEY)).status_code == 404


@pytest.mark.parametrize(
    "url",
    ["http://example.com/x", "http://127.0.0.1:1/x", "http://169.254.169.254/latest", "ftp://a/b"],
)
async def test_urls_elsewhere_are_refused_and_nothing_is_asked_there(api: Api, url: str) -> None:
    engine = await api.provision()
    report = api.report(engine)
    report["session"]["stat_url"] = url
    refused = await api.ask("POST", "/events/stream_started", 422, json=report)
    assert refused["detail"][0]["loc"][-1] == "stat_url"
    assert await api.ask("GET", "/streams") == []


@pytest.mark.parametrize(
    "change",
    [
        {"engine": {"host": "", "port": 1}},
        {"engine": {"host": "a", "port": 0}},
        {"engine": {"host": "a", "port": "x"}},
        {"stream": {"key_type": "x", "key": "a"}},
        {"stream": {"key_type": "url", "key": ""}},
        {"labels": {"stream_id": "x" * 300}},
        {"labels": {"a": 1}},
        {"session": {}},
    ],
)
async def test_malformed_reports_are_refused(api: Api, change: dict[str, Any]) -> None:
    engine = await api.provision()
    answer = await api.ask("POST", "/events/stream_started", 422, json=api.report(engine, **change))
    assert answer["detail"][0]["loc"][0] == "body"


async def test_bodies_that_are_none_are_refused(api: Api) -> None:
    headers = {**WITH_KEY, "Content-Type": "application/json"}
    for content, kind in ((b"", "missing"), (b"{", "json_invalid"), (b"\xff", "json_invalid")):
        answer = await api.client.post("/events/stream_started", content=content, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == kind


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "PYTHONWARNINGS", "BROWSER"])
async def test_a_variable_that_could_run_a_program_of_this_machine_is_refused_with_the_list(
    tmp_path: Path, name: str
) -> None:
    async with opened_api(tmp_path, runtime=SharedMachine()) as api:
        order = {"labels": {}, "env": {"CONF": "", name: "x"}}
        answer = await api.ask("POST", "/provision/acestream", 422, json=order)
        (refused,) = answer["detail"]
        assert (refused["type"], refused["loc"]) == ("env_not_allowed", ["body", "env", name])
        assert all(allowed in refused["msg"] for allowed in ("CONF", "ACE*", "EXTRA_*"))
        assert "start" not in api.half.runtime.calls
        assert await api.ask("GET", "/engines") == []
