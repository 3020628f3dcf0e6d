"""How engines are made: what each variant's image is told, and what labels say."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from support.half import settings_for
from touchline.core.errors import Invalid
from touchline.engines.model.model import EngineSpec, PortMapping
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.variants.customvariant import VariantConfig, VariantParameter
from touchline.engines.variants.variants import (
    Berth,
    Recipe,
    build_spec,
    engine_name,
    generic_spec,
    ports_fixed_by,
)

PUBLISHED = Berth(40000, 45000, host_http_port=19000)
BEHIND = Berth(19000, 45000, vpn="gluetun", p2p_port=51413)


def spec(
    variant: str = "krinkuto11-amd64",
    *,
    order: EngineOrder | None = None,
    berth: Berth = PUBLISHED,
    custom: VariantConfig | None = None,
    publishes: bool = True,
    **image: Any,
) -> EngineSpec:
    recipe = Recipe(settings_for(image={"variant": variant, **image}), custom)
    return build_spec(
        recipe,
        order or EngineOrder(),
        berth,
        name="acestream-1",
        mark="mark",
        publishes_ports=publishes,
        new_token=lambda: "made",
    )


def custom(*parameters: tuple[str, str, Any], **fields: Any) -> VariantConfig:
    return VariantConfig(
        **{
            "enabled": True,
            "platform": "amd64",
            **fields,
            "parameters": tuple(
                VariantParameter(name=name, type=kind, value=value)
                for name, kind, value in parameters
            ),
        }
    )


def test_the_default_variant_is_told_by_its_environment() -> None:
    made = spec()
    assert made.image == "ghcr.io/krinkuto11/acestream-http-proxy:latest"
    assert made.env["CONF"] == "--http-port=40000\n--https-port=45000\n--bind-all"
    assert (made.env["HTTP_PORT"], made.env["HTTPS_PORT"]) == ("40000", "45000")
    assert "P2P_PORT" not in made.env
    assert made.ports == (PortMapping(40000, 19000),)
    assert made.network is None
    assert not made.restarts
    assert made.labels == {
        "acestream.http_port": "40000",
        "acestream.https_port": "45000",
        "host.http_port": "19000",
        "acestream.engine_variant": "krinkuto11-amd64",
        "touchline.generation": Recipe(settings_for(), None).generation,
        "touchline.idempotency": "mark",
    }


def test_a_callers_conf_stays_as_it_is_and_ports_are_not_a_callers() -> None:
    order = EngineOrder(env={"CONF": "", "HTTP_PORT": "1", "EXTRA_A": "x"}, labels={"a": "b"})
    made = spec(order=order)
    assert made.env["CONF"] == ""
    assert made.env["HTTP_PORT"] == "40000"
    assert made.env["EXTRA_A"] == "x"
    assert made.labels["a"] == "b"


def test_behind_a_vpn_nothing_is_published_and_one_carries_the_forwarded_port() -> None:
    made = spec(berth=BEHIND)
    assert made.network == "container:gluetun"
    assert made.ports == ()
    assert made.env["P2P_PORT"] == "51413"
    assert made.labels["acestream.vpn_container"] == "gluetun"
    assert made.labels["acestream.forwarded"] == "true"
    assert made.labels["acestream.p2p_port"] == "51413"
    assert made.labels["host.http_port"] == "19000"


def test_arguments_in_one_variable_stay_arguments_of_their_own() -> None:
    made = spec("jopsis-amd64", berth=BEHIND)
    words = shlex.split(made.env["ACESTREAM_ARGS"])
    assert made.image == "jopsis/acestream:x64"
    assert words[words.index("--live-buffer") + 1] == "25"
    assert words[words.index("--http-port") + 1] == "19000"
    assert words[words.index("--port") + 1] == "51413"
    # No token that anybody knows.
    assert words[words.index("--access-token") + 1] == "made"
    assert words[words.index("--service-access-token") + 1] == "made"


@pytest.mark.parametrize("variant", ["jopsis-arm32", "jopsis-arm64"])
def test_on_arm_arguments_are_the_command(variant: str) -> None:
    made = spec(variant)
    assert made.image == f"jopsis/acestream:{variant.removeprefix('jopsis-')}-v3.2.13"
    assert made.command[:2] == ("python", "main.py")
    assert made.command[-4:] == ("--http-port", "40000", "--https-port", "45000")


def test_a_custom_variant_counts_whatever_the_configured_one_is() -> None:
    parameters = (
        ("--client-console", "flag", True),
        ("--bind-all", "flag", False),
        ("--log-file", "path", "/tmp/a b; rm -rf x"),
        ("--port", "int", 8621),
    )
    made = spec(custom=custom(*parameters, memory_limit="64m"), berth=BEHIND)
    words = shlex.split(made.env["ACESTREAM_ARGS"])
    assert words[:3] == ["--client-console", "--log-file", "/tmp/a b; rm -rf x"]
    assert words.count("--port") == 1
    assert words[words.index("--port") + 1] == "51413"
    assert made.memory_limit_bytes == 64 << 20
    on_arm = spec(custom=custom(*parameters, platform="arm64", arm_version="3.2.14"))
    assert on_arm.image == "jopsis/acestream:arm64-v3.2.14"
    assert on_arm.command[:5] == (
        "python",
        "main.py",
        "--client-console",
        "--log-file",
        "/tmp/a b; rm -rf x",
    )


def test_remote_access_never_has_a_known_token() -> None:
    made = spec(
        custom=custom(
            ("--service-remote-access", "flag", True), ("--access-token", "string", "mine")
        )
    )
    words = shlex.split(made.env["ACESTREAM_ARGS"])
    assert words[words.index("--access-token") + 1] == "mine"
    assert words[words.index("--service-access-token") + 1] == "made"


def test_a_generation_changes_with_what_makes_an_engine() -> None:
    def generation(custom_config: VariantConfig | None = None, **image: Any) -> str:
        return Recipe(settings_for(image=image), custom_config).generation

    seen = {
        generation(),
        generation(variant="jopsis-amd64"),
        generation(name="other/image:1"),
        generation(memory_limit="64m"),
        generation(custom(("--port", "int", 1))),
        generation(custom(("--port", "int", 2))),
    }
    assert len(seen) == 6
    assert generation() == generation()


def test_an_order_or_the_settings_name_another_image() -> None:
    assert spec(name="mine:1").image == "mine:1"
    assert spec(order=EngineOrder(image="theirs:1"), name="mine:1").image == "theirs:1"


def test_without_publishing_the_port_is_the_same_inside() -> None:
    made = spec(berth=Berth(19000, 45000, 19000, 45000), publishes=False)
    assert made.ports == ()
    assert made.labels["host.http_port"] == made.labels["acestream.http_port"] == "19000"


@pytest.mark.parametrize(
    ("conf", "expected"),
    [
        ("--http-port=1234\n--https-port=2345", (1234, 2345)),
        ("--http-port 1234", (1234, None)),
        ("--http-port=0", (None, None)),
        ("--http-port=x", (None, None)),
        ("'", (None, None)),
        ("", (None, None)),
    ],
)
def test_ports_that_a_conf_fixes(conf: str, expected: tuple[int | None, int | None]) -> None:
    assert ports_fixed_by({"CONF": conf}) == expected


def test_names_are_the_lowest_that_are_free() -> None:
    assert engine_name({"acestream-1", "acestream-3"}) == "acestream-2"
    assert engine_name(set(), "svc") == "svc-1"


def test_any_other_container_is_restarted_by_its_runtime() -> None:
    order = GenericOrder(image="nginx:1", ports={"80/tcp": 8080, "53/udp": None}, env={"A": "b"})
    made = generic_spec(order, name="svc-1")
    assert made.restarts
    assert made.ports == (PortMapping(80, 8080), PortMapping(53, None, "udp"))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"image": ""}, "image_required"),
        ({"image": "a b"}, "value_error"),
        ({"ports": {"80": 0}}, "value_error"),
        ({"ports": {"x/tcp": 1}}, "value_error"),
        ({"ports": {"99999/tcp": 1}}, "value_error"),
        ({"env": {"1A": "x"}}, "value_error"),
        ({"env": {"A": "\0"}}, "value_error"),
        ({"labels": {"acestream.http_port": "1"}}, "value_error"),
        ({"labels": {"touchline.x": "1"}}, "value_error"),
        ({"labels": {"": "1"}}, "value_error"),
        ({"labels": {f"a{n}": "" for n in range(65)}}, "value_error"),
        ({"name_prefix": "-x"}, "value_error"),
        ({"name_prefix": "a/b"}, "value_error"),
    ],
)
def test_an_order_that_cannot_be_is_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        GenericOrder(**{"image": "nginx:1", **fields})
    assert caught.value.code == code


@pytest.mark.parametrize(
    "fields", [{"host_port": 0}, {"host_port": 65536}, {"idempotency_key": ""}, {"image": "-x"}]
)
def test_an_engine_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        EngineOrder(**fields)
