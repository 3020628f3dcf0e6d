"""Environment variables of the earlier system, which still work with lower precedence.

They rank below `TOUCHLINE_…`. Each one is mapped to a current setting; those few without one have a
reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from touchline.settings.faults import Layer, Path

LEAST_KEY = 16
VARIANTS = ("krinkuto11-amd64", "jopsis-amd64", "jopsis-arm32", "jopsis-arm64")

NAMES: Mapping[str, str] = {
    "APP_PORT": "port",
    "API_KEY": "auth.api_key",
    "DB_URL": "database.url",
    "ENGINE_VARIANT": "engines.image.variant",
    "ENGINE_ARM32_VERSION": "engines.image.arm32_version",
    "ENGINE_ARM64_VERSION": "engines.image.arm64_version",
    "ENGINE_MEMORY_LIMIT": "engines.image.memory_limit",
    "CONTAINER_LABEL": "engines.label",
    "MIN_REPLICAS": "engines.scaling.min_replicas",
    "MIN_FREE_REPLICAS": "engines.scaling.min_free_replicas",
    "MAX_REPLICAS": "engines.scaling.max_replicas",
    "MAX_ACTIVE_REPLICAS": "engines.scaling.max_active_replicas",
    "AUTO_DELETE": "engines.scaling.auto_delete",
    "ENGINE_GRACE_PERIOD_S": "engines.scaling.grace_period_s",
    "IDLE_TTL_S": "engines.scaling.idle_ttl_s",
    "STARTUP_TIMEOUT_S": "engines.scaling.startup_timeout_s",
    "MAX_CONCURRENT_PROVISIONS": "engines.scaling.max_concurrent_provisions",
    "MONITOR_INTERVAL_S": "engines.scaling.resync_s",
    "COLLECT_INTERVAL_S": "engines.collector.interval_s",
    "STATS_HISTORY_MAX": "engines.collector.history",
    "HEALTH_CHECK_INTERVAL_S": "engines.health.interval_s",
    "HEALTH_FAILURE_THRESHOLD": "engines.health.failure_threshold",
    "HEALTH_UNHEALTHY_GRACE_PERIOD_S": "engines.health.unhealthy_grace_period_s",
    "HEALTH_REPLACEMENT_COOLDOWN_S": "engines.health.replacement_cooldown_s",
    "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "engines.breaker.failure_threshold",
    "CIRCUIT_BREAKER_RECOVERY_TIMEOUT_S": "engines.breaker.recovery_timeout_s",
    "CIRCUIT_BREAKER_REPLACEMENT_THRESHOLD": "engines.breaker.replacement_threshold",
    "CIRCUIT_BREAKER_REPLACEMENT_TIMEOUT_S": "engines.breaker.replacement_timeout_s",
    "PORT_RANGE_HOST": "engines.ports.host",
    "ACE_HTTP_RANGE": "engines.ports.http",
    "ACE_HTTPS_RANGE": "engines.ports.https",
    "ACE_MAP_HTTPS": "engines.ports.map_https",
    "VPN_MODE": "engines.vpn.mode",
    "GLUETUN_CONTAINER_NAME": "engines.vpn.container_name",
    "GLUETUN_CONTAINER_NAME_2": "engines.vpn.container_name_2",
    "GLUETUN_API_PORT": "engines.vpn.api_port",
    "GLUETUN_HEALTH_CHECK_INTERVAL_S": "engines.vpn.check_interval_s",
    "GLUETUN_PORT_CACHE_TTL_S": "engines.vpn.port_cache_ttl_s",
    "GLUETUN_PORT_RANGE_1": "engines.vpn.port_range_1",
    "GLUETUN_PORT_RANGE_2": "engines.vpn.port_range_2",
    "VPN_RESTART_ENGINES_ON_RECONNECT": "engines.vpn.restart_engines_on_reconnect",
    "VPN_UNHEALTHY_RESTART_TIMEOUT_S": "engines.vpn.unhealthy_restart_timeout_s",
}
"""Setting of each variable, as spelled in a file."""

WITHOUT_EFFECT: Mapping[str, str] = {
    "AUTOSCALE_INTERVAL_S": "the fleet is reconciled on every change",
    "MIN_PROVISION_INTERVAL_S": "engines are started in parallel, as fast as the runtime allows",
    "DEBUG_LOG_DIR": "the log directory is set by log.directory",
}
"""Reason why a variable has no effect any more."""


@dataclass(frozen=True)
class Earlier:
    """Settings given by names of the earlier system, and notices for the log."""

    layer: Layer
    notices: tuple[str, ...]


def earlier(environ: Mapping[str, str], *, runtime_kind: str | None) -> Earlier:
    """Read the names of the earlier system; `runtime_kind` comes from the higher layers."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    notices: list[str] = []
    put: dict[str, tuple[str, str]] = {}
    for name, key in NAMES.items():
        if name in given:
            put[key] = name, given[name]
    variant = given.get("ENGINE_VARIANT")
    if variant is not None and variant not in VARIANTS:
        notices.append(f"ENGINE_VARIANT={variant} is unknown; using {VARIANTS[0]}")
        del put[NAMES["ENGINE_VARIANT"]]
    if given.get("DEBUG_MODE", "").lower() in {"1", "true", "yes", "on"}:
        put["log.level"] = "DEBUG_MODE", "debug"
    if "DOCKER_NETWORK" in given:
        network = "DOCKER_NETWORK", given["DOCKER_NETWORK"]
        if runtime_kind == "docker":
            put["engines.runtime.network"] = network
        elif runtime_kind in {None, "auto"}:
            put["engines.runtime.docker.network"] = network
            put["engines.runtime.kind"] = "DOCKER_NETWORK", "auto"
        else:
            notices.append("DOCKER_NETWORK has no effect: engines do not run as containers")
    notices += [
        f"{name} has no effect: {why}" for name, why in WITHOUT_EFFECT.items() if name in given
    ]
    if put:
        names = ", ".join(sorted({name for name, _ in put.values()}))
        notices.insert(0, f"Names of the earlier system are used: {names}")
    if len(given.get("API_KEY", " " * LEAST_KEY)) < LEAST_KEY:
        notices.append(f"API_KEY is short; {LEAST_KEY} characters or more are hard to guess")
    return Earlier(_layer(put), tuple(notices))


def _layer(put: Mapping[str, tuple[str, str]]) -> Layer:
    values: dict[str, Any] = {}
    for key, (_, value) in put.items():
        *parents, last = key.split(".")
        node = values
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = value
    names: dict[Path, str] = {tuple(key.split(".")): name for key, (name, _) in put.items()}
    return Layer("earlier", values, names=names)
