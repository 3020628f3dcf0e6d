"""The fleet keeps engines and streams together, and shows clients what they may use."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from touchline.core.errors import NotFound
from touchline.engines.fleet.fleet import Fleet, Freshness
from touchline.engines.model.model import Engine, Instance, Sample, Stream

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def engine(name: str, port: int = 19000, **changes: Any) -> Engine:
    return Engine(
        id=name, name=name, host="127.0.0.1", port=port, api_host="172.17.0.5", api_port=40000,
        first_seen=NOON, last_seen=NOON, health="healthy", **changes,
    )  # fmt: skip


def stream(name: str, on: str, **changes: Any) -> Stream:
    return Stream(
        id=name, key_type="infohash", key="a" * 40, container_id=on, playback_session_id=name,
        stat_url="http://h/stat", command_url="http://h/cmd", is_live=True, started_at=NOON,
        **changes,
    )  # fmt: skip


def fleet_of(*engines: Engine) -> Fleet:
    fleet = Fleet()
    for each in engines:
        fleet.put(each)
    return fleet


def shown(fleet: Fleet) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(fleet.engines_body().content)
    return found


def test_what_is_known_of_a_runtime_is_current_once_listed_and_until_it_is_lost() -> None:
    freshness = Freshness()
    assert (freshness.is_current, freshness.stale_s(5.0)) == (False, 0.0)
    freshness.listed(10.0)
    assert (freshness.is_current, freshness.stale_s(12.0)) == (True, None)
    assert freshness.lost(20.0, "no socket")
    assert not freshness.lost(21.0, "refused"), "it is no news any more"
    assert (freshness.is_current, freshness.stale_s(25.0)) == (False, 15.0)
    assert (freshness.unreachable_since_s, freshness.reason) == (20.0, "refused")
    freshness.listed(30.0)
    assert (freshness.is_current, freshness.reason) == (True, None)


def test_engines_are_in_the_order_of_their_ports_and_found_by_id_and_both_addresses() -> None:
    fleet = fleet_of(engine("b", 19002), engine("a", 19001), engine("x", 19000, external=True))
    assert [each.id for each in fleet.engines()] == ["x", "a", "b"]
    assert [each.id for each in fleet.managed()] == ["b", "a"]
    assert fleet.at("127.0.0.1", 19001) == fleet.engine("a") == fleet.find("a")
    assert fleet.at("172.17.0.5", 40000) is not None
    assert fleet.at("127.0.0.1", 40000) is None, "the port of one address, the host of the other"
    assert fleet.find(None) is None
    fleet.change("a", port=19009)
    assert [each["container_id"] for each in shown(fleet)] == ["x", "b", "a"]


def test_an_unknown_id_is_not_found() -> None:
    fleet = fleet_of()
    with pytest.raises(NotFound) as engine_error:
        fleet.engine_body("a")
    with pytest.raises(NotFound) as stream_error:
        fleet.stream_body("s")
    assert engine_error.value.code == "engine_not_found"
    assert stream_error.value.code == "stream_not_found"
    assert fleet.change("a", paused=True) is None
    assert fleet.remove("a") is None
    assert fleet.engines_changed.version == 0, "nothing has changed"


def test_readers_wake_for_a_change_and_for_members_only_when_there_are_others() -> None:
    fleet = fleet_of(engine("a"))
    engines, roster = fleet.engines_changed.version, fleet.roster_changed.version
    fleet.put(engine("a"))
    assert fleet.engines_changed.version == engines, "it is the same engine"
    fleet.change("a", paused=True)
    assert fleet.engines_changed.version > engines
    assert fleet.roster_changed.version == roster
    fleet.remove("a")
    assert fleet.roster_changed.version > roster


def test_an_engine_that_leaves_takes_all_with_it_that_was_known_of_it() -> None:
    fleet = fleet_of(engine("a"))
    fleet.leases.grant("a", "lease", 100.0)
    fleet.unread.add("a")
    fleet.seen["a"] = Instance("a", "a", "image", "running", NOON)
    fleet.others["c"] = Instance("c", "c", "image", "exited", NOON)
    assert [each.id for each in fleet.instances()] == ["a", "c"]
    gone = fleet.remove("a")
    assert gone is not None
    assert [each.id for each in fleet.instances()] == ["c"]
    assert (fleet.is_kept("a", 0.0), shown(fleet)) == (False, [])


def test_an_engine_is_free_without_stream_lease_or_streams_that_are_not_known_yet() -> None:
    fleet = fleet_of(engine("a"))
    a = fleet.engine("a")
    assert fleet.is_free(a, 0.0)
    fleet.leases.grant("a", "lease", 10.0)
    assert (fleet.is_free(a, 9.0), fleet.is_free(a, 10.0)) == (False, True)
    fleet.unread.add("a")
    assert not fleet.is_free(a, 10.0)
    fleet.unread.clear()
    fleet.put_stream(stream("s", "a"))
    assert (fleet.is_free(a, 10.0), fleet.is_kept("a", 10.0)) == (False, False)


def test_a_stream_that_ends_or_moves_is_counted_where_it_plays() -> None:
    fleet = fleet_of(engine("a", 1), engine("b", 2))
    first, second = stream("1", "a"), stream("2", "a")
    fleet.put_stream(second)
    fleet.put_stream(first)
    assert [each.id for each in fleet.started_on("a")] == ["2", "1"], "the oldest first"
    fleet.put_stream(replace(second, container_id="b"))
    assert (fleet.streams_on("a"), fleet.streams_on("b")) == (1, 1)
    fleet.put_stream(replace(first, status="ended", ended_at=NOON))
    assert [each.id for each in fleet.started()] == ["2"]
    assert [each.id for each in fleet.streams()] == ["2", "1"], "an ended one is still known"
    assert [each["streams"] for each in shown(fleet)] == [[], ["2"]]
    both = json.loads(fleet.engine_body("b").content)
    assert (both["engine"]["container_id"], both["streams"][0]["id"]) == ("b", "2")


def test_a_forgotten_stream_is_gone_from_its_engine_and_from_all_lists() -> None:
    fleet = fleet_of(engine("a"))
    fleet.put_stream(stream("1", "a"))
    version = fleet.streams_version
    fleet.forget_stream("1")
    assert (fleet.streams_on("a"), list(fleet.streams()), fleet.latest("1")) == (0, [], None)
    assert fleet.streams_version > version
    marks = fleet.streams_changed.version
    fleet.forget_stream("1")
    assert fleet.streams_changed.version == marks


def test_streams_are_shown_with_their_newest_sample_and_in_pages() -> None:
    fleet = fleet_of(engine("a"))
    for number in range(4):
        fleet.put_stream(stream(str(number), "a"))
    fleet.measured("2", Sample(NOON, peers=7))
    fleet.measured("none", Sample(NOON, peers=9))
    assert fleet.latest("none") is None
    assert json.loads(fleet.stream_body("2"))["peers"] == 7
    page = json.loads(fleet.streams_body(lambda each: each.id != "0", offset=1, limit=5))
    assert [(each["id"], each["peers"]) for each in page] == [("2", 7), ("3", None)]


def test_an_engine_that_is_to_be_replaced_gets_no_work_and_says_whether_it_was_asked_for() -> None:
    fleet = fleet_of(
        engine("a", 1), engine("b", 2), engine("c", 3), engine("d", 4, draining="idle")
    )
    fleet.set_outdated(frozenset({"a", "b"}), frozenset({"b"}))
    assert [fleet.gets_work(each) for each in fleet.engines()] == [False, False, True, False]
    assert [each["draining"] for each in shown(fleet)] == ["outdated", "requested", None, "idle"]
    assert (fleet.is_outdated("a"), fleet.is_asked_to_go("a")) == (True, False)
    assert fleet.is_asked_to_go("b")
    fleet.set_outdated(frozenset(), frozenset())
    assert [each["draining"] for each in shown(fleet)] == [None, None, None, "idle"]


def test_engines_of_a_lost_vpn_are_hidden_and_get_no_work_until_it_returns() -> None:
    fleet = fleet_of(engine("a", 1, vpn_container="gluetun"), engine("b", 2))
    fleet.set_lost_vpns(frozenset({"gluetun"}))
    assert [each["container_id"] for each in shown(fleet)] == ["b"]
    assert not fleet.gets_work(fleet.engine("a"))
    assert len(fleet.engines()) == 2, "it still runs and counts"
    fleet.set_lost_vpns(frozenset())
    assert [each["container_id"] for each in shown(fleet)] == ["a", "b"]
    assert fleet.gets_work(fleet.engine("a"))


def test_a_forwarded_port_is_shown_on_the_engine_that_has_it() -> None:
    fleet = fleet_of(
        engine("a", 1, vpn_container="gluetun", forwarded=True),
        engine("b", 2, vpn_container="gluetun"),
    )
    fleet.set_forwarded_ports({"gluetun": 51413})
    assert [each["forwarded_port"] for each in shown(fleet)] == [51413, None]
    marks = fleet.engines_changed.version
    fleet.set_forwarded_ports({"gluetun": 51413})
    assert fleet.engines_changed.version == marks


def test_equal_versions_of_the_list_have_equal_bytes() -> None:
    fleet = fleet_of(engine("a"))
    first = fleet.engines_body()
    assert fleet.engines_body() == first
    fleet.change("a", health="unhealthy")
    assert fleet.engines_body().version > first.version
    assert fleet.engines_body().content != first.content
