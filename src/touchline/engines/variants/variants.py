"""Construction of an engine's image, arguments, environment and labels by variant. Pure."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import count

from touchline.engines.model import labels as names
from touchline.engines.model.model import EngineSpec, PortMapping
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.variants.customvariant import VariantConfig, arguments, memory_limit_bytes

KRINKUTO11 = "ghcr.io/krinkuto11/acestream-http-proxy:latest"
JOPSIS = "jopsis/acestream"
_TOKENS = ("--access-token", "--service-access-token")

_JOPSIS_FLAGS: Mapping[str, str | None] = {
    "--client-console": None,
    "--bind-all": None,
    "--service-remote-access": None,
    "--allow-user-config": None,
    "--stats-report-peers": None,
    "--cache-dir": "/acestream/.ACEStream",
    "--live-cache-type": "memory",
    "--live-cache-size": "209715200",
    "--vod-cache-type": "memory",
    "--vod-drop-max-age": "120",
    "--max-file-size": "2147483648",
    "--live-buffer": "25",
    "--vod-buffer": "10",
    "--refill-buffer-interval": "1",
    "--max-connections": "500",
    "--max-peers": "50",
    "--max-upload-slots": "50",
    "--auto-slots": "0",
    "--download-limit": "0",
    "--upload-limit": "0",
    "--webrtc-allow-outgoing-connections": "1",
    "--stats-report-interval": "2",
    "--slots-manager-use-cpu-limit": "1",
    "--core-skip-have-before-playback-pos": "1",
    "--core-dlr-periodic-check-interval": "5",
    "--check-live-pos-interval": "5",
    "--log-debug": "0",
    "--log-max-size": "15000000",
    "--log-backup-count": "1",
}
"""Default arguments of the jopsis image.

The image is known to work well with them; tokens are created for each engine.
"""

_ARM_COMMAND = (
    "python",
    "main.py",
    "--bind-all",
    "--client-console",
    "--disable-sentry",
    "--log-stdout",
    "--live-cache-type",
    "memory",
    "--live-mem-cache-size",
    "104857600",
)


@dataclass(frozen=True)
class Recipe:
    """Current configuration for new engines."""

    settings: EnginesSettings
    custom: VariantConfig | None
    """Custom variant's configuration; None: it is off."""
    template_name: str | None = None
    """Name of the custom variant's active template."""

    @property
    def name(self) -> str:
        """Name of the variant shown for engines."""
        if self.custom is not None:
            return self.template_name or self.custom.platform
        return self.settings.image.variant

    @property
    def generation(self) -> str:
        """Key that stays the same while new engines would be created in the same way."""
        image = self.settings.image
        what = [
            self.name,
            self.image,
            image.memory_limit,
            self.custom.model_dump(mode="json") if self.custom is not None else None,
        ]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def image(self) -> str:
        """Image that is started if an order names none."""
        image = self.settings.image
        if image.name is not None:
            return image.name
        if self.custom is not None:
            if self.custom.platform == "amd64":
                return f"{JOPSIS}:x64"
            return f"{JOPSIS}:{self.custom.platform}-v{self.custom.arm_version}"
        return {
            "krinkuto11-amd64": KRINKUTO11,
            "jopsis-amd64": f"{JOPSIS}:x64",
            "jopsis-arm32": f"{JOPSIS}:{image.arm32_version}",
            "jopsis-arm64": f"{JOPSIS}:{image.arm64_version}",
        }[image.variant]

    @property
    def memory_limit_bytes(self) -> int | None:
        """Memory limit; None: no limit.

        It is the custom variant's if that is enabled, else the general one.
        """
        if self.custom is not None:
            return memory_limit_bytes(self.custom)
        return self.settings.image.memory_limit_bytes


@dataclass(frozen=True)
class Berth:
    """Placement of an engine: its ports, and the VPN whose network it joins."""

    http_port: int
    https_port: int
    host_http_port: int | None = None
    """Host port to which it is published; None if its network has the same port."""
    host_https_port: int | None = None
    vpn: str | None = None
    p2p_port: int | None = None
    """Forwarded port of the VPN; the engine that has it carries the forwarded role."""


