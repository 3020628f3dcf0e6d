from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.values import NOON, engine_value, instance_value
from touchline.engines.fleet.adoption import (
    Surroundings,
    addresses_of,
    complete_from_record,
    engine_of,
    external_engine,
    facts_of,
    restore_external,
    validate_facts,
)
from touchline.engines.model import labels as names
from touchline.engines.model.addresses import Deployment
from touchline.engines.model.model import Binding, Engine, Instance

BOUND = {"40000/tcp": (Binding("127.0.0.1", 19000),)}
LABELS = {names.HTTP_PORT: "40000", names.HTTPS_PORT: "45000", names.GENERATION: "g1"}


def around(*vpns: Instance, **changes: Any) -> Surroundings:
    known = {vpn.name: vpn for vpn in vpns}
    given: dict[str, Any] = {
        "deployment": lambda: Deployment("host", ("127.0.0.1",)),
        "vpn": known.get,
        "advertise_host": None,
        "reach_host": None,
    }
    return Surroundings(**{**given, **changes})


def adopted(instance: Instance, place: Surroundings, **facts: Any) -> Engine | None:
    return engine_of(instance, place, facts=facts, now=NOON, now_s=5.0)


def test_an_engine_is_known_by_its_labels() -> None:
    engine = adopted(instance_value(labels=LABELS, ports=BOUND), around())
    assert engine is not None
    assert (engine.host, engine.port, engine.host_http_port) == ("127.0.0.1", 19000, 19000)
    assert (engine.container_http_port, engine.container_https_port) == (40000, 45000)
    assert (engine.generation, engine.seen_since_s, engine.forwarded) == ("g1", 5.0, False)


def test_what_is_no_engine_or_cannot_be_reached_is_left_out() -> None:
    assert adopted(instance_value(ports=BOUND), around()) is None
    assert adopted(instance_value(labels={names.HTTP_PORT: "x"}, ports=BOUND), around()) is None
    assert adopted(instance_value(labels=LABELS), around()) is None


def test_an_engine_behind_a_vpn_is_reached_at_the_vpn() -> None:
    behind = instance_value(labels={**LABELS, names.VPN_CONTAINER: "gluetun"})
    vpn = instance_value("gluetun", ports=BOUND)
    found = addresses_of(behind, 40000, around(vpn))
    assert found is not None
    assert (found.api_host, found.api_port) == ("127.0.0.1", 19000)
    assert (found.host, found.port) == ("gluetun", 40000)
    advertised = addresses_of(behind, 40000, around(vpn, advertise_host="tv.example"))
    assert advertised is not None
    assert (advertised.host, advertised.port) == ("tv.example", 19000)


def test_while_its_vpn_is_unknown_an_engine_is_listed_by_the_vpns_name() -> None:
    behind = instance_value(labels={**LABELS, names.VPN_CONTAINER: "gluetun"})
    found = addresses_of(behind, 40000, around())
    assert found is not None
    assert (found.api_host, found.api_port) == ("gluetun", 40000)


def test_facts_survive_a_restart_and_labels_of_the_instance_win() -> None:
    before = engine_value(
        labels={"stream_id": "7", names.GENERATION: "old"},
        platform="linux",
        cache_size_bytes=4096,
        last_stream_usage=NOON,
    )
    facts = validate_facts(facts_of(before))
    engine = adopted(instance_value(labels=LABELS, ports=BOUND), around(), **facts)
    assert engine is not None
    assert (engine.platform, engine.cache_size_bytes) == ("linux", 4096)
    assert engine.last_stream_usage == NOON
    assert (engine.labels["stream_id"], engine.labels[names.GENERATION]) == ("7", "g1")


def test_a_later_record_adds_only_what_is_not_known_yet() -> None:
    engine = replace(engine_value(labels={"a": "new"}), platform="linux")
    found = complete_from_record(
        engine, {"platform": "bsd", "version": "3.2", "labels": {"a": "old", "b": "c"}}
    )
    assert (found.platform, found.version) == ("linux", "3.2")
    assert found.labels == {"a": "new", "b": "c"}


def test_an_external_engine_is_restored_from_where_it_was() -> None:
    engine = external_engine("h:1", "h", 1, {"a": "b"}, now=NOON, now_s=5.0)
    facts = validate_facts(facts_of(engine))
    assert restore_external("h:1", facts, now=NOON, now_s=5.0) == engine
    ours = validate_facts(facts_of(engine_value()))
    assert restore_external("engine-1", ours, now=NOON, now_s=5.0) is None


@pytest.mark.parametrize(
    "damaged",
    [
        {"external": {"host": "h", "port": 0}},
        {"external": {"host": "h", "port": True}},
        {"cache_size_bytes": -1},
        {"cache_size_bytes": True},
        {"last_stream_usage": "2026-11-21T12:00:00"},
        {"platform": 7},
        {"labels": {"a": 1}},
    ],
)
def test_a_fact_that_nobody_can_have_written_is_left_out(damaged: dict[str, Any]) -> None:
    (name,) = damaged
    assert not validate_facts({**damaged, "version": "3.2"}).get(name)
    assert validate_facts({**damaged, "version": "3.2"})["version"] == "3.2"


def test_a_record_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="list"):
        validate_facts(["nonsense"])
