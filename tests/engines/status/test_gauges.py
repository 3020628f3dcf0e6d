"""The gauges of the engines half: all there at the first scrape, and all documented."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.fakeruntime import World
from support.half import HalfRig, idle_half, opened_half, settings_for
from touchline.core.metrics import Metrics
from touchline.engines.model import labels as names
from touchline.engines.model.model import EngineSpec, PortMapping

pytestmark = pytest.mark.anyio

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
STATES = ("healthy", "unhealthy", "unknown", "disabled", "starting")
WITHOUT_LABELS = (
    "orch_events_started_total",
    "orch_events_ended_total",
    "orch_collect_errors_total",
    "orch_streams_active",
    "orch_stale_streams_detected_total",
    "orch_stale_streams_detected_created",
    "orch_total_uploaded_bytes",
    "orch_total_downloaded_bytes",
    "orch_total_uploaded_mb",
    "orch_total_downloaded_mb",
    "orch_total_upload_speed_mbps",
    "orch_total_download_speed_mbps",
    "orch_total_peers",
    "orch_total_streams",
    "orch_healthy_engines",
    "orch_unhealthy_engines",
    "orch_used_engines",
    "orch_extra_engines",
    "orch_vpn1_engines",
    "orch_vpn2_engines",
    "orch_engines_total",
)
BOTH_VPNS = {"mode": "redundant", "container_name": "one", "container_name_2": "two"}


Series = tuple[str, tuple[tuple[str, str], ...]]


def scraped(metrics: Metrics) -> dict[Series, float]:
    """Values by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


@pytest.mark.parametrize("vpn", [{}, BOTH_VPNS])
def test_every_metric_of_the_earlier_system_is_there_at_the_first_scrape(
    vpn: dict[str, str],
) -> None:
    metrics = Metrics()
    idle_half(settings_for(vpn=vpn), metrics=metrics)
    found = scraped(metrics)
    wanted: set[Series] = {(name, ()) for name in WITHOUT_LABELS}
    wanted |= {("orch_provision_total", (("kind", k),)) for k in ("acestream", "generic")}
    for name in ("orch_vpn_health", "orch_vpn1_health", "orch_vpn2_health"):
        wanted |= {(name, ((name, state),)) for state in STATES}
    if vpn:
        for each in ("one", "two"):
            wanted |= {
                ("orch_vpn_health_status", (("vpn", each),)),
                ("orch_engines_total", (("vpn_container", each),)),
                ("orch_streams_active", (("vpn_container", each),)),
            }
    assert wanted - set(found) == set()
    assert found["orch_provision_total", (("kind", "generic"),)] == 0


@pytest.mark.parametrize("prefix", ["orch_", "touchline_"])
def test_every_metric_of_the_engines_half_is_documented(prefix: str) -> None:
    metrics = Metrics()
    idle_half(settings_for(vpn=BOTH_VPNS), metrics=metrics)
    families = re.findall(r"^# TYPE (\w+) ", metrics.render().decode(), re.MULTILINE)
    ours = {name for name in families if name.startswith(prefix) and not name.endswith("_created")}
    assert len(ours) > 5
    documented = set(re.findall(r"`(\w+)`", OPERATIONS.read_text()))
    assert ours - documented == set()


async def behind(rig: HalfRig, vpn: str, port: int) -> str:
    """An engine of ours behind this VPN."""
    spec = EngineSpec(
        name=f"acestream-{port}",
        image="x",
        labels={names.HTTP_PORT: str(port), names.VPN_CONTAINER: vpn},
        ports=(PortMapping(port, port),),
    )
    return (await rig.runtime.start(spec, within_s=1)).id


async def test_engines_and_streams_are_counted_in_all_and_by_vpn() -> None:
    world, metrics = World(), Metrics()
    settings = settings_for(vpn=BOTH_VPNS, collector={"interval_s": 600})
    async with opened_half(settings, world=world, metrics=metrics) as rig:
        ids = [await behind(rig, vpn, 19000 + n) for n, vpn in enumerate(["one", "one", "two"])]
        await rig.until(lambda: len(rig.front.fleet.managed()) == 3)
        engine = rig.front.fleet.engine(ids[0])
        for number in range(2):
            report = rig.report(engine, f"ch-{number}")
            await rig.front.streams.started(replace(report, labels={"stream_id": f"ch-{number}"}))
        found = scraped(metrics)
    assert {
        (name, labels[0][1] if labels else ""): value
        for (name, labels), value in found.items()
        if name in {"orch_engines_total", "orch_streams_active", "orch_vpn_health_status"}
    } == {
        ("orch_engines_total", ""): 3,
        ("orch_engines_total", "one"): 2,
        ("orch_engines_total", "two"): 1,
        ("orch_streams_active", ""): 2,
        ("orch_streams_active", "one"): 2,
        ("orch_streams_active", "two"): 0,
        ("orch_vpn_health_status", "one"): 0,
        ("orch_vpn_health_status", "two"): 0,
    }
