from __future__ import annotations

from typing import Any

import pytest

from touchline.core.errors import Invalid
from touchline.engines.model.labels import HTTP_PORT
from touchline.engines.model.model import PortMapping
from touchline.engines.model.orders import MOST_ENTRIES, MOST_VALUE, EngineOrder, GenericOrder


@pytest.mark.parametrize(
    "order",
    [
        {"labels": {HTTP_PORT: "1"}},
        {"labels": {"touchline.any": "1"}},
        {"labels": {"-a": "1"}},
        {"labels": {"": "1"}},
        {"labels": {"a": "nul\0"}},
        {"labels": {"a": "\ud800"}},
        {"labels": {"a": "x" * (MOST_VALUE + 1)}},
        {"labels": {str(n): "" for n in range(MOST_ENTRIES + 1)}},
        {"env": {"1A": "x"}},
        {"env": {"A=B": "x"}},
        {"env": {f"A{n}": "x" * MOST_VALUE for n in range(5)}},
        {"image": " "},
        {"image": "-rm"},
        {"host_port": 0},
        {"host_port": 65536},
        {"idempotency_key": "two words"},
        {"idempotency_key": ""},
    ],
)
def test_an_order_that_no_runtime_can_fulfil_is_invalid(order: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        EngineOrder(**order)


def test_a_plain_order_is_one_that_any_engine_fulfils() -> None:
    assert EngineOrder(idempotency_key="key").is_plain
    special: list[dict[str, Any]] = [
        {"labels": {"a": "b"}},
        {"env": {"A": "b"}},
        {"image": "registry:5000/a/b@sha256:0"},
        {"host_port": 19000},
    ]
    assert not any(EngineOrder(**order).is_plain for order in special)


def test_ports_of_a_container_are_read() -> None:
    order = GenericOrder("web:1", ports={"8000/tcp": 80, "53/udp": None, "9000": 65535})
    assert order.mappings() == (
        PortMapping(8000, 80),
        PortMapping(53, None, "udp"),
        PortMapping(9000, 65535),
    )


@pytest.mark.parametrize(
    "ports",
    [
        {"0/tcp": None},
        {"65536": None},
        {"80/sctp": None},
        {"٨٠": None},
        {"80": 0},
        {"80": 70000},
        {f"{n}": None for n in range(1, MOST_ENTRIES + 2)},
    ],
)
def test_ports_that_are_none_are_refused(ports: dict[str, int | None]) -> None:
    with pytest.raises(Invalid, match="ports"):
        GenericOrder("web:1", ports=ports)


def test_a_name_begins_with_a_letter_or_digit() -> None:
    with pytest.raises(Invalid, match="name_prefix"):
        GenericOrder("web:1", name_prefix="_a")
