"""Whatever is sent, the hub answers as its table says, and never raises."""

from __future__ import annotations

import json
from typing import Any

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.hubs import CHANNELS, PONG, rig

CODES = {
    "message_too_large",
    "invalid_json",
    "invalid_format",
    "invalid_version",
    "invalid_channels",
    "invalid_command",
    "unknown_type",
}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from([*CHANNELS, "other"]) | values
fields = st.fixed_dictionaries(
    {},
    optional={
        "v": st.sampled_from([1, 1, 1, 1.0, True, 2, "1", None]),
        "type": st.sampled_from(
            ["ping", "subscribe", "unsubscribe", "command", "webrtc_start", "webrtc_x"]
        )
        | values,
        "channels": st.lists(names, max_size=4) | values,
        "id": st.sampled_from(["a", "b", 1, 1.0, 0, "", 1e308]) | values,
        "action": st.sampled_from(["echo", "read", "blocked", "broken", "none"]) | values,
        "params": st.dictionaries(st.text(), values, max_size=3) | values,
        "data": st.dictionaries(st.sampled_from(["session_id", "stream_kind"]), values) | values,
    },
)
frames = (
    fields.map(json.dumps)
    | st.tuples(fields, st.integers(0, 40)).map(lambda pair: json.dumps(pair[0])[: pair[1]])
    | st.text(st.characters(exclude_categories=[]))
    | st.binary()
    | st.integers(0, 50_000).map(lambda depth: "[" * depth)
    | st.integers(65_530, 65_540).map(lambda size: "x" * size)
)


def is_well_formed(message: Any) -> bool:
    """Whether it is one of the messages that the contract describes."""
    if message.get("v") != 1:
        return False
    rest = {name: value for name, value in message.items() if name not in ("v", "type")}
    marked = {"deduplicated", "in_progress"}
    shapes: dict[str, list[set[str]]] = {
        "pong": [set()],
        "error": [{"code", "message"}],
        "command_ack": [{"id", "action"}],
        "command_result": [{"id", "success", "data"}, {"id", "success", "error", "code"}],
        "webrtc_state": [{"data"}],
        **{name: [{"ts", "data"}] for name in CHANNELS},
    }
    if message["type"] == "error" and message["code"] not in CODES:
        return False
    return set(rest) - marked in shapes[message["type"]]


def test_nothing_that_is_sent_breaks_it() -> None:
    @given(sent=st.lists(frames, min_size=1, max_size=8))
    @settings(
        max_examples=300,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(sent: list[str | bytes]) -> None:
        anyio.run(converse, sent)

    async def converse(sent: list[str | bytes]) -> None:
        with anyio.fail_after(10):
            async with rig() as one:
                client = await one.client()
                for frame in sent:
                    client.send_raw(frame)
                await anyio.wait_all_tasks_blocked()
                client.send("ping", last=True)
                received = [await client.receive()]
                while client.session.outbox._waiting:
                    received.append(await client.receive())
                assert received[-1] == PONG
                assert all(map(is_well_formed, received)), received

    check()
