"""Known engine parameters, with bounds and a help text for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER

ParameterType = Literal["flag", "string", "int", "bytes", "path"]

_CACHES = ("memory", "disk", "hybrid")
_MOST = (1 << 63) - 1


@with_config(ANSWER)
class CatalogueEntry(TypedDict):
    """A known parameter of engines."""

    name: str
    type: ParameterType
    default: bool | int | str
    enabled: bool
    """Whether it is on by default."""
    group: str
    help: str
    unit: str | None
    choices: list[str]
    minimum: int | None
    maximum: int | None
    secret: bool
    """Whether the value is write-only and never returned."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Engine parameter. `unit` is that of the value; `minimum` and `maximum` are of numbers."""

    name: str
    type: ParameterType
    default: bool | int | str
    is_on: bool
    """Whether it is on in the default configuration."""
    group: str
    help: str
    unit: str | None = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    is_secret: bool = False
    """Whether the value is write-only and never returned."""

    def to_json(self) -> CatalogueEntry:
        """Return the parameter as shown to clients."""
        return {
            "name": self.name,
            "type": self.type,
            "default": self.default,
            "enabled": self.is_on,
            "group": self.group,
            "help": self.help,
            "unit": self.unit,
            "choices": list(self.choices),
            "minimum": self.minimum,
            "maximum": self.maximum,
            "secret": self.is_secret,
        }


def _flag(name: str, group: str, text: str, *, on: bool = False) -> Parameter:
    return Parameter(name, "flag", on, on, group, text)


def _number(
    name: str,
    default: int,
    group: str,
    text: str,
    *,
    on: bool = True,
    unit: str | None = None,
    least: int = 0,
    most: int = _MOST,
) -> Parameter:
    return Parameter(name, "int", default, on, group, text, unit, (), least, most)


def _switch(name: str, default: int, group: str, text: str, *, on: bool = False) -> Parameter:
    return _number(name, default, group, text, on=on, most=1)


def _size(name: str, default: int, group: str, text: str, *, least: int = 1 << 20) -> Parameter:
    return Parameter(name, "bytes", default, True, group, text, "bytes", (), least, _MOST)


def _secret(name: str, text: str) -> Parameter:
    return Parameter(name, "string", "", False, "basic", text, is_secret=True)


CATALOGUE: tuple[Parameter, ...] = (
    _flag("--client-console", "basic", "Runs without a window.", on=True),
    _flag("--bind-all", "basic", "Listens on every address of its container.", on=True),
    _flag("--service-remote-access", "basic", "Other machines may use the service interface."),
    _secret("--access-token", "Access token that clients need for streams."),
    _secret("--service-access-token", "Access token for the service interface."),
    _flag("--allow-user-config", "basic", "Keeps settings changed at the engine."),
    Parameter(
        "--cache-dir", "path", "~/.ACEStream", False, "cache", "Directory of the disk cache."
    ),
    Parameter(
        "--live-cache-type",
        "string",
        "memory",
        True,
        "cache",
        "Where pieces of live streams are cached.",
        choices=_CACHES,
    ),
    _size("--live-cache-size", 268435456, "cache", "Cache size for a live stream."),
    Parameter(
        "--vod-cache-type",
        "string",
        "disk",
        True,
        "cache",
        "Where pieces of files are cached.",
        choices=_CACHES,
    ),
    _size("--vod-cache-size", 536870912, "cache", "Cache size for a file."),
    _number(
        "--vod-drop-max-age",
        0,
        "cache",
        "Maximum age of cached pieces of files; 0: unlimited.",
        on=False,
        unit="s",
    ),
    _size("--max-file-size", 2147483648, "cache", "Maximum size of files to fetch."),
    _number(
        "--live-buffer",
        10,
        "buffer",
        "Amount buffered before playback starts.",
        unit="s",
        most=3600,
    ),
    _number(
        "--vod-buffer",
        5,
        "buffer",
        "Amount buffered before playback of files starts.",
        unit="s",
        most=3600,
    ),
    _number(
        "--refill-buffer-interval",
        5,
        "buffer",
        "Interval between checks of the buffer.",
        unit="s",
        most=3600,
    ),
    _number(
        "--max-connections",
        200,
        "connections",
        "Maximum number of connections.",
        least=1,
        most=100000,
    ),
    _number(
        "--max-peers",
        40,
        "connections",
        "Maximum number of peers per stream.",
        least=1,
        most=100000,
    ),
    _number("--max-upload-slots", 4, "connections", "Number of upload slots.", most=10000),
    _switch(
        "--auto-slots", 1, "connections", "1: choose the number of slots automatically.", on=True
    ),
    _number(
        "--download-limit",
        0,
        "connections",
        "Rate limit; 0: no limit.",
        on=False,
        unit="KB/s",
    ),
    _number(
        "--upload-limit",
        0,
        "connections",
        "Rate limit; 0: no limit.",
        on=False,
        unit="KB/s",
    ),
    _number(
        "--port",
        8621,
        "connections",
        "Port for peers; behind a VPN, the forwarded port is used instead.",
        on=False,
        least=1,
        most=65535,
    ),
    _switch(
        "--webrtc-allow-outgoing-connections", 0, "webrtc", "1: allow outgoing WebRTC connections."
    ),
    _switch(
        "--webrtc-allow-incoming-connections", 0, "webrtc", "1: allow incoming WebRTC connections."
    ),
    _number(
        "--stats-report-interval", 60, "advanced", "Interval between reports.", unit="s", least=1
    ),
    _flag("--stats-report-peers", "advanced", "Include peers in reports."),
    _switch("--slots-manager-use-cpu-limit", 0, "advanced", "1: adapt the slots to the load."),
    _switch(
        "--core-skip-have-before-playback-pos",
        0,
        "advanced",
        "1: do not announce pieces before the playback position.",
    ),
    _number(
        "--core-dlr-periodic-check-interval",
        10,
        "advanced",
        "Interval between checks of the rate.",
        unit="s",
        least=1,
    ),
    _number(
        "--check-live-pos-interval",
        10,
        "advanced",
        "Interval between checks of the live position.",
        unit="s",
        least=1,
    ),
    _number("--log-debug", 0, "logging", "0: little, 1: more, 2: everything.", on=False, most=2),
    Parameter("--log-file", "path", "", False, "logging", "Log file."),
    _size("--log-max-size", 10485760, "logging", "Size at which the log is rotated.", least=1024),
    _number("--log-backup-count", 3, "logging", "Number of rotated logs to keep.", most=1000),
)

BY_NAME: Mapping[str, Parameter] = {parameter.name: parameter for parameter in CATALOGUE}
