from __future__ import annotations

from typing import Any

import anyio
import pytest

from support.hubs import PONG, Client, Rig, rig
from touchline.web.websocket import commands

pytestmark = pytest.mark.anyio


def ack(command_id: Any, action: str, **more: Any) -> dict[str, Any]:
    return {"v": 1, "type": "command_ack", "id": command_id, "action": action, **more}


def result(command_id: Any, data: Any, **more: Any) -> dict[str, Any]:
    return {
        "v": 1,
        "type": "command_result",
        "id": command_id,
        "success": True,
        "data": data,
        **more,
    }


def failure(command_id: Any, error: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "v": 1,
        "type": "command_result",
        "id": command_id,
        "success": False,
        "error": error,
        "code": code,
        **more,
    }


async def run(client: Client, command_id: Any, action: str = "echo", **fields: Any) -> Any:
    """The result of a command that is new to the server."""
    assert await client.ask("command", id=command_id, action=action, **fields) == ack(
        command_id, action
    )
    return await client.receive()


@pytest.mark.parametrize("command_id", ["cmd-1", 7, -1, 1.5, 10**400, "\ud83d", "é"])
async def test_a_command_is_acknowledged_and_then_answered_under_its_own_id(
    command_id: Any,
) -> None:
    async with rig() as one:
        client = await one.client()
        client.send("unsubscribe", channels=["status"])
        answer = await run(client, command_id, params={"force": True})
        assert answer == result(command_id, {"success": True, "calls": 1})
        assert one.work.calls == [{"force": True}]


@pytest.mark.parametrize(
    ("action", "fields", "error", "code"),
    [
        ("fly", {}, "Unknown action: fly", "unknown_action"),
        ("echo", {"params": None}, "params must be an object", "invalid_params"),
        ("echo", {"params": []}, "params must be an object", "invalid_params"),
        ("blocked", {}, "Could not acquire camera resources for recording", "cameras_taken"),
        ("checked", {}, "lines: Input should be a valid integer", "int_type"),
    ],
)
async def test_a_command_that_cannot_be_done_is_answered_with_the_reason(
    action: str, fields: dict[str, Any], error: str, code: str
) -> None:
    async with rig() as one:
        client = await one.client()
        assert await run(client, "a", action, **fields) == failure("a", error, code)
        assert await client.ask("command", id="a", action=action) == failure(
            "a", error, code, deduplicated=True
        )


async def test_what_nobody_expected_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as one:
        client = await one.client()
        answer = await run(client, "a", "broken")
        assert (answer["success"], answer["code"]) == (False, "internal_error")
        assert "secret" not in answer["error"]
        assert "secret" in caplog.text
        assert answer["error"].split()[-1] in caplog.text


async def test_a_repeated_id_gets_the_result_again_and_runs_nothing() -> None:
    async with rig() as one:
        client = await one.client()
        client.send("unsubscribe", channels=["status"])
        first = await run(client, "a")
        # The contract's words: the id alone decides, whatever else the repetition says.
        for fields in ({"action": "echo"}, {"action": "slow", "params": {"other": 1}}):
            assert await client.ask("command", id="a", **fields) == {**first, "deduplicated": True}
        assert len(one.work.calls) == 1


async def test_pings_are_answered_while_a_command_runs() -> None:
    async with rig() as one:
        client = await one.client()
        assert await client.ask("command", id="a", action="slow") == ack("a", "slow")
        assert await client.ask("ping") == PONG
        assert (await run(client, "b", "read"))["data"]["calls"] == 2
        one.work.may_end.set()
        assert await client.receive() == result("a", {"success": True})


async def test_an_id_repeated_while_its_command_runs_is_acknowledged_and_not_run_twice() -> None:
    async with rig() as one:
        client = await one.client()
        await client.ask("command", id="a", action="slow")
        for _ in range(2):
            assert await client.ask("command", id="a", action="slow") == ack(
                "a", "slow", deduplicated=True, in_progress=True
            )
        one.work.may_end.set()
        assert await client.receive() == result("a", {"success": True})
        assert await client.received_so_far() == []
        assert len(one.work.calls) == 1


async def test_a_command_outlives_its_socket_and_the_next_one_gets_the_result() -> None:
    async with rig() as one:
        first = await one.client()
        await first.ask("command", id="a", action="slow")
        first.leave()
        second = await one.client()
        assert await second.ask("command", id="a", action="slow") == ack(
            "a", "slow", deduplicated=True, in_progress=True
        )
        one.work.may_end.set()
        assert await second.receive() == result("a", {"success": True}, deduplicated=True)
        assert len(one.work.calls) == 1


