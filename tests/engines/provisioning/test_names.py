"""Names of new instances."""

from __future__ import annotations

from touchline.engines.fleet.fleet import Fleet
from touchline.engines.provisioning.names import COUNTED_NAMES, FOREIGN_S, NameBook


def test_names_that_are_being_started_or_taken_are_passed_over_for_a_while() -> None:
    now_s = [0.0]
    starting: set[str] = set()
    names = NameBook(Fleet(), starting, now_s=lambda: now_s[0])
    first = names.choose("acestream", 0)
    starting.add(first)
    second = names.choose("acestream", 0)
    assert second != first
    names.avoid(second)
    assert names.choose("acestream", 0) not in {first, second}
    now_s[0] = FOREIGN_S + 1
    assert names.choose("acestream", 0) == second


def test_after_many_taken_names_a_random_one_is_chosen() -> None:
    names = NameBook(Fleet(), set(), now_s=lambda: 0.0)
    chosen = {names.choose("acestream", COUNTED_NAMES) for _ in range(5)}
    assert len(chosen) > 1
    assert all(name.startswith("acestream-") for name in chosen)
