"""Engines and containers, as the contract has them: made, shown, scaled, selected, deleted."""

from __future__ import annotations

import pytest

from support.enginesapi import WITH_KEY, Api
from support.fakeruntime import MISSING_IMAGE
from touchline.engines.model.runtime import StartFailed, StartTimeout

pytestmark = pytest.mark.anyio


async def test_an_engine_is_provisioned_shown_and_deleted(api: Api) -> None:
    made = await api.provision(labels={"stream_id": "123"}, env={"EXTRA_ENV": "X"})
    assert set(made) == {
        "container_id",
        "container_name",
        "host_http_port",
        "container_http_port",
        "container_https_port",
    }
    (shown,) = await api.ask("GET", "/engines", headers={})
    assert shown["container_id"] == made["container_id"]
    assert (shown["host"], shown["port"]) == ("127.0.0.1", made["host_http_port"])
    assert shown["health_status"] == "healthy"
    assert shown["first_seen"].endswith("Z")
    one = await api.ask("GET", f"/engines/{made['container_id']}", headers={})
    assert (one["engine"]["container_id"], one["streams"]) == (made["container_id"], [])
    inspected = await api.ask("GET", f"/containers/{made['container_name']}", headers={})
    assert inspected["ports"]["40000/tcp"][0]["HostPort"] == str(made["host_http_port"])
    assert "env" not in inspected
    (found,) = await api.ask("GET", "/by-label", params={"key": "stream_id", "value": "123"})
    assert found["id"] == made["container_id"]
    gone = await api.ask("DELETE", f"/containers/{made['container_id']}")
    assert gone == {"deleted": made["container_id"]}
    assert await api.ask("GET", "/engines", headers={}) == []
    assert await api.ask("GET", f"/engines/{made['container_id']}", 404, headers={}) == {
        "error": "not found",
        "detail": "not found",
    }
    assert await api.ask("GET", "/containers/nobody", 404) == {
        "detail": "container not found",
        "code": "container_not_found",
    }
    assert (await api.ask("DELETE", "/containers/nobody", 404))["detail"]["code"] == (
        "container_not_found"
    )


async def test_any_other_container(api: Api) -> None:
    made = await api.ask(
        "POST",
        "/provision",
        json={"image": "nginx:1", "ports": {"80/tcp": 18080}, "name_prefix": "web"},
    )
    assert made["container_name"] == "web-1"
    assert await api.ask("GET", "/engines") == []
    missing = await api.ask("POST", "/provision", 400, json={})
    assert missing["detail"]["code"] == "image_required"
    unknown = await api.ask("POST", "/provision", 404, json={"image": MISSING_IMAGE})
    assert unknown["detail"]["code"] == "image_not_found"
    taken = {"image": "nginx:1", "ports": {"80/tcp": 18080}}
    refused = await api.ask("POST", "/provision", 409, json=taken)
    assert refused["detail"]["code"] == "port_in_use"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(StartFailed("no"), 500, "start_failed"), (StartTimeout("late"), 504, "start_timeout")],
)
async def test_a_start_that_fails_says_so_in_the_form_that_proxies_read(
    api: Api, error: Exception, status: int, code: str
) -> None:
    api.half.runtime.fail("start", error)
    answer = await api.client.post("/provision/acestream", json={}, headers=WITH_KEY)
    assert answer.status_code == status
    detail = answer.json()["detail"]
    assert set(detail) == {
        "error",
        "code",
        "message",
        "recovery_eta_seconds",
        "can_retry",
        "should_wait",
    }
    assert (detail["error"], detail["code"]) == ("provisioning_failed", code)


async def test_capacity_and_a_runtime_that_is_away(api: Api) -> None:
    for number in range(3):
        await api.provision(labels={"n": str(number)})
    full = (await api.ask("POST", "/provision/acestream", 503, json={"labels": {"n": "3"}}))[
        "detail"
    ]
    assert (full["error"], full["code"], full["should_wait"]) == (
        "provisioning_blocked",
        "max_capacity",
        True,
    )
    assert "capacity" in full["message"]
    status = await api.ask("GET", "/orchestrator/status", headers={})
    assert status["provisioning"]["blocked_reason_details"]["code"] == "max_capacity"
    assert status["status"] == "healthy"
    api.half.runtime.go_away()
    await api.half.until(lambda: api.half.front.stale_s() is not None)
    answer = await api.client.get("/engines")
    assert answer.headers["warning"].startswith("110")
    assert float(answer.headers["x-touchline-stale-seconds"]) >= 0
    assert len(answer.json()) == 3
    refused = await api.client.post("/provision/acestream", json={}, headers=WITH_KEY)
    assert refused.status_code == 503
    assert refused.json()["detail"]["code"] == "runtime_unavailable"
    assert int(refused.headers["retry-after"]) >= 1
    assert (await api.client.get("/health/ready")).status_code == 503
    assert (await api.client.get("/health")).status_code == 200


async def test_scaling_selecting_and_cleaning_up(api: Api) -> None:
    scaled = await api.ask("POST", "/scale/7")
    assert (scaled["scaled_to"], scaled["target"]) == (7, 3)
    await api.ask("POST", "/scale/-3", 422)
    await api.ask("POST", "/scale/x", 422)
    await api.half.ready(3)
    selected = await api.ask("POST", "/engines/select", json={"stream_id": "ch-1"})
    assert selected["port"] in {e["port"] for e in await api.ask("GET", "/engines")}
    assert selected["lease_id"]
    cleaned = await api.ask("POST", "/gc")
    assert cleaned["status"] == "ok"
