"""Contract representations of engines, streams and samples."""

from __future__ import annotations

from collections.abc import Sequence

from touchline.engines.model.answers import (
    ContainerInspection,
    EngineState,
    StreamState,
    StreamStatSnapshot,
)
from touchline.engines.model.listing import rfc3339
from touchline.engines.model.model import Engine, Instance, Sample, Stream


def engine_json(
    engine: Engine,
    streams: Sequence[str],
    *,
    forwarded_port: int | None,
    outdated: bool,
    asked_for: bool,
) -> EngineState:
    """Return the state of an engine.

    An engine that gets no new streams is shown as `unknown`: proxies prefer healthy ones.
    `outdated`: it will be replaced, with all others or because it was `asked_for` individually.
    """
    draining = engine.draining
    if draining in {None, "outdated", "requested"} and outdated:
        draining = "requested" if asked_for else "outdated"
    return {
        "container_id": engine.id,
        "container_name": engine.name,
        "host": engine.host,
        "port": engine.port,
        "labels": dict(engine.labels),
        "forwarded": engine.forwarded,
        "first_seen": rfc3339(engine.first_seen),
        "last_seen": rfc3339(engine.last_seen),
        "streams": list(streams),
        "health_status": engine.health if draining is None else "unknown",
        "last_health_check": rfc3339(engine.last_health_check),
        "last_stream_usage": rfc3339(engine.last_stream_usage),
        "last_cache_cleanup": rfc3339(engine.last_cache_cleanup),
        "cache_size_bytes": engine.cache_size_bytes,
        "vpn_container": engine.vpn_container,
        "engine_variant": engine.variant,
        "platform": engine.platform,
        "version": engine.version,
        "forwarded_port": forwarded_port,
        "external": engine.external,
        "draining": draining,
        "paused": engine.paused,
    }


def stream_json(stream: Stream, sample: Sample | None) -> StreamState:
    """Return the state of a stream, with the newest sample if there is one."""
    return {
        "id": stream.id,
        "key_type": stream.key_type,
        "key": stream.key,
        "container_id": stream.container_id,
        "playback_session_id": stream.playback_session_id,
        "stat_url": stream.stat_url,
        "command_url": stream.command_url,
        "is_live": stream.is_live,
        "started_at": rfc3339(stream.started_at),
        "ended_at": rfc3339(stream.ended_at),
        "status": stream.status,
        "end_reason": stream.end_reason,
        "peers": sample.peers if sample else None,
        "speed_down": sample.speed_down if sample else None,
        "speed_up": sample.speed_up if sample else None,
        "downloaded": sample.downloaded if sample else None,
        "uploaded": sample.uploaded if sample else None,
    }


def sample_json(sample: Sample) -> StreamStatSnapshot:
    """Return a sample of a stream's statistics."""
    return {
        "ts": rfc3339(sample.ts),
        "peers": sample.peers,
        "speed_down": sample.speed_down,
        "speed_up": sample.speed_up,
        "downloaded": sample.downloaded,
        "uploaded": sample.uploaded,
        "status": sample.status,
    }


def inspection_json(instance: Instance) -> ContainerInspection:
    """Return the container inspection.

    The environment, which may hold secrets, is left out.
    """
    return {
        "id": instance.id,
        "name": instance.name,
        "image": instance.image,
        "created": rfc3339(instance.created_at),
        "status": instance.state,
        "labels": dict(instance.labels),
        "ports": {
            name: [{"HostIp": each.host_ip, "HostPort": str(each.host_port)} for each in bindings]
            for name, bindings in instance.ports.items()
            if bindings
        },
    }
