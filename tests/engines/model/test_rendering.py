from __future__ import annotations

import json

import pytest

from support.values import NOON, engine_value, instance_value, stream_value
from touchline.engines.model.model import Binding, Sample
from touchline.engines.model.rendering import (
    engine_json,
    inspection_json,
    sample_json,
    stream_json,
)

AT = "2026-11-21T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("draining", "outdated", "asked_for", "shown"),
    [
        (None, False, False, None),
        (None, True, False, "outdated"),
        (None, True, True, "requested"),
        ("outdated", True, True, "requested"),
        ("requested", True, False, "outdated"),
        ("idle", True, True, "idle"),  # it is already going for another reason
        ("vpn_lost", False, False, "vpn_lost"),
    ],
)
def test_an_engine_that_gets_no_new_streams_says_why_and_is_of_unknown_health(
    draining: str | None, shown: str | None, *, outdated: bool, asked_for: bool
) -> None:
    engine = engine_value(draining=draining)
    state = engine_json(
        engine, ["ch-1"], forwarded_port=None, outdated=outdated, asked_for=asked_for
    )
    assert state["draining"] == shown
    assert state["health_status"] == ("healthy" if shown is None else "unknown")
    assert (state["streams"], state["first_seen"]) == (["ch-1"], AT)


def test_a_stream_has_the_newest_sample_where_there_is_one() -> None:
    sample = Sample(NOON, peers=7, speed_down=640, downloaded=1 << 40)
    measured, unmeasured = (stream_json(stream_value(), each) for each in (sample, None))
    assert (measured["peers"], measured["speed_down"], measured["uploaded"]) == (7, 640, None)
    assert (unmeasured["peers"], unmeasured["started_at"]) == (None, AT)
    assert sample_json(sample)["ts"] == AT


def test_an_inspection_has_no_environment_and_only_bound_ports() -> None:
    instance = instance_value(
        env={"TOKEN": "s3cret"},
        ports={"40000/tcp": (Binding("0.0.0.0", 19000),), "45000/tcp": ()},
    )
    shown = inspection_json(instance)
    assert shown["ports"] == {"40000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "19000"}]}
    assert "s3cret" not in json.dumps(shown)
