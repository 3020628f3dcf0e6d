"""Recording, as the contract has it."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from pydantic import TypeAdapter

from support.fakerecorders import SlowRecorder, last_stop
from support.fakesystem import FakeSystem
from support.serving import API, client_of
from touchline.capture import LastStopDismissed, StartReport, Status, StopReport

pytestmark = pytest.mark.anyio

DEADLINE_S = 5.0


async def test_a_match_is_started_refused_protected_and_stopped(system: FakeSystem) -> None:
    async with client_of(system) as client:
        idle = await client.delete(f"{API}/recording")
        assert idle.json() == {
            "success": False,
            "message": "Not currently recording",
            "code": "not_recording",
        }

        started = await client.post(f"{API}/recording", json={"match_id": "m1"})
        assert (started.status_code, started.json()["success"]) == (200, True)
        TypeAdapter(StartReport).validate_json(started.content, strict=True)

        again = await client.post(f"{API}/recording", json={"match_id": "m2"})
        assert again.status_code == 200
        assert again.json() == {
            "success": False,
            "message": "Already recording match: m1",
            "code": "already_recording",
        }

        protected = (await client.delete(f"{API}/recording")).json()
        assert (protected["success"], protected["protected"]) == (False, True)
        assert protected["code"] == "recording_protected"

        stopped = await client.delete(f"{API}/recording", params={"force": "true"})
        assert stopped.json()["message"] == "Recording stopped successfully"
        TypeAdapter(StopReport).validate_json(stopped.content, strict=True)


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", "True", "ON"])
async def test_every_word_for_true_forces(system: FakeSystem, word: str) -> None:
    system.capture.recorder.match_id = "m1"
    async with client_of(system) as client:
        response = await client.delete(f"{API}/recording?force={word}")
    assert response.json()["success"] is True


@pytest.mark.parametrize("word", ["false", "0", "no", "off"])
async def test_every_word_for_false_does_not_force(system: FakeSystem, word: str) -> None:
    system.capture.recorder.match_id = "m1"
    async with client_of(system) as client:
        response = await client.delete(f"{API}/recording?force={word}")
    assert response.json()["protected"] is True


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"match_id": None, "force": None, "process_after_recording": None},
        {"match_id": ""},
        {"match_id": "m9", "nobody": {"knows": ["this"]}},
    ],
    ids=["empty", "nulls", "empty id", "unknown field"],
)
async def test_optional_fields_may_be_missing_null_or_unknown(
    system: FakeSystem, body: dict[str, Any]
) -> None:
    async with client_of(system) as client:
        response = await client.post(f"{API}/recording", json=body)
    assert response.json()["success"] is True
    expected = body.get("match_id") or "match_"
    assert response.json()["match_id"].startswith(expected)


async def test_status_and_health_answer_while_a_stop_hangs(system: FakeSystem) -> None:
    slow = SlowRecorder()
    slow.match_id = "m1"
    system.capture.recorder = slow
    async with client_of(system) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.delete, f"{API}/recording?force=true")
        with anyio.fail_after(DEADLINE_S):
            await slow.stopping.wait()
            for path in ("status", "recording", "health", "recording-health", "pipeline-state"):
                assert (await client.get(f"{API}/{path}")).status_code == 200
        assert slow.match_id == "m1"
        slow.may_end.set()
    assert slow.match_id is None


async def test_the_verdict_of_the_last_stop_is_in_the_status_until_it_is_dismissed(
    system: FakeSystem,
) -> None:
    system.capture.recorder.last_stop = last_stop()
    async with client_of(system) as client:
        status = await client.get(f"{API}/status")
        TypeAdapter(Status).validate_json(status.content, strict=True)
        assert status.json()["last_stop"] == last_stop()
        other = await client.delete(f"{API}/recording/last-stop?id=fedcba9876543210")
        assert (other.status_code, other.json()["code"]) == (404, "no_last_stop")
        done = await client.delete(f"{API}/recording/last-stop?id={last_stop()['id']}")
        assert done.json() == {"dismissed": last_stop()["id"]}
        TypeAdapter(LastStopDismissed).validate_json(done.content, strict=True)
        assert (await client.get(f"{API}/status")).json()["last_stop"] is None
        again = await client.delete(f"{API}/recording/last-stop")
        assert (again.status_code, again.json()["code"]) == (404, "no_last_stop")


async def test_without_an_id_the_verdict_that_is_shown_is_dismissed(system: FakeSystem) -> None:
    system.capture.recorder.last_stop = last_stop()
    async with client_of(system) as client:
        assert (await client.delete(f"{API}/recording/last-stop")).status_code == 200
    assert system.capture.recorder.last_stop is None
