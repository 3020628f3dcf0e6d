from __future__ import annotations

import json
from typing import Any

import pytest

from touchline.ipc import wire
from touchline.ipc.wire import Element, PipelineSpec, RecordOrder, SimulatedPicture

SPEC = PipelineSpec(
    kind="test",
    source=(Element("filesrc", {"location": "/a b/ü.mp4"}), Element("identity")),
    encode=(Element("x264enc", {"bitrate": 4000, "aud": False, "speed-preset": "superfast"}),),
    picture=SimulatedPicture("Left", 1280, 720, 30000, 1001),
    demux=True,
    loop=True,
    retry_limit=3,
)
ORDER = RecordOrder(
    match_id="Grün-Weiß",
    directory="/recordings/Grün-Weiß/segments",
    prefix="cam0",
    label="20260211_220241",
    first_index=0,
    unix_minus_monotonic_ns=1_700_000_000_000_000_000,
    start_monotonic_ns=5,
    segment_s=600,
    fragment_s=0.25,
    min_free_bytes=1 << 30,
    backlog_bytes=64 << 20,
    max_match_s=14400,
)


def over_the_wire(message: dict[str, object]) -> dict[str, object]:
    return wire.decode(wire.encode(message))


def test_a_message_is_one_line() -> None:
    line = wire.encode({"do": "record", "text": "two\nlines ü"})
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert wire.decode(line) == {"do": "record", "text": "two\nlines ü"}


@pytest.mark.parametrize("line", [b"", b"\n", b"{", b"[1]", b'"hello"', b"null", b"\xff\xfe", b"1"])
def test_what_is_not_a_json_object_is_refused_with_one_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        wire.decode(line)


def test_a_specification_survives_the_wire() -> None:
    arrived = over_the_wire({"spec": wire.spec_to_json(SPEC)})["spec"]
    assert isinstance(arrived, dict)
    assert wire.spec_from_json(arrived) == SPEC


def test_a_specification_as_json_equals_what_arrives_so_that_both_ends_can_compare() -> None:
    as_sent = wire.spec_to_json(SPEC)
    assert json.loads(json.dumps(as_sent)) == as_sent


def test_an_order_survives_the_wire() -> None:
    arrived = over_the_wire({"order": wire.order_to_json(ORDER)})["order"]
    assert isinstance(arrived, dict)
    assert wire.order_from_json(arrived) == ORDER


def test_a_newer_servers_keys_are_passed_over() -> None:
    spec = wire.spec_to_json(SPEC) | {"hdr": True}
    spec["source"] = [{**e, "colour": "red"} for e in spec["source"]]
    spec["picture"] = {**spec["picture"], "depth": 10}
    assert wire.spec_from_json(spec) == SPEC
    assert wire.order_from_json(wire.order_to_json(ORDER) | {"colour": "red"}) == ORDER


def test_an_older_servers_specification_gets_the_defaults() -> None:
    bare = {"kind": "file", "source": [{"factory": "filesrc"}]}
    assert wire.spec_from_json(bare) == PipelineSpec(kind="file", source=(Element("filesrc"),))


@pytest.mark.parametrize("unknown", ["paced", "rtsp"])
def test_a_specification_of_an_earlier_version_is_the_same_one(unknown: str) -> None:
    earlier = wire.spec_to_json(SPEC)
    del earlier[unknown]
    assert wire.is_spec(earlier, SPEC)
    assert wire.is_spec({**wire.spec_to_json(SPEC), "hdr": True}, SPEC)


@pytest.mark.parametrize(
    "change", [{"loop": False}, {"kind": "file"}, {"source": 1}, {"encode": [1]}]
)
def test_another_specification_is_not_the_same_one(change: dict[str, Any]) -> None:
    assert not wire.is_spec({**wire.spec_to_json(SPEC), **change}, SPEC)


@pytest.mark.parametrize("data", [None, [], "video", {}])
def test_a_worker_without_a_specification_has_none(data: object) -> None:
    assert not wire.is_spec(data, SPEC)


@pytest.mark.parametrize("data", [None, "x264enc", [1], {"x264enc": True}, 7])
def test_names_of_elements_are_a_list_of_texts(data: object) -> None:
    with pytest.raises(TypeError):
        wire.names_from_json(data)


def test_what_lacks_a_needed_key_is_refused() -> None:
    with pytest.raises(KeyError, match="source"):
        wire.spec_from_json({"kind": "file"})
    with pytest.raises(TypeError, match="match_id"):
        wire.order_from_json({})


def test_the_probed_elements_are_listed_once() -> None:
    assert list(wire.PROBED_ELEMENTS) == list(dict.fromkeys(wire.PROBED_ELEMENTS))
