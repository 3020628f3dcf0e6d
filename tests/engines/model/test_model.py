from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from support.values import engine_value
from touchline.engines.model.model import NOTHING, EngineSpec, PortMapping, format_url_host


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("172.17.0.5", "http://172.17.0.5:40000"),
        ("engine.local", "http://engine.local:40000"),
        ("fd00::5", "http://[fd00::5]:40000"),
    ],
)
def test_an_engine_is_asked_at_its_address_whatever_the_family(host: str, url: str) -> None:
    assert engine_value(api_host=host).api_url == url
    assert format_url_host(host) in url


def test_a_port_has_the_name_that_docker_gives_it() -> None:
    assert PortMapping(40000, None).name == "40000/tcp"
    assert PortMapping(8621, 8621, "udp").name == "8621/udp"


def test_values_do_not_change_and_share_nothing_that_does() -> None:
    engine = engine_value()
    with pytest.raises(FrozenInstanceError):
        engine.port = 1  # type: ignore[misc]
    assert EngineSpec("a", "image").env is NOTHING
    with pytest.raises(TypeError):
        NOTHING["a"] = "b"  # type: ignore[index]
