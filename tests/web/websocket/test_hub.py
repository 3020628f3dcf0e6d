from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from support.hubs import HELLO, PONG, Client, Signals, rig
from support.supervised import supervisor
from touchline.core.errors import Refused
from touchline.web.websocket.channels import LEAST_GAP_S
from touchline.web.websocket.hub import MAX_MESSAGE_BYTES, SIGNALS_AHEAD, Hub

pytestmark = pytest.mark.anyio

TOO_LARGE = ("message_too_large", "Message exceeds 64KB limit")
NOT_JSON = ("invalid_json", "Message is not valid JSON")
NO_OBJECT = ("invalid_format", "Message must be a JSON object")
VERSION = ("invalid_version", "Expected v=1")
CHANNELS = ("invalid_channels", "channels must be a list")
COMMAND = ("invalid_command", "Command requires 'id' and 'action'")


def text(**fields: Any) -> str:
    return json.dumps({"v": 1, **fields})


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("x" * (MAX_MESSAGE_BYTES + 1), TOO_LARGE),
        ("é" * (MAX_MESSAGE_BYTES // 2 + 1), TOO_LARGE),
        (b"x" * (MAX_MESSAGE_BYTES + 1), TOO_LARGE),
        (b'{"v":1,"type":"ping"}', ("invalid_format", "Message must be a text frame")),
        ("", NOT_JSON),
        ("ping", NOT_JSON),
        ('{"v":1,"type":"ping"', NOT_JSON),
        ('{"v":1,"type":"ping","at":NaN}', NOT_JSON),
        ('{"v":1,"id":' + "9" * 5000 + "}", NOT_JSON),
        ("[" * 60_000, NOT_JSON),
        ('{"v":' + "[" * 60_000, NOT_JSON),
        ("[]", NO_OBJECT),
        ("null", NO_OBJECT),
        ('"ping"', NO_OBJECT),
        ('{"type":"ping"}', VERSION),
        ('{"v":2,"type":"ping"}', VERSION),
        ('{"v":"1","type":"ping"}', VERSION),
        ('{"v":null,"type":"ping"}', VERSION),
        ('{"v":[1],"type":"ping"}', VERSION),
        ("{}", VERSION),
        (text(), ("unknown_type", "Unknown message type: None")),
        (text(type="pong"), ("unknown_type", "Unknown message type: pong")),
        (text(type=["ping"]), ("unknown_type", "Unknown message type: ['ping']")),
        (text(type={}), ("unknown_type", "Unknown message type: {}")),
        (text(type="x" * 5000), ("unknown_type", f"Unknown message type: {'x' * 200}")),
        (text(type="subscribe", channels="status"), CHANNELS),
        (text(type="subscribe", channels=None), CHANNELS),
        (text(type="subscribe", channels={"status": 1}), CHANNELS),
        (text(type="subscribe", channels=[["status"]]), CHANNELS),
        (text(type="unsubscribe", channels=1), CHANNELS),
        (text(type="unsubscribe", channels=["status", {}]), CHANNELS),
        (text(type="command"), COMMAND),
        (text(type="command", id="a"), COMMAND),
        (text(type="command", action="echo"), COMMAND),
        (text(type="command", id="", action="echo"), COMMAND),
        (text(type="command", id=0, action="echo"), COMMAND),
        (text(type="command", id=True, action="echo"), COMMAND),
        (text(type="command", id=None, action="echo"), COMMAND),
        (text(type="command", id=["a"], action="echo"), COMMAND),
        (text(type="command", id={}, action="echo"), COMMAND),
        (text(type="command", id="x" * 257, action="echo"), COMMAND),
        (text(type="command", id="a", action=""), COMMAND),
        (text(type="command", id="a", action=["echo"]), COMMAND),
        ('{"v":1,"type":"command","id":1e999,"action":"echo"}', COMMAND),
    ],
)
async def test_what_is_wrong_is_named_and_the_session_goes_on(
    frame: str | bytes, error: tuple[str, str]
) -> None:
    async with rig() as one:
        client = await one.client()
        client.send_raw(frame)
        assert await client.receive() == {
            "v": 1,
            "type": "error",
            "code": error[0],
            "message": error[1],
        }
        assert await client.received_so_far() == []
        assert one.work.calls == []


@pytest.mark.parametrize("version", ["1", "1.0", "true"])
async def test_what_equals_one_is_version_one(version: str) -> None:
    async with rig() as one:
        client = await one.client()
        client.send_raw(f'{{"v":{version},"type":"ping","more":["is","ignored"]}}')
        assert await client.receive() == PONG


