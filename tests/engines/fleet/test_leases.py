from __future__ import annotations

from touchline.engines.fleet.leases import Leases


def test_a_lease_holds_its_engine_until_it_expires() -> None:
    leases = Leases()
    leases.grant("a", "1", 10.0)
    assert leases.holds("a", 9.9)
    assert leases.find("1", 9.9) == "a"
    assert leases.find("1", 10.0) is None
    assert not leases.holds("a", 10.0)
    assert not leases.holds("a", 9.9), "an expired lease does not come back"


def test_the_newest_lease_replaces_the_one_before() -> None:
    leases = Leases()
    leases.grant("a", "1", 10.0)
    leases.grant("a", "2", 20.0)
    assert (leases.find("1", 0.0), leases.find("2", 0.0)) == (None, "a")
    leases.release("a")
    leases.release("a")
    assert not leases.holds("a", 0.0)
