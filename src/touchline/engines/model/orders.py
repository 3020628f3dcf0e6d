"""Client orders for engines and other containers, validated on creation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from touchline.core.errors import Invalid
from touchline.engines.model.labels import OURS
from touchline.engines.model.model import PortMapping

MOST_ENTRIES = 64
MOST_NAME, MOST_VALUE = 255, 32_768
MOST_TEXT = 131_072
"""Maximum length of all names and values together, in characters."""

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LABEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_PREFIX = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")
_IMAGE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,511}")
_PORT = re.compile(r"([0-9]{1,5})(?:/(tcp|udp))?")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True)
class EngineOrder:
    """Order for an engine, from `POST /provision/acestream`. Raises Invalid if not valid."""

    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    host_port: int | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        check_labels(self.labels)
        check_env(self.env)
        if self.image is not None:
            check_image(self.image)
        if self.host_port is not None and not 0 < self.host_port <= 65535:
            raise _invalid_field("host_port", self.host_port, "must be a port from 1 to 65535")
        if self.idempotency_key is not None and _KEY.fullmatch(self.idempotency_key) is None:
            raise Invalid(
                "An Idempotency-Key has 1 to 200 printable ASCII characters",
                code="idempotency_key_invalid",
                loc=("header", "Idempotency-Key"),
                input=self.idempotency_key,
            )

    @property
    def is_plain(self) -> bool:
        """Whether any engine fulfils the order, including one that is already running."""
        return not (self.labels or self.env or self.image or self.host_port)


@dataclass(frozen=True)
class GenericOrder:
    """Order for any container, from `POST /provision`. Raises Invalid if not valid."""

    image: str
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int | None] = field(default_factory=dict)
    """Ports of the host by `8000/tcp`; None is any free one."""
    name_prefix: str = "svc"

    def __post_init__(self) -> None:
        check_image(self.image)
        check_labels(self.labels)
        check_env(self.env)
        if _PREFIX.fullmatch(self.name_prefix) is None:
            raise _invalid_field(
                "name_prefix",
                self.name_prefix,
                "must begin with a letter or digit and contain only letters, digits and _ . -",
            )
        self.mappings()

    def mappings(self) -> tuple[PortMapping, ...]:
        """Return the parsed ports."""
        if len(self.ports) > MOST_ENTRIES:
            raise _invalid_field("ports", len(self.ports), f"must not be more than {MOST_ENTRIES}")
        found = []
        for name, host_port in self.ports.items():
            match = _PORT.fullmatch(name)
            if match is None or not 0 < int(match[1]) <= 65535:
                raise _invalid_field("ports", name, "must be written as 8000/tcp")
            if host_port is not None and not 0 < host_port <= 65535:
                raise _invalid_field(
                    "ports", host_port, "must map to a port from 1 to 65535, or null"
                )
            protocol: Literal["tcp", "udp"] = "udp" if match[2] == "udp" else "tcp"
            found.append(PortMapping(int(match[1]), host_port, protocol))
        return tuple(found)


def check_labels(labels: Mapping[str, str]) -> None:
    """Check labels.

    Raises Invalid for reserved names, and for labels that no runtime accepts.
    """
    _check_entries("labels", labels)
    for name in labels:
        if _LABEL_NAME.fullmatch(name) is None:
            raise _invalid_field("labels", name, "must contain only letters, digits and . _ / -")
        if name in OURS or name.startswith("touchline."):
            raise _invalid_field("labels", name, "is reserved for this server")


def check_env(env: Mapping[str, str]) -> None:
    """Check environment variables. Raises Invalid for names or values that are not possible."""
    _check_entries("env", env)
    for name in env:
        if _ENV_NAME.fullmatch(name) is None:
            raise _invalid_field("env", name, "is not a valid name of an environment variable")


def check_image(image: str) -> None:
    """Check an image reference. Raises Invalid if it is missing or malformed."""
    if not image.strip():
        raise Invalid("An image is required; nothing was started", code="image_required")
    if _IMAGE.fullmatch(image) is None:
        raise _invalid_field("image", image, "is not a valid image reference")


def _check_entries(what: str, entries: Mapping[str, str]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise _invalid_field(what, len(entries), f"must not be more than {MOST_ENTRIES}")
    if sum(len(name) + len(value) for name, value in entries.items()) > MOST_TEXT:
        raise _invalid_field(what, len(entries), f"must not have more than {MOST_TEXT} characters")
    for name, value in entries.items():
        if not 0 < len(name) <= MOST_NAME:
            raise _invalid_field(what, name, f"must have names of 1 to {MOST_NAME} characters")
        if len(value) > MOST_VALUE:
            raise _invalid_field(what, name, f"must not have more than {MOST_VALUE} characters")
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise _invalid_field(what, name, "contains a null character")


def _invalid_field(field_name: str, value: object, why: str) -> Invalid:
    return Invalid(
        f"{field_name}: {value!r} {why}", code="value_error", loc=("body", field_name), input=value
    )
