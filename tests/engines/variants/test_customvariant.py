"""The custom variant: what is accepted, what is kept, and what is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from touchline.engines.variants.customvariant import (
    HIDDEN,
    ConfigInvalid,
    check,
    hidden,
    platform_of,
)
from touchline.engines.variants.variantstore import (
    VariantStore,
    config_of,
    open_variants,
)

pytestmark = pytest.mark.anyio


def config(*parameters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"enabled": True, "platform": "amd64", "parameters": list(parameters), **fields}


def parameter(name: str, kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "value": value, **more}


TOKEN = parameter("--access-token", "string", "secret")


@pytest.mark.parametrize(
    ("machine", "platform"),
    [
        ("x86_64", "amd64"),
        ("AMD64", "amd64"),
        ("aarch64", "arm64"),
        ("arm64", "arm64"),
        ("armv7l", "arm32"),
        ("riscv64", "amd64"),
    ],
)
def test_the_platform_of_a_machine(machine: str, platform: str) -> None:
    assert platform_of(machine) == platform


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (config(platform="mips"), "platform must be one of"),
        (config(arm_version="1"), "arm_version must be one of"),
        (config(memory_limit="1m"), "between 32m and 128g"),
        (config(memory_limit="much"), "memory_limit"),
        (config(parameter("--live-buffer", "float", 1)), "unknown type"),
        (config(parameter("--live-buffer", "string", "1")), "is of type int"),
        (config(parameter("--live-buffer", "int", True)), "whole number"),
        (config(parameter("--live-buffer", "int", "1")), "whole number"),
        (config(parameter("--live-buffer", "int", -1)), "from 0 to 3600"),
        (config(parameter("--client-console", "flag", 1)), "true or false"),
        (config(parameter("--live-cache-type", "string", "ram")), "one of memory, disk, hybrid"),
        (config(parameter("--log-file", "path", "a\nb")), "printable"),
        (config(parameter("--rm -rf; echo", "flag", True)), "is unknown"),
        (
            config(parameter("--rm -rf; echo", "flag", True, custom=True)),
            "not a valid parameter name",
        ),
        (config(parameter("--http-port", "int", 1, custom=True)), "per engine"),
        (config(TOKEN, TOKEN), "given twice"),
        (config(parameters=[{"name": "--x"}]), "parameters.0.type"),
        ({"enabled": True}, "platform"),
        ([], "Invalid configuration"),
    ],
)
def test_what_makes_no_sense_is_named(given: Any, words: str) -> None:
    with pytest.raises(ConfigInvalid, match="Invalid configuration") as caught:
        check(config_of(given))
    assert words in caught.value.message


def test_all_faults_are_told_at_once() -> None:
    given = config(parameter("--live-buffer", "int", -1), platform="mips", arm_version="1")
    with pytest.raises(ConfigInvalid) as caught:
        check(config_of(given))
    assert len(caught.value.details["faults"]) == 3


def test_a_parameter_that_is_off_may_have_any_value_and_a_new_one_may_be_meant() -> None:
    check(
        config_of(
            config(
                parameter("--live-buffer", "int", "x", enabled=False),
                parameter("--brand-new", "string", "x", custom=True),
            )
        )
    )


@pytest.mark.parametrize(
    "name",
    [
        "--password",
        "--proxy-passwd",
        "--login",
        "--my-TOKEN",
        "-k-secret",
        "--api-key",
        "--apikey",
        "--auth",
        "--user",
        "--pin",
        "--tracker-credentials",
    ],
)
@pytest.mark.parametrize(("kind", "value"), [("string", "abc"), ("int", 1234), ("path", "/a")])
async def test_secrets_that_no_catalogue_knows_are_kept_and_never_shown(
    tmp_path: Path, name: str, kind: str, value: Any
) -> None:
    store = await opened(tmp_path)
    await store.save(config_of(config(parameter(name, kind, value, custom=True))))
    shown = hidden(store.config)
    assert shown["parameters"][0]["value"] == HIDDEN
    await store.save(config_of(shown))
    assert store.config.parameters[0].value == value


def test_other_values_are_shown() -> None:
    given = [parameter("--live-cache-size", "bytes", 1 << 20), TOKEN]
    given += [
        parameter(n, "string", "x", custom=True) for n in ("--keyframes", "--author", "--pins")
    ]
    given.append(parameter("--allow-login", "flag", True, custom=True))
    shown = [each["value"] for each in hidden(config_of(config(*given)))["parameters"]]
    assert shown == [1 << 20, HIDDEN, "x", "x", "x", True]


async def opened(directory: Path) -> VariantStore:
    async with open_variants(directory, platform="amd64") as store:
        return store