async def test_clients_that_count_alike_do_not_get_each_others_results() -> None:
    async with rig() as one:
        one_client, another = await one.client("client a"), await one.client("client b")
        for client in (one_client, another):
            client.send("unsubscribe", channels=["status"])
        await run(one_client, 1, params={"of": "a"})
        await run(another, 1, params={"of": "b"})
        assert one.work.calls == [{"of": "a"}, {"of": "b"}]


async def test_a_number_and_its_text_are_two_ids() -> None:
    async with rig() as one:
        client = await one.client()
        client.send("unsubscribe", channels=["status"])
        await run(client, 1)
        await run(client, "1")
        assert (await client.ask("command", id=1.0, action="echo"))["deduplicated"] is True
        assert len(one.work.calls) == 2


async def test_results_are_kept_a_minute_from_their_end() -> None:
    async with rig() as one:
        client = await one.client()
        await client.ask("command", id="a", action="slow")
        one.ahead_s += 3 * commands.KEPT_S  # however long it takes, it is not run twice
        again = await client.ask("command", id="a", action="slow")
        assert again["in_progress"] is True
        one.work.may_end.set()
        await client.receive()
        one.ahead_s += commands.KEPT_S - 1
        assert (await client.ask("command", id="a", action="slow"))["deduplicated"] is True
        one.ahead_s += 2
        await run(client, "a", "slow")
        assert len(one.work.calls) == 2


async def test_two_hundred_ids_are_kept_and_the_oldest_makes_room() -> None:
    async with rig() as one:
        client = await one.client()
        client.send("unsubscribe", channels=["status"])
        for number in range(commands.KEPT_IDS + 1):
            await run(client, f"id {number}")
        assert (await client.ask("command", id="id 1", action="echo"))["deduplicated"] is True
        await run(client, "id 0")


async def test_a_running_command_is_never_forgotten() -> None:
    async with rig() as one:
        client = await one.client()
        client.send("unsubscribe", channels=["status"])
        await client.ask("command", id="slow", action="slow")
        for number in range(commands.KEPT_IDS + 5):
            await run(client, number + 1)
        for number in range(commands.OWNERS + 5):
            other = await one.client(f"client {number}")
            other.send("unsubscribe", channels=["status"])
            await run(other, 1)
        again = await client.ask("command", id="slow", action="slow")
        assert again["in_progress"] is True
        assert len(one.hub._commands._ledgers) <= commands.OWNERS + 1


async def test_a_large_reading_is_read_again_instead_of_kept() -> None:
    async with rig() as one:
        client = await one.client()
        first = await run(client, "small", "read")
        assert await client.ask("command", id="small", action="read") == {
            **first,
            "deduplicated": True,
        }
        one.work.big = "x" * commands.KEPT_READ_BYTES
        assert (await run(client, "large", "read"))["data"]["calls"] == 2
        assert (await run(client, "large", "read"))["data"]["calls"] == 3


async def test_a_client_may_not_keep_the_server_busy_without_limit() -> None:
    async with rig() as one:
        client = await one.client()
        for number in range(commands.RUNNING):
            await client.ask("command", id=f"id {number}", action="slow")
        refused = await run(client, "one more", "slow")
        assert refused == failure("one more", commands.TOO_MANY, "too_busy")
        one.work.may_end.set()
        for _ in range(commands.RUNNING):
            assert (await client.receive())["success"] is True
        assert (await run(client, "one more", "slow"))["success"] is True


async def test_what_a_command_changed_is_told_at_once() -> None:
    async with rig() as one:
        actor, watcher = await one.client(), await one.client()
        watcher.send("unsubscribe", channels=["status"])
        watcher.send("subscribe", channels=["pipeline_state"])
        assert (await watcher.receive())["type"] == "pipeline_state"
        await run(actor, "a")
        assert (await actor.receive())["type"] == "status"
        assert (await watcher.receive())["type"] == "pipeline_state"


async def test_closing_waits_for_commands_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("touchline.web.websocket.hub.DRAIN_S", 0.1)
    ended: Rig
    with anyio.fail_after(5):
        async with rig() as ended:
            client = await ended.client()
            await client.ask("command", id="a", action="slow")
    client.send("command", id="b", action="echo")  # answered by nobody, and harmless
    assert len(ended.work.calls) == 1
