"""The parameters that engines are known to take, with their bounds and a line of help for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Type = Literal["flag", "string", "int", "bytes", "path"]

_CACHES = ("memory", "disk", "hybrid")
_MOST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `unit` is that of the value; `minimum` and `maximum` are of numbers."""

    name: str
    type: Type
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
    """It is written, and never shown again."""

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        shown = asdict(self)
        shown["enabled"] = shown.pop("is_on")
        shown["secret"] = shown.pop("is_secret")
        shown["choices"] = list(self.choices)
        return shown


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
    _secret("--access-token", "Whoever asks for a stream must know this."),
    _secret("--service-access-token", "Whoever uses the service interface must know this."),
    _flag("--allow-user-config", "basic", "Settings made at the engine itself are kept."),
    Parameter(
        "--cache-dir", "path", "~/.ACEStream", False, "cache", "Where pieces on disk are kept."
    ),
    Parameter(
        "--live-cache-type",
        "string",
        "memory",
        True,
        "cache",
        "Live pieces are kept here.",
        choices=_CACHES,
    ),
    _size("--live-cache-size", 268435456, "cache", "So much of a live stream is kept."),
    Parameter(
        "--vod-cache-type",
        "string",
        "disk",
        True,
        "cache",
        "Pieces of files are kept here.",
        choices=_CACHES,
    ),
    _size("--vod-cache-size", 536870912, "cache", "So much of a file is kept."),
    _number(
        "--vod-drop-max-age",
        0,
        "cache",
        "Pieces of files older than this go; 0: none does.",
        on=False,
        unit="s",
    ),
    _size("--max-file-size", 2147483648, "cache", "Larger files are not fetched."),
    _number(
        "--live-buffer", 10, "buffer", "So much is gathered before it plays.", unit="s", most=3600
    ),
    _number("--vod-buffer", 5, "buffer", "The same for files.", unit="s", most=3600),
    _number(
        "--refill-buffer-interval",
        5,
        "buffer",
        "Between two looks at the buffer.",
        unit="s",
        most=3600,
    ),
    _number("--max-connections", 200, "connections", "Connections at once.", least=1, most=100000),
    _number("--max-peers", 40, "connections", "Peers of one stream.", least=1, most=100000),
    _number("--max-upload-slots", 4, "connections", "Peers that are served at a time.", most=10000),
    _switch("--auto-slots", 1, "connections", "1: it chooses the number of slots.", on=True),
    _number(
        "--download-limit",
        0,
        "connections",
        "Never faster than this; 0: no limit.",
        on=False,
        unit="KB/s",
    ),
    _number(
        "--upload-limit",
        0,
        "connections",
        "Never faster than this; 0: no limit.",
        on=False,
        unit="KB/s",
    ),
    _number(
        "--port",
        8621,
        "connections",
        "The port for peers; behind a VPN the forwarded one is used instead.",
        on=False,
        least=1,
        most=65535,
    ),
    _switch("--webrtc-allow-outgoing-connections", 0, "webrtc", "1: it may call WebRTC peers."),
    _switch("--webrtc-allow-incoming-connections", 0, "webrtc", "1: WebRTC peers may call it."),
    _number("--stats-report-interval", 60, "advanced", "Between two reports.", unit="s", least=1),
    _flag("--stats-report-peers", "advanced", "Reports name the peers."),
    _switch("--slots-manager-use-cpu-limit", 0, "advanced", "1: slots follow the load."),
    _switch(
        "--core-skip-have-before-playback-pos",
        0,
        "advanced",
        "1: pieces before the playback position are not announced.",
    ),
    _number(
        "--core-dlr-periodic-check-interval",
        10,
        "advanced",
        "Between two looks at the rate.",
        unit="s",
        least=1,
    ),
    _number(
        "--check-live-pos-interval",
        10,
        "advanced",
        "Between two looks at the live position.",
        unit="s",
        least=1,
    ),
    _number("--log-debug", 0, "logging", "0: little, 1: more, 2: everything.", on=False, most=2),
    Parameter("--log-file", "path", "", False, "logging", "The log goes to this file."),
    _size("--log-max-size", 10485760, "logging", "The log is begun anew at this size.", least=1024),
    _number("--log-backup-count", 3, "logging", "So many earlier logs are kept.", most=1000),
)

BY_NAME: Mapping[str, Parameter] = {parameter.name: parameter for parameter in CATALOGUE}
