"""Engines from what a runtime shows: an instance's labels are the record of what it is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from touchline.engines import labels as names
from touchline.engines.listing import parsed, rfc3339
from touchline.engines.model import Binding, Engine, Instance

Address = tuple[str, int]

_ANY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  (compared with, not bound to)
_TIMES = ("last_stream_usage", "last_cache_cleanup")
_OTHERS = ("cache_size_bytes", "platform", "version", "draining")


@dataclass(frozen=True)
class Surroundings:
    """What an engine's addresses depend on beside itself."""

    bind_address: str
    advertise_host: str | None
    vpn_address: Callable[[str, int], Address | None]
    """Where this server reaches a port of a VPN container; None: not known now."""


def engine_of(
    instance: Instance,
    around: Surroundings,
    *,
    facts: Mapping[str, Any],
    now: datetime,
    now_s: float,
) -> Engine | None:
    """The engine that this running instance is; None: it is none, or cannot be reached at all.

    `facts` are what an earlier server remembered of it, as `facts_of` gave them.
    """
    http_port = names.port_of(instance.labels, names.HTTP_PORT)
    if http_port is None:
        return None
    vpn = instance.labels.get(names.VPN_CONTAINER)
    if vpn is not None:
        host, port = vpn, http_port
        # While the VPN's address is not known the engine is shown, and is not healthy.
        api_host, api_port = around.vpn_address(vpn, http_port) or (vpn, http_port)
    else:
        published = _published(instance, http_port, around.bind_address)
        if published is None:
            return None
        host, port = api_host, api_port = published
    return Engine(
        id=instance.id,
        name=instance.name,
        host=around.advertise_host or host,
        port=port,
        api_host=api_host,
        api_port=api_port,
        first_seen=instance.created_at,
        last_seen=now,
        labels={**facts.get("labels", {}), **instance.labels},
        container_http_port=http_port,
        container_https_port=names.port_of(instance.labels, names.HTTPS_PORT),
        forwarded=instance.labels.get(names.FORWARDED) == "true",
        vpn_container=vpn,
        variant=instance.labels.get(names.VARIANT),
        generation=instance.labels.get(names.GENERATION, ""),
        paused=instance.state == "paused",
        seen_since_s=now_s,
        idle_since_s=now_s,
        **_remembered(facts),
    )


def reminded(engine: Engine, facts: Mapping[str, Any]) -> Engine:
    """The engine with what an earlier server remembered of it, where it is not known by now."""
    news = {k: v for k, v in _remembered(facts).items() if getattr(engine, k) is None}
    return replace(engine, labels={**facts.get("labels", {}), **engine.labels}, **news)


def _remembered(facts: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: facts[key] for key in _OTHERS if facts.get(key) is not None}
    return known | {key: parsed(facts[key]) for key in _TIMES if facts.get(key) is not None}


def external_engine(
    engine_id: str, host: str, port: int, labels: Mapping[str, str], *, now: datetime, now_s: float
) -> Engine:
    """One that somebody else runs: it is known from the streams that are reported on it."""
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
    """What a restart would lose of an engine: all that its labels do not say."""
    facts: dict[str, Any] = {key: rfc3339(getattr(engine, key)) for key in _TIMES}
    facts |= {key: getattr(engine, key) for key in _OTHERS}
    facts["labels"] = dict(engine.labels)
    if engine.external:
        facts["external"] = {"host": engine.host, "port": engine.port}
    return facts


def restored_external(
    engine_id: str, facts: Mapping[str, Any], *, now: datetime, now_s: float
) -> Engine | None:
    """The external engine that these facts tell about, if they do."""
    where = facts.get("external")
    if where is None:
        return None
    labels = facts.get("labels", {})
    return external_engine(engine_id, where["host"], where["port"], labels, now=now, now_s=now_s)


def _published(instance: Instance, http_port: int, bind_address: str) -> Address | None:
    bindings: tuple[Binding, ...] = instance.ports.get(f"{http_port}/tcp", ())
    if bindings:
        host = bindings[0].host_ip
        if host in _ANY:
            host = "127.0.0.1" if bind_address in _ANY else bind_address
        return host, bindings[0].host_port
    port = names.port_of(instance.labels, names.HOST_HTTP_PORT)
    if port is not None:
        return ("127.0.0.1" if bind_address in _ANY else bind_address), port
    # On a network of its own, with nothing published: by its address there.
    return (instance.ip_address, http_port) if instance.ip_address is not None else None
