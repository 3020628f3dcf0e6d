"""Custom variant: validation and rendering of an operator's engine parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)

from touchline.core.answers import DescribedAs
from touchline.core.errors import Invalid
from touchline.engines.settings.memorysize import memory_bytes
from touchline.engines.variants.catalogue import BY_NAME, CATALOGUE, Parameter, ParameterType

Platform = Literal["amd64", "arm32", "arm64"]

PLATFORMS: tuple[Platform, ...] = get_args(Platform)
ARM_VERSIONS = ("3.2.13", "3.2.14")
PARAMETER_TYPES: tuple[ParameterType, ...] = get_args(ParameterType)
HIDDEN = "********"
"""Placeholder for a secret; in a request it stands for the stored secret."""

MOST_PARAMETERS, MOST_VALUE = 200, 4096
_NAME = re.compile(r"--?[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_OURS = frozenset({"--http-port", "--https-port"})
_MOST_INT = (1 << 63) - 1

_SECRET_PARTS = ("token", "passw", "secret", "login", "credential", "apikey")
_SECRET_WORDS = frozenset({"auth", "key", "keys", "pass", "pin", "pwd", "user", "username"})
"""Words in names of unknown parameters whose values are treated as secrets."""


class ConfigInvalid(Invalid):
    """Invalid configuration; the message names every fault."""

    default_code = "invalid_configuration"


def _matching(pattern: str) -> WithJsonSchema:
    """Describe a text whose value `check` validates. Form fields are of type string."""
    return WithJsonSchema({"type": "string", "maxLength": 64, "pattern": pattern})


def _one_of(words: Sequence[str]) -> WithJsonSchema:
    return _matching(f"^({'|'.join(map(re.escape, words))})$")


_MEMORY = r"^\s*([0-9]{1,15}[bBkKmMgG]?)?\s*$"


class VariantParameter(BaseModel):
    """A parameter with its value."""

    model_config = ConfigDict(frozen=True)

    name: StrictStr = Field(max_length=256)
    type: Annotated[StrictStr, Field(max_length=64), _one_of(PARAMETER_TYPES)]
    value: StrictBool | StrictInt | StrictFloat | StrictStr | None = None
    enabled: StrictBool = True
    custom: StrictBool = Field(
        default=False, description="Set to true for a parameter that is not in the catalogue."
    )


class VariantConfig(BaseModel):
    """Configuration of a custom variant."""

    # The structure is validated here, the values by `check`.
    model_config = ConfigDict(frozen=True, json_schema_extra={"additionalProperties": True})

    enabled: StrictBool = Field(
        default=False, description="Whether new engines use this configuration."
    )
    platform: Annotated[StrictStr, Field(max_length=64), _one_of(PLATFORMS)]
    arm_version: Annotated[StrictStr, Field(max_length=64), _one_of(ARM_VERSIONS)] = "3.2.13"
    memory_limit: Annotated[StrictStr, Field(max_length=64), _matching(_MEMORY)] | None = Field(
        default=None,
        description="Memory limit such as 512m or 2g, from 32m to 128g; null or 0 for none.",
    )
    parameters: tuple[VariantParameter, ...] = Field(
        default_factory=tuple, max_length=MOST_PARAMETERS
    )


ShownConfig = Annotated[dict[str, Any], DescribedAs(VariantConfig)]
"""Configuration as shown to clients, with secrets masked."""


def default_config(platform: Platform) -> VariantConfig:
    """Return the default configuration: every known parameter with the engine's default."""
    return VariantConfig(
        platform=platform,
        parameters=tuple(
            VariantParameter(name=p.name, type=p.type, value=p.default, enabled=p.is_on)
            for p in CATALOGUE
        ),
    )


def platform_of(machine: str) -> Platform:
    """Return the platform for a machine name."""
    machine = machine.lower()
    if machine == "aarch64" or (machine.startswith("arm") and "64" in machine):
        return "arm64"
    return "arm32" if machine.startswith("arm") else "amd64"


def check(config: VariantConfig) -> None:
    """Check a configuration. Raises ConfigInvalid with every fault."""
    faults = list(_faults(config))
    if faults:
        raise ConfigInvalid("Invalid configuration: " + "; ".join(faults), faults=faults)


