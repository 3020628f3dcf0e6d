"""The custom variant, as the contract has it."""

from __future__ import annotations

import json

import anyio
import pytest

from support.enginesapi import WITH_KEY, Api

pytestmark = pytest.mark.anyio


async def test_the_custom_variant_over_http(api: Api) -> None:
    platform = await api.ask("GET", "/custom-variant/platform", headers={})
    assert platform["supported_platforms"] == ["amd64", "arm32", "arm64"]
    assert len(await api.ask("GET", "/custom-variant/parameters", headers={})) == 35
    token = {"name": "--access-token", "type": "string", "value": "secret", "enabled": True}
    config = {"enabled": True, "platform": "amd64", "parameters": [token]}
    path = api.system.settings.data_dir / "custom"
    path.mkdir()
    api.half.front.variants._directory = path
    saved = await api.ask("POST", "/custom-variant/config", json=config)
    assert saved["message"] == "Configuration saved successfully"
    assert "secret" not in str(await api.ask("GET", "/custom-variant/config", headers={}))
    wrong = await api.ask("POST", "/custom-variant/config", 400, json={**config, "platform": "x"})
    assert wrong["detail"].startswith("Invalid configuration")
    await api.ask("POST", "/custom-variant/config", 422, json={"enabled": "x", "platform": "amd64"})
    body = {"name": "Derby", "config": config}
    await api.ask("POST", "/custom-variant/templates/1", json=body)
    await api.ask("POST", "/custom-variant/templates/11", 400, json=body)
    await api.ask("POST", "/custom-variant/templates/1", 400, json={"name": "x"})
    activated = await api.ask("POST", "/custom-variant/templates/1/activate")
    assert (activated["template_id"], activated["template_name"]) == (1, "Derby")
    exported = await api.client.get("/custom-variant/templates/1/export")
    assert exported.headers["content-disposition"] == "attachment; filename=template_1.json"
    assert "secret" not in exported.text
    await api.ask("POST", "/custom-variant/templates/2/import", json={"json_data": exported.text})
    await api.ask("POST", "/custom-variant/templates/3/import", 400, json={"json_data": {}})
    await api.ask("DELETE", "/custom-variant/templates/1", 400)
    await api.ask("DELETE", "/custom-variant/templates/2")
    await api.ask("GET", "/custom-variant/templates/2", 404)
    await api.ask("POST", "/scale/1")
    await api.half.ready(1)
    started = await api.ask("POST", "/custom-variant/reprovision")
    assert started == {"message": "Started reprovisioning of 1 engines", "deleted_count": 1}
    with anyio.fail_after(10):
        while (await api.ask("GET", "/custom-variant/reprovision/status"))["in_progress"]:
            await anyio.sleep(0.02)
    (engine,) = await api.ask("GET", "/engines")
    assert engine["engine_variant"] == "Derby"


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e400"])
async def test_a_number_that_json_does_not_have_is_refused_and_not_kept(
    api: Api, number: str
) -> None:
    parameter = f'{{"name": "--cache-dir", "type": "path", "value": {number}, "enabled": false}}'
    config = f'{{"platform": "amd64", "parameters": [{parameter}]}}'
    template = f'{{"name": "Derby", "config": {config}}}'
    headers = {**WITH_KEY, "Content-Type": "application/json"}
    for path, body in (
        ("config", config),
        ("templates/1", template),
        ("templates/1/import", json.dumps({"json_data": template})),
    ):
        refused = await api.ask(
            "POST", f"/custom-variant/{path}", 400, content=body, headers=headers
        )
        assert refused["code"] == "invalid_configuration"
    await api.ask("GET", "/custom-variant/config", headers={})
    await api.ask("GET", "/custom-variant/templates/1", 404)


async def test_settings_that_there_are_none_of_are_named_and_not_silently_lost(api: Api) -> None:
    path = api.system.settings.data_dir / "custom"
    path.mkdir()
    api.half.front.variants._directory = path
    config = {"platform": "amd64", "parameters": [], "amd64_version": "3.2", "torrent_mounts": [1]}
    saved = await api.ask("POST", "/custom-variant/config", json=config)
    assert saved["not_kept"] == ["amd64_version", "torrent_mounts"]
    assert "torrent_mounts" in saved["message"]
    assert "torrent_mounts" not in await api.ask("GET", "/custom-variant/config")
    saved = await api.ask("POST", "/custom-variant/config", json={"platform": "amd64"})
    assert (saved["not_kept"], saved["message"]) == ([], "Configuration saved successfully")