async def test_the_largest_message_is_taken() -> None:
    async with rig() as one:
        client = await one.client()
        frame = text(type="ping", filling="é")
        client.send_raw(frame[:-2] + "x" * (MAX_MESSAGE_BYTES - len(frame.encode())) + frame[-2:])
        assert await client.receive() == PONG


# --------------------------------------------------------------------- channels


async def test_a_session_begins_subscribed_to_status_alone() -> None:
    async with rig() as one:
        client = await one.client()
        one.hub.refresh("status", "pipeline_state", "system_metrics", "panorama_status")
        assert await client.receive() == {
            "v": 1,
            "type": "status",
            "ts": 1770837041.25,
            "data": {"of": "status"},
        }
        assert await client.received_so_far() == []


async def test_a_subscription_is_answered_with_the_state_at_once() -> None:
    async with rig() as one:
        client = await one.client()
        client.send("subscribe", channels=["pipeline_state", "no_such_channel", 7, None])
        message = await client.receive()
        assert (message["type"], message["data"]) == ("pipeline_state", {"of": "pipeline_state"})
        assert await client.received_so_far() == []


@pytest.mark.parametrize("fields", [{}, {"channels": []}])
async def test_a_subscription_to_nothing_changes_nothing(fields: dict[str, Any]) -> None:
    async with rig() as one:
        client = await one.client()
        client.send("subscribe", **fields)
        client.send("unsubscribe", **fields)
        one.hub.refresh("status")
        assert (await client.receive())["type"] == "status"


async def test_after_unsubscribing_not_even_what_was_waiting_comes() -> None:
    async with rig() as one:
        leaver, stayer = await one.client(), await one.client()
        one.hub.refresh("status")
        assert (await stayer.receive())["type"] == "status"
        leaver.send("unsubscribe", channels=["status"])
        assert await leaver.received_so_far() == []
        one.hub.refresh("status")
        assert (await stayer.receive())["type"] == "status"
        assert await leaver.received_so_far() == []


async def test_a_list_that_is_partly_wrong_is_not_partly_obeyed() -> None:
    async with rig() as one:
        client = await one.client()
        assert (await client.ask("unsubscribe", channels=["status", []]))["type"] == "error"
        one.hub.refresh("status")
        assert (await client.receive())["type"] == "status"


async def test_one_snapshot_serves_all_subscribers() -> None:
    async with rig() as one:
        clients = [await one.client() for _ in range(9)]
        one.hub.refresh("status")
        messages = [await client.receive() for client in clients]
        assert one.taken["status"] == 1
        assert all(message == messages[0] for message in messages)


async def test_a_slow_client_gets_the_newest_status_and_every_reply_in_order() -> None:
    async with rig() as one:
        slow, quick = await one.client(), await one.client()
        for number in range(3):
            one.snapshots["status"] = number
            one.hub.refresh("status")
            assert (await quick.receive())["data"] == number
            slow.send("ping", number=number)
        # The status keeps the place of the first one, which came before the pongs.
        assert [(await slow.receive()).get("data", "pong") for _ in range(4)] == [
            2,
            "pong",
            "pong",
            "pong",
        ]
        assert slow.session.outbox.replaced == 2


async def test_a_channel_ticks_while_anybody_listens_and_no_longer() -> None:
    async with rig(period_s=0.06) as one:
        assert one.taken == dict.fromkeys(one.taken, 0)
        client = await one.client()
        began_s = anyio.current_time()
        for _ in range(3):
            assert (await client.receive())["type"] == "status"
        assert anyio.current_time() - began_s >= 0.15
        client.leave()
        taken = one.taken["status"]
        assert taken >= 3
        await anyio.sleep(0.2)
        assert one.taken["status"] == taken
        again = await one.client()
        assert (await again.receive())["type"] == "status"


async def test_many_refreshes_are_few_broadcasts() -> None:
    async with rig() as one:
        client = await one.client()
        until_s = anyio.current_time() + 5 * LEAST_GAP_S
        while anyio.current_time() < until_s:
            client.send("subscribe", channels=["status"])
            await anyio.sleep(0.001)
        assert 2 <= one.taken["status"] <= 7


async def test_a_snapshot_that_fails_is_skipped_and_the_next_one_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = iter([ZeroDivisionError("no cameras"), {"fine": True}])

    def snapshot(name: str) -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with rig(period_s=0.06, snapshot=snapshot) as one:
        client = await one.client()
        assert (await client.receive())["data"] == {"fine": True}
        assert "no cameras" in caplog.text


