"""Which engine an order gets again."""

from __future__ import annotations

import pytest

from touchline.core.errors import Refused
from touchline.engines.fleet.adoption import external_engine
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Engine
from touchline.engines.model.orders import EngineOrder
from touchline.engines.provisioning.handouts import Handouts, fingerprint_order

LEASE_S = 30.0


def in_fleet(fleet: Fleet, engine_id: str = "a") -> Engine:
    clock = Clock()
    engine = external_engine(engine_id, "127.0.0.1", 6878, {}, now=clock.now(), now_s=0.0)
    fleet.put(engine)
    return engine


def test_a_key_gives_the_same_engine_for_the_time_of_a_lease() -> None:
    now_s = [0.0]
    fleet = Fleet()
    engine = in_fleet(fleet)
    handouts = Handouts(fleet, lease_s=LEASE_S, now_s=lambda: now_s[0])
    handouts.hand_out(engine, "key.plain")
    assert handouts.find_assigned_engine("key", "key.plain") == engine
    assert handouts.find_assigned_engine("other", "other.plain") is None
    assert fleet.is_kept(engine.id, now_s[0])
    now_s[0] = LEASE_S + 1
    assert handouts.find_assigned_engine("key", "key.plain") is None
    assert not fleet.is_kept(engine.id, now_s[0])


def test_a_key_of_another_request_is_refused() -> None:
    fleet = Fleet()
    handouts = Handouts(fleet, lease_s=LEASE_S, now_s=lambda: 0.0)
    handouts.hand_out(in_fleet(fleet), "key.plain")
    with pytest.raises(Refused) as refused:
        handouts.find_assigned_engine("key", "key.another")
    assert refused.value.code == "idempotency_key_reused"


def test_an_engine_that_nobody_waited_for_goes_to_one_equal_order() -> None:
    fleet = Fleet()
    engine = in_fleet(fleet)
    handouts = Handouts(fleet, lease_s=LEASE_S, now_s=lambda: 0.0)
    handouts.keep_left("plain", engine)
    assert handouts.take_left("other") is None
    assert handouts.take_left("plain") == engine
    assert handouts.take_left("plain") is None


def test_orders_are_equal_by_what_is_ordered() -> None:
    plain, labelled = EngineOrder(), EngineOrder(labels={"a": "b"})
    assert fingerprint_order(plain, None) == fingerprint_order(EngineOrder(), None)
    assert fingerprint_order(plain, None) != fingerprint_order(labelled, None)
    assert fingerprint_order(plain, None) != fingerprint_order(plain, "mark")
