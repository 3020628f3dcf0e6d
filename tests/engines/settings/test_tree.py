from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from touchline.engines.settings.tree import (
    VARIANTS,
    EnginesSettings,
    ImageSettings,
    PortRange,
    PortSettings,
    VpnSettings,
)


@pytest.mark.parametrize("text", ["19000-19999", " 19000 - 19999 "])
def test_a_range_of_ports_is_written_with_both_ends(text: str) -> None:
    ports = PortSettings.model_validate({"host": text}).host
    assert (ports.first, ports.last, len(ports), str(ports)) == (19000, 19999, 1000, "19000-19999")
    assert 19000 in ports
    assert 19999 in ports
    assert 20000 not in ports
    assert "19000" not in ports


@pytest.mark.parametrize("text", ["19000", "19999-19000", "0-5", "1-65536", "1-2-3", "a-b", ""])
def test_a_wrong_range_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        PortSettings.model_validate({"host": text})


@pytest.mark.parametrize(
    ("http", "https", "fits"),
    [
        ("40000-44999", "45000-49999", True),
        ("45000-49999", "40000-44999", True),
        ("40000-45000", "45000-49999", False),
        ("40000-49999", "42000-43000", False),
    ],
)
def test_http_and_https_need_ports_of_their_own(http: str, https: str, *, fits: bool) -> None:
    given = {"http": http, "https": https}
    if fits:
        assert str(PortSettings.model_validate(given).http) == http
        return
    with pytest.raises(ValidationError):
        PortSettings.model_validate(given)


def test_engines_run_without_any_setting() -> None:
    settings = EnginesSettings()
    assert settings.runtime.kind == "auto"
    assert settings.management_label == ("ondemand.app", "myservice")
    assert settings.image.variant == VARIANTS[0]
    assert settings.image.memory_limit_bytes is None
    assert settings.vpn.names == ()


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"scaling": {"min_replicas": 21}}, ("scaling",)),
        ({"scaling": {"min_free_replicas": 21}}, ("scaling",)),
        ({"scaling": {"max_replicas": -1}}, ("scaling", "max_replicas")),
        ({"scaling": {"startup_timeout_s": 0}}, ("scaling", "startup_timeout_s")),
        ({"health": {"failure_threshold": 0}}, ("health", "failure_threshold")),
        ({"collector": {"history": 0}}, ("collector", "history")),
        ({"breaker": {"failure_threshold": 0}}, ("breaker", "failure_threshold")),
        ({"image": {"variant": "amiga"}}, ("image", "variant")),
        ({"image": {"memory_limit": "plenty"}}, ("image", "memory_limit")),
        ({"image": {"env_names": ["A B"]}}, ("image", "env_names", 0)),
        ({"vpn": {"container_name": "-x"}}, ("vpn", "container_name")),
        ({"label": "a"}, ("label",)),
        ({"label": "a=b=c"}, ("label",)),
        ({"label": "a=b\nc"}, ("label",)),
        ({"reach_host": ""}, ("reach_host",)),
        ({"replicas": 3}, ("replicas",)),
    ],
)
def test_a_wrong_value_is_named_by_its_place(
    given: dict[str, Any], where: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as raised:
        EnginesSettings.model_validate(given)
    assert [error["loc"] for error in raised.value.errors()] == [where]


@pytest.mark.parametrize(("text", "size"), [("512m", 512 << 20), ("2g", 2 << 30), (None, None)])
def test_memory_is_written_with_its_unit(text: str | None, size: int | None) -> None:
    assert ImageSettings(memory_limit=text).memory_limit_bytes == size


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ()),
        ({"container_name": "a"}, ("a",)),
        ({"container_name": "a", "container_name_2": "b"}, ("a",)),
        ({"mode": "redundant", "container_name": "a", "container_name_2": "b"}, ("a", "b")),
    ],
)
def test_vpns_are_looked_at_in_their_order(given: dict[str, Any], names: tuple[str, ...]) -> None:
    assert VpnSettings.model_validate(given).names == names


@pytest.mark.parametrize(
    "given",
    [{}, {"container_name": "a"}, {"container_name": "a", "container_name_2": "a"}],
)
def test_redundant_mode_needs_two_vpns(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="redundant"):
        VpnSettings.model_validate({"mode": "redundant", **given})


def test_a_range_can_be_given_as_a_table() -> None:
    given = {"host": {"first": 1, "last": 2}}
    assert PortSettings.model_validate(given).host == PortRange(first=1, last=2)