async def test_news_is_told_at_once_on_both_state_channels() -> None:
    async with rig() as one:
        client = await one.client()
        client.send("subscribe", channels=["pipeline_state", "system_metrics"])
        first = {(await client.receive())["type"], (await client.receive())["type"]}
        assert first == {"pipeline_state", "system_metrics"}
        one.news.mark()
        second = {(await client.receive())["type"], (await client.receive())["type"]}
        assert second == {"status", "pipeline_state"}
        assert await client.received_so_far() == []


# --------------------------------------------------------------------- sessions


async def test_leaving_twice_is_leaving_once() -> None:
    async with rig() as one:
        client = await one.client()
        assert one.hub.sessions == 1
        client.leave()
        client.leave()
        assert one.hub.sessions == 0


async def test_it_is_full_at_its_maximum_and_again_free_after_a_leave() -> None:
    hub = Hub([], {}, signalling=Signals(), supervisor=supervisor(), max_sessions=1)
    hub._channels = {"status": _Silent()}  # type: ignore[dict-item]
    session = hub.join("a")
    assert hub.is_full
    hub.leave(session)
    assert not hub.is_full


class _Silent:
    def add(self, session: Any) -> None: ...
    def remove(self, session: Any) -> None: ...


async def test_a_hub_that_is_not_open_says_so() -> None:
    hub = Hub([], {}, signalling=Signals(), supervisor=supervisor())
    states = [hub.is_open]
    async with hub.open():
        states.append(hub.is_open)
    states.append(hub.is_open)
    assert states == [False, True, False]


# --------------------------------------------------------------------- signalling


async def test_signalling_is_answered_in_order_while_pings_overtake_it() -> None:
    signals = Signals()
    signals.may_answer = anyio.Event()
    async with rig(signalling=signals) as one:
        client = await one.client()
        for number in range(3):
            client.send("webrtc_offer", data={"number": number})
        assert await client.ask("ping") == PONG
        signals.may_answer.set()
        answers = [await client.receive() for _ in range(3)]
        assert [answer["data"]["n"] for answer in answers] == [1, 2, 3]
        assert [m["data"]["number"] for m in signals.handled] == [0, 1, 2]
        assert answers[0] == {
            "v": 1,
            "type": "webrtc_state",
            "data": {"n": 1, "of": client.session.id},
        }


@pytest.mark.parametrize(
    ("error", "expected"),
    [(Refused("webrtcbin not found"), "webrtcbin not found"), (RuntimeError("/secret"), None)],
)
async def test_signalling_that_raises_is_a_handler_error(
    error: Exception, expected: str | None
) -> None:
    signals = Signals()
    signals.error = error
    async with rig(signalling=signals) as one:
        client = await one.client()
        answer = await client.ask("webrtc_start", data={"stream_kind": "main_cam0"})
        assert (answer["type"], answer["code"]) == ("error", "handler_error")
        if expected is None:
            assert "secret" not in answer["message"]
        else:
            assert answer["message"] == expected
        assert await client.ask("ping") == PONG


async def test_a_connection_that_ends_is_let_go_after_what_was_under_way() -> None:
    signals = Signals()
    signals.may_answer = anyio.Event()
    async with rig(signalling=signals) as one:
        client = await one.client()
        client.send("webrtc_start", data={})
        client.send("webrtc_start", data={})
        await anyio.wait_all_tasks_blocked()
        client.leave()
        assert signals.left == []
        signals.may_answer.set()
        await anyio.wait_all_tasks_blocked()
        assert len(signals.handled) == 1  # what had not begun is not begun for nobody
        assert signals.left == [client.session.id]


async def test_signalling_may_not_pile_up() -> None:
    signals = Signals()
    signals.may_answer = anyio.Event()
    async with rig(signalling=signals) as one:
        client = await one.client()
        for _ in range(SIGNALS_AHEAD + 1):
            client.send("webrtc_ice_candidate", data={})
        assert (await client.receive())["code"] == "handler_error"


async def test_events_reach_the_session_they_are_for_and_nobody_else() -> None:
    async with rig() as one:
        client, other = await one.client(), await one.client()
        one.hub.send_to_session(client.session.id, {"type": "webrtc_state", "data": {}})
        one.hub.send_to_session("nobody", {"type": "webrtc_state", "data": {}})
        assert await client.receive() == {"v": 1, "type": "webrtc_state", "data": {}}
        assert await other.received_so_far() == []


async def test_the_greeting_is_the_contracts() -> None:
    async with rig() as one:
        assert await Client(one.hub).receive() == HELLO
