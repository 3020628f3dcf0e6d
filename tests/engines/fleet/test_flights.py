"""Starts that are under way: counted, told of a death, and left to the next equal order."""

from __future__ import annotations

import asyncio

import pytest

from touchline.engines.fleet.flights import FlightBook
from touchline.engines.model.model import Engine


def test_a_flight_counts_until_it_leaves_however_often_it_does() -> None:
    book = FlightBook()
    first = book.register_flight(None, forwarded=False, for_client=False)
    second = book.register_flight("v1", forwarded=True, for_client=True)
    assert list(book) == [first, second]
    book.leave(first)
    book.leave(first)
    assert list(book) == [second]
    assert len(book) == 1


def test_only_the_start_of_that_name_hears_of_a_death() -> None:
    book = FlightBook()
    one, other = (book.register_flight(None, forwarded=False, for_client=False) for _ in range(2))
    one.name_instance("acestream-1")
    other.name_instance("acestream-2")
    book.instance_died("acestream-2", 137)
    assert other.died.is_set()
    assert other.exit_code == 137
    assert not one.died.is_set()


@pytest.mark.anyio
async def test_a_start_that_was_left_goes_to_one_equal_order_only() -> None:
    async def start() -> Engine:
        raise AssertionError("never run")

    book = FlightBook()
    flight = book.register_flight(None, forwarded=False, for_client=True, wanted="plain")
    task = flight.run(start())
    assert book.take_left("plain") is None, "somebody waits for it"
    flight.abandon()
    assert book.take_left("other") is None
    assert book.take_left("plain") is flight
    assert book.take_left("plain") is None
    task.cancel()
    await asyncio.wait({task})


def test_a_place_can_add_a_forwarded_port_but_not_remove_it() -> None:
    flight = FlightBook().register_flight(None, forwarded=False, for_client=False)
    flight.place("v1", forwarded=True)
    flight.place("v2", forwarded=False)
    assert flight.vpn == "v2"
    assert flight.forwarded


def test_the_next_attempt_of_a_start_does_not_hear_of_the_death_of_the_last() -> None:
    book = FlightBook()
    flight = book.register_flight(None, forwarded=False, for_client=False)
    flight.name_instance("acestream-1")
    book.instance_died("acestream-1", 1)
    flight.name_instance("acestream-2")
    assert not flight.died.is_set()
