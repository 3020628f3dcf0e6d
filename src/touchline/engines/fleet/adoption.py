"""Recognition of engines in a runtime from the labels of its instances. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from touchline.engines.model import labels as names
from touchline.engines.model.addresses import (
    Deployment,
    client_address,
    find_published_port,
    server_address,
)
from touchline.engines.model.listing import parsed, rfc3339
from touchline.engines.model.model import Engine, Instance
from touchline.foreign.numbers import LARGEST

_TIMES = ("last_stream_usage", "last_cache_cleanup")
_TEXTS = ("platform", "version", "draining")
_OTHERS = ("cache_size_bytes", *_TEXTS)


@dataclass(frozen=True)
class Surroundings:
    """Environment that determines an engine's addresses."""

    deployment: Callable[[], Deployment]
    """Deployment as it is recognised now."""
    vpn: Callable[[str], Instance | None]
    """Returns a VPN container by its name; None if it is unknown at present."""
    advertise_host: str | None
    reach_host: str | None


@dataclass(frozen=True, slots=True)
class EngineAddresses:
    """Addresses of an engine; `host` and `port` are reported to clients."""

    host: str
    port: int
    api_host: str
    api_port: int
    host_http_port: int | None


def addresses_of(
    instance: Instance, http_port: int, around: Surroundings
) -> EngineAddresses | None:
    """Return the current addresses of this engine; None if it cannot be reached."""
    vpn = instance.labels.get(names.VPN_CONTAINER)
    deployment, advertised = around.deployment(), around.advertise_host
    if vpn is not None:
        behind = around.vpn(vpn)
        # While the VPN's address is unknown, the engine is listed, but not as healthy.
        there, published = (vpn, http_port), None
        if behind is not None:
            published = find_published_port(behind, http_port)
            there = (
                server_address(behind, http_port, deployment, reach_host=around.reach_host) or there
            )
        port = (published or http_port) if advertised is not None else http_port
        return EngineAddresses(advertised or vpn, port, *there, http_port)
    labelled = names.port_of(instance.labels, names.HOST_HTTP_PORT)
    server = server_address(
        instance, http_port, deployment, labelled=labelled, reach_host=around.reach_host
    )
    if server is None:
        return None
    shown = client_address(
        instance, http_port, server, deployment, labelled=labelled, advertise_host=advertised
    )
    return EngineAddresses(*shown, *server, find_published_port(instance, http_port) or labelled)


def engine_of(
    instance: Instance,
    around: Surroundings,
    *,
    facts: Mapping[str, Any],
    now: datetime,
    now_s: float,
) -> Engine | None:
    """Return the engine of this running instance; None if it is not an engine or unreachable.

    `facts` are those stored by an earlier server, as returned by `validate_facts`.
    """
    http_port = names.port_of(instance.labels, names.HTTP_PORT)
    if http_port is None:
        return None
    found = addresses_of(instance, http_port, around)
    if found is None:
        return None
    return Engine(
        id=instance.id,
        name=instance.name,
        host=found.host,
        port=found.port,
        api_host=found.api_host,
        api_port=found.api_port,
        host_http_port=found.host_http_port,
        first_seen=instance.created_at,
        last_seen=now,
        labels={**facts.get("labels", {}), **instance.labels},
        container_http_port=http_port,
        container_https_port=names.port_of(instance.labels, names.HTTPS_PORT),
        forwarded=instance.labels.get(names.FORWARDED) == "true",
        vpn_container=instance.labels.get(names.VPN_CONTAINER),
        variant=instance.labels.get(names.VARIANT),
        generation=instance.labels.get(names.GENERATION, ""),
        paused=instance.state == "paused",
        seen_since_s=now_s,
        idle_since_s=now_s,
        **_read_facts(facts),
    )


def complete_from_record(engine: Engine, facts: Mapping[str, Any]) -> Engine:
    """Return the engine with missing facts added from an earlier server's record."""
    news = {k: v for k, v in _read_facts(facts).items() if getattr(engine, k) is None}
    return replace(engine, labels={**facts.get("labels", {}), **engine.labels}, **news)


def _read_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: facts[key] for key in _OTHERS if facts.get(key) is not None}
    return known | {key: parsed(facts[key]) for key in _TIMES if facts.get(key) is not None}


def external_engine(
    engine_id: str, host: str, port: int, labels: Mapping[str, str], *, now: datetime, now_s: float
) -> Engine:
    """Return an engine that is not managed by this server.

    It is known from the streams that are reported on it.
    """
    return Engine(
        id=engine_id,
        name=f"engine-{host}-{port}",
        host=host,
        port=port,
        api_host=host,
        api_port=port,
        first_seen=now,
        last_seen=now,
        labels=dict(labels),
        external=True,
        seen_since_s=now_s,
        idle_since_s=now_s,
    )


def facts_of(engine: Engine) -> dict[str, Any]:
    """Return the facts of an engine that its labels do not contain, for a restart."""
    facts: dict[str, Any] = {key: rfc3339(getattr(engine, key)) for key in _TIMES}
    facts |= {key: getattr(engine, key) for key in _OTHERS}
    facts["labels"] = dict(engine.labels)
    if engine.external:
        facts["external"] = {"host": engine.host, "port": engine.port}
    return facts


def validate_facts(value: Any) -> dict[str, Any]:
    """Return the valid facts in a record of an engine.

    A fact that `facts_of` cannot have written is left out. Raises TypeError for an invalid record.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{type(value).__name__} is not a record of an engine")
    facts = {key: value[key] for key in _TEXTS if isinstance(value.get(key), str)}
    size_bytes = value.get("cache_size_bytes")
    if type(size_bytes) is int and 0 <= size_bytes <= LARGEST:
        facts["cache_size_bytes"] = size_bytes
    for key in _TIMES:
        with suppress(ValueError, TypeError):
            parsed(value.get(key))
            facts[key] = value.get(key)
    labels = value.get("labels")
    pairs = labels.items() if isinstance(labels, Mapping) else ()
    facts["labels"] = {k: v for k, v in pairs if isinstance(k, str) and isinstance(v, str)}
    where = value.get("external")
    if isinstance(where, Mapping):
        host, port = where.get("host"), where.get("port")
        if isinstance(host, str) and type(port) is int and 0 < port < 1 << 16:
            facts["external"] = {"host": host, "port": port}
    return facts


def restore_external(
    engine_id: str, facts: Mapping[str, Any], *, now: datetime, now_s: float
) -> Engine | None:
    """Return the external engine described by these facts, if they describe one."""
    where = facts.get("external")
    if where is None:
        return None
    labels = facts.get("labels", {})
    return external_engine(engine_id, where["host"], where["port"], labels, now=now, now_s=now_s)
