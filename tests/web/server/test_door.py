"""Who may come in and who has to go, without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from touchline.core.metrics import Metrics
from touchline.ipc.listening import ListeningClock
from touchline.settings.tree import HttpSettings
from touchline.web.server.door import BODY_S, LIMITS_S, UNREAD_S, Door, State


@dataclass(eq=False)
class Guest:
    has_input: bool = False
    ended: list[bool] = field(default_factory=list)

    def dismiss(self, *, at_once: bool) -> None:
        self.ended.append(at_once)


class House:
    """A door whose clock is moved by hand."""

    def __init__(self, most: int = 4, most_an_address: int = 2) -> None:
        self.now_s = 0.0
        self.door = Door(
            most=most,
            most_an_address=most_an_address,
            trusted=["10.9.0.0/16"],
            clock=ListeningClock(lambda: self.now_s, slice_s=0.25),
        )

    def enter(self, address: str = "127.0.0.1", state: State = "waiting") -> Guest:
        guest = Guest()
        self.door.register_connection(guest, address)
        self.door.move(guest, state)
        return guest

    def wait(self, seconds: float) -> None:
        """As the loop does it: in looks."""
        for _ in range(round(seconds / 0.2)):
            self.now_s += 0.2
            self.door.look()


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        pytest.param("192.0.2.7", 2, id="a client of the network"),
        pytest.param("127.0.0.1", 4, id="this machine"),
        pytest.param("127.8.9.1", 4, id="this machine by another of its addresses"),
        pytest.param("::1", 4, id="over IPv6"),
        pytest.param("::ffff:127.0.0.1", 4, id="mapped"),
        pytest.param("10.9.3.4", 4, id="a trusted proxy"),
        pytest.param("", 4, id="a Unix socket"),
    ],
)
def test_an_address_has_its_limit_and_loopback_and_proxies_have_none(
    address: str, admitted: int
) -> None:
    house = House()
    count = 0
    while house.door.refusal_for(address) is None and count < 4:
        house.enter(address, "busy")
        count += 1
    assert count == admitted
    refusal = house.door.refusal_for(address)
    assert refusal is not None
    assert refusal.status == (429 if admitted == 2 else 503)


def test_the_addresses_of_one_ipv6_network_share_a_limit() -> None:
    house = House(most=100)
    guests = []
    for number in range(2):
        assert house.door.refusal_for(f"2001:db8:0:7:{number:x}::1") is None
        guests.append(house.enter(f"2001:db8:0:7:{number:x}::1", "busy"))
    refusal = house.door.refusal_for("2001:db8:0:7:ffff:ffff:ffff:ffff")
    assert refusal is not None
    assert refusal.status == 429
    assert house.door.refusal_for("2001:db8:0:8::1") is None
    assert house.door.refusal_for("::1") is None
    for guest in guests:
        house.door.left(guest)
    assert house.door.refusal_for("2001:db8:0:7:ffff:ffff:ffff:ffff") is None
    assert not house.door._by_address


def test_this_machine_has_no_limit_by_any_of_its_addresses() -> None:
    house = House(most=8)
    for _ in range(5):
        assert house.door.refusal_for("192.0.2.10", "192.0.2.10") is None
        house.enter("192.0.2.10", "busy")
    assert house.door.refusal_for("192.0.2.7", "192.0.2.10") is None
    house.enter("192.0.2.7", "busy")
    house.enter("192.0.2.7", "busy")
    assert house.door.refusal_for("192.0.2.7", "192.0.2.10") is not None


def test_the_defaults_let_one_address_have_what_a_busy_club_needs() -> None:
    """2,000 idle connections and 200 requests of one address, and room for others beside them."""
    defaults = HttpSettings()
    assert 2_200 < defaults.max_connections_per_address < defaults.max_connections


def test_who_only_sits_there_makes_room_for_who_asks_something() -> None:
    house = House(most=3)
    idle, later, busy = house.enter(), house.enter(), house.enter(state="busy")
    assert house.door.refusal_for("127.0.0.1") is None
    assert (idle.ended, later.ended, busy.ended) == ([True], [], [])
    house.enter(state="busy")
    assert house.door.refusal_for("127.0.0.1") is None, "the other idle one goes"
    house.enter(state="socket")
    refusal = house.door.refusal_for("127.0.0.1")
    assert refusal is not None
    assert refusal.status == 503
    assert busy.ended == []


def test_where_descriptors_ran_out_fewer_come_in_for_a_while() -> None:
    house = House(most=100)
    guests = [house.enter() for _ in range(50)]
    house.door.shed_connections()
    assert sum(bool(guest.ended) for guest in guests) == 32
    assert house.door.most == 18
    house.enter(state="busy")
    house.wait(35)
    assert house.door.most == 36
    house.wait(60)
    assert house.door.most == 100


@pytest.mark.parametrize(
    ("state", "limit_s"), [(state, limit_s) for state, limit_s in LIMITS_S.items()]
)
def test_each_state_has_its_time(state: State, limit_s: float) -> None:
    house = House()
    guest = house.enter(state=state)
    house.wait(limit_s - 0.5)
    assert guest.ended == []
    house.wait(1)
    assert guest.ended[:1] in ([True], [False])


def test_bodies_and_unread_answers_have_their_time() -> None:
    house = House()
    body, unread = house.enter(state="busy"), house.enter(state="busy")
    house.door.body(body, expected=True)
    house.door.unread(unread, waits=True)
    house.wait(BODY_S + 1)
    assert body.ended[:1] == [False]
    assert unread.ended == []
    house.door.body(body, expected=False)
    house.wait(UNREAD_S - BODY_S)
    assert unread.ended == [True]


def test_nobody_is_dismissed_for_a_pause_of_our_own_or_with_something_to_read() -> None:
    house = House()
    guest = house.enter()
    house.now_s += 3600
    house.door.look()
    assert guest.ended == []
    guest.has_input = True
    house.wait(LIMITS_S["waiting"] + 1)
    assert guest.ended == []
    guest.has_input = False
    house.wait(0.4)
    assert guest.ended != []


def test_who_left_is_forgotten_and_metrics_tell_what_is() -> None:
    house = House()
    metrics = Metrics()
    house.door.count_into(metrics)
    guest = house.enter("192.0.2.7", "busy")
    house.enter("192.0.2.7", "socket")
    assert house.door.refusal_for("192.0.2.7") is not None
    house.door.left(guest)
    house.door.left(guest)
    house.door.move(guest, "busy")
    assert house.door.refusal_for("192.0.2.7") is None
    text = metrics.render().decode()
    assert 'touchline_http_connections{state="socket"} 1.0' in text
    assert 'touchline_http_connections{state="busy"} 0.0' in text
    assert 'touchline_http_connections_refused_total{reason="address"} 1.0' in text