def arguments(config: VariantConfig, *, has_port: bool) -> list[str]:
    """Return the enabled parameters as separate arguments.

    `has_port`: `--port` is given already.
    """
    given: list[str] = []
    for parameter in config.parameters:
        if not parameter.enabled or parameter.name in _OURS:
            continue
        if parameter.name == "--port" and has_port:
            continue
        if parameter.type == "flag":
            given += [parameter.name] if parameter.value is True else []
        elif parameter.value not in {"", None}:
            given += [parameter.name, str(parameter.value)]
    return given


def memory_limit_bytes(config: VariantConfig) -> int | None:
    """Return the memory limit of each engine; None: there is none."""
    return memory_bytes(config.memory_limit) if config.memory_limit else None


def hidden(config: VariantConfig) -> ShownConfig:
    """Return the configuration as shown to clients, with secrets masked."""
    shown: ShownConfig = config.model_dump(mode="json")
    for parameter in shown["parameters"]:
        value = parameter["value"]
        if _is_secret(parameter["name"]) and value and not isinstance(value, bool):
            parameter["value"] = HIDDEN
    return shown


def with_secrets_of(config: VariantConfig, before: VariantConfig) -> VariantConfig:
    """Return `config` with masked secrets replaced by those of `before`."""
    kept = {p.name: p.value for p in before.parameters if _is_secret(p.name)}
    return config.model_copy(
        update={
            "parameters": tuple(
                p.model_copy(update={"value": kept.get(p.name, "")})
                if _is_secret(p.name) and p.value == HIDDEN
                else p
                for p in config.parameters
            )
        }
    )


def _is_secret(name: str) -> bool:
    known = BY_NAME.get(name)
    if known is not None:
        return known.is_secret
    name = name.lower()
    return any(part in name for part in _SECRET_PARTS) or not _SECRET_WORDS.isdisjoint(
        re.split("[^a-z0-9]+", name)
    )


def _faults(config: VariantConfig) -> Iterator[str]:
    if config.platform not in PLATFORMS:
        yield f"platform must be one of {', '.join(PLATFORMS)}"
    if config.arm_version not in ARM_VERSIONS:
        yield f"arm_version must be one of {', '.join(ARM_VERSIONS)}"
    if config.memory_limit:
        try:
            memory_bytes(config.memory_limit)
        except ValueError as error:
            yield f"memory_limit: {error}"
    seen: set[str] = set()
    for parameter in config.parameters:
        if parameter.name in seen:
            yield f"{parameter.name} is given twice"
        seen.add(parameter.name)
        yield from (f"{parameter.name[:64]} {fault}" for fault in _parameter_faults(parameter))


def _parameter_faults(parameter: VariantParameter) -> Iterator[str]:
    known = BY_NAME.get(parameter.name)
    if isinstance(parameter.value, float) and not math.isfinite(parameter.value):
        # Python reads NaN and 1e400 where JSON has no such numbers: they could not be returned.
        yield "has a value that is infinite or not a number"
        return
    if parameter.type not in PARAMETER_TYPES:
        yield f"has an unknown type; must be one of {', '.join(PARAMETER_TYPES)}"
        return
    if parameter.name in _OURS:
        yield "is set per engine by this server"
    elif known is None and not parameter.custom:
        yield 'is unknown; set "custom": true to use it anyway'
    elif _NAME.fullmatch(parameter.name) is None:
        yield "is not a valid parameter name"
    elif known is not None and parameter.type != known.type:
        yield f"is of type {known.type}, not {parameter.type}"
    elif parameter.enabled:
        yield from _value_faults(parameter, known)


def _value_faults(parameter: VariantParameter, known: Parameter | None) -> Iterator[str]:
    value = parameter.value
    if parameter.type == "flag":
        if not isinstance(value, bool):
            yield "must be true or false"
        return
    if parameter.type in {"int", "bytes"}:
        if isinstance(value, bool) or not isinstance(value, int):
            yield "must be a whole number"
            return
        least = known.minimum if known is not None else None
        most = known.maximum if known is not None else None
        least, most = (
            (-_MOST_INT if least is None else least),
            (_MOST_INT if most is None else most),
        )
        if not least <= value <= most:
            yield f"must be from {least} to {most}"
        return
    if not isinstance(value, str):
        yield "must be a string"
    elif len(value) > MOST_VALUE or any(c < " " or "\ud800" <= c <= "\udfff" for c in value):
        yield f"must have at most {MOST_VALUE} printable characters"
    elif known is not None and known.choices and value not in known.choices:
        yield f"must be one of {', '.join(known.choices)}"