def build_spec(
    recipe: Recipe,
    order: EngineOrder,
    berth: Berth,
    *,
    name: str,
    mark: str | None,
    publishes_ports: bool,
    new_token: Callable[[], str],
) -> EngineSpec:
    """Return the spec of this engine."""
    command, env = _configured(recipe, order, berth, new_token)
    labels = {
        **order.labels,
        names.HTTP_PORT: str(berth.http_port),
        names.HTTPS_PORT: str(berth.https_port),
        names.VARIANT: recipe.name,
        names.GENERATION: recipe.generation,
    }
    host_port = berth.host_http_port if berth.vpn is None else berth.http_port
    if host_port is not None:
        labels[names.HOST_HTTP_PORT] = str(host_port)
    if berth.host_https_port is not None:
        labels[names.HOST_HTTPS_PORT] = str(berth.host_https_port)
    if berth.vpn is not None:
        labels[names.VPN_CONTAINER] = berth.vpn
    if berth.p2p_port is not None:
        labels[names.FORWARDED] = "true"
        labels[names.P2P_PORT] = str(berth.p2p_port)
    if mark is not None:
        labels[names.IDEMPOTENCY] = mark
    ports: list[PortMapping] = []
    if berth.vpn is None and publishes_ports:
        ports.append(PortMapping(berth.http_port, berth.host_http_port))
        if berth.host_https_port is not None:
            ports.append(PortMapping(berth.https_port, berth.host_https_port))
    return EngineSpec(
        name=name,
        image=order.image or recipe.image,
        command=command,
        env=env,
        labels=labels,
        ports=tuple(ports),
        network=f"container:{berth.vpn}" if berth.vpn is not None else None,
        memory_limit_bytes=recipe.memory_limit_bytes,
    )


def generic_spec(order: GenericOrder, *, name: str) -> EngineSpec:
    """Return the spec of any other container."""
    return EngineSpec(
        name=name,
        image=order.image,
        env=order.env,
        labels=order.labels,
        ports=order.mappings(),
        restarts=True,
    )


def ports_fixed_by(env: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return the HTTP and HTTPS ports that a caller's CONF fixes; None: not fixed."""
    try:
        words = shlex.split(env.get("CONF", ""), comments=False)
    except ValueError:
        return None, None
    return _value_of("--http-port", words), _value_of("--https-port", words)


def engine_name(used: Collection[str], prefix: str = "acestream") -> str:
    """Return `prefix-n` with the lowest n that is not used."""
    return next(name for n in count(1) if (name := f"{prefix}-{n}") not in used)


def _configured(
    recipe: Recipe, order: EngineOrder, berth: Berth, new_token: Callable[[], str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return arguments and environment."""
    ports = ["--http-port", str(berth.http_port), "--https-port", str(berth.https_port)]
    if berth.p2p_port is not None:
        ports += ["--port", str(berth.p2p_port)]
    if recipe.custom is not None:
        given = [*arguments(recipe.custom, has_port=berth.p2p_port is not None), *ports]
        given = _with_tokens(given, new_token)
        if recipe.custom.platform == "amd64":
            return (), {**order.env, "ACESTREAM_ARGS": shlex.join(given)}
        return ("python", "main.py", *given), dict(order.env)
    variant = recipe.settings.image.variant
    if variant == "krinkuto11-amd64":
        conf = f"--http-port={berth.http_port}\n--https-port={berth.https_port}\n--bind-all"
        env = {
            "CONF": conf,
            "INTERNAL_BUFFERING": "60",
            "CACHE_LIMIT": "1",
            **order.env,
            "HTTP_PORT": str(berth.http_port),
            "HTTPS_PORT": str(berth.https_port),
            "BIND_ALL": "true",
        }
        if berth.p2p_port is not None:
            env["P2P_PORT"] = str(berth.p2p_port)
        return (), env
    if variant == "jopsis-amd64":
        flags: list[str] = []
        for flag, value in _JOPSIS_FLAGS.items():
            flags += [flag] if value is None else [flag, value]
        for token in _TOKENS:
            flags += [token, new_token()]
        # Quoted: the image's entry point splits this like a shell.
        return (), {**order.env, "ACESTREAM_ARGS": shlex.join([*flags, *ports])}
    return (*_ARM_COMMAND, *ports), dict(order.env)


def _with_tokens(given: list[str], new_token: Callable[[], str]) -> list[str]:
    """Return arguments with tokens for remote access.

    Missing tokens are generated, so that none is publicly known.
    """
    if "--service-remote-access" not in given:
        return given
    made = [each for token in _TOKENS if token not in given for each in (token, new_token())]
    return [*given, *made]


def _value_of(flag: str, words: list[str]) -> int | None:
    for at, word in enumerate(words):
        text = None
        if word.startswith(f"{flag}="):
            text = word.partition("=")[2]
        elif word == flag and at + 1 < len(words):
            text = words[at + 1]
        if text is not None:
            return names.port_of({flag: text}, flag)
    return None
