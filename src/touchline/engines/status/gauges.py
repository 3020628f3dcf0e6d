"""Current state of the fleet as metrics, read from memory at each rendering."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from touchline.core.metrics import Family
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.samples import SampleBook
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.vpn.vpn import VpnWatch

VPN_STATES = ("healthy", "unhealthy", "unknown", "disabled", "starting")
_MEBI = 1 << 20


class Gauges:
    """Source of `Metrics` for the fleet.

    Names without a unit are an earlier system's, kept alongside ours.
    """

    def __init__(
        self,
        settings: EnginesSettings,
        fleet: Fleet,
        samples: SampleBook,
        vpn: VpnWatch | None,
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._samples = samples
        self._vpn = vpn

    def __call__(self) -> Iterable[Family]:
        """Return all families with their current values."""
        yield from self._streams()
        yield from self._engines()
        yield from self._vpns()

    def _streams(self) -> Iterable[Family]:
        started = self._fleet.started()
        latest = [self._fleet.latest(stream.id) for stream in started]
        down = sum(sample.speed_down or 0 for sample in latest if sample)
        up = sum(sample.speed_up or 0 for sample in latest if sample)
        peers = sum(sample.peers or 0 for sample in latest if sample)
        book = self._samples
        on_engine = Counter(stream.container_id for stream in started)
        yield self._by_vpn("orch_streams_active", "Number of playing streams.", on_engine)
        yield _gauge("orch_total_streams", "Number of playing streams.", len(started))
        yield _gauge("orch_total_peers", "Number of peers of all streams.", peers)
        yield _gauge(
            "orch_total_downloaded_bytes", "Bytes received by engines.", book.total_downloaded_bytes
        )
        yield _gauge(
            "orch_total_uploaded_bytes", "Bytes sent by engines.", book.total_uploaded_bytes
        )
        yield _gauge(
            "orch_total_downloaded_mb",
            "Data received by engines, in MiB.",
            round(book.total_downloaded_bytes / _MEBI, 2),
        )
        yield _gauge(
            "orch_total_uploaded_mb",
            "Data sent by engines, in MiB.",
            round(book.total_uploaded_bytes / _MEBI, 2),
        )
        yield _gauge(
            "orch_total_download_speed_mbps",
            "Current download rate, in MiB/s despite the name.",
            round(down / 1024, 2),
        )
        yield _gauge(
            "orch_total_upload_speed_mbps",
            "Current upload rate, in MiB/s despite the name.",
            round(up / 1024, 2),
        )
        yield _gauge(
            "touchline_streams_download_bytes_per_second", "Current download rate.", down * 1024
        )
        yield _gauge("touchline_streams_upload_bytes_per_second", "Current upload rate.", up * 1024)

    def _engines(self) -> Iterable[Family]:
        ours = self._fleet.managed()
        healthy = sum(engine.health == "healthy" for engine in ours)
        unhealthy = sum(engine.health == "unhealthy" for engine in ours)
        used = len({stream.container_id for stream in self._fleet.started()})
        extra = max(0, len(ours) - self._settings.scaling.min_replicas)
        yield _gauge("orch_healthy_engines", "Number of healthy engines.", healthy)
        yield _gauge("orch_unhealthy_engines", "Number of unhealthy engines.", unhealthy)
        yield _gauge("orch_used_engines", "Number of engines with a stream.", used)
        yield _gauge("orch_extra_engines", "Number of engines above the minimum.", extra)
        running = Counter(engine.id for engine in ours)
        yield self._by_vpn("orch_engines_total", "Number of running engines.", running)
        reachable = self._fleet.freshness.is_current
        yield _gauge("touchline_runtime_reachable", "1 while the runtime is reachable.", reachable)

    def _by_vpn(self, name: str, text: str, by_engine: Mapping[str, int]) -> Family:
        """Return a family with the total, without a label, and the part behind each VPN."""
        family = Family("gauge", name, text, ("vpn_container",))
        family.set(float(sum(by_engine.values())))
        for vpn in self._settings.vpn.names:
            behind = [engine.id for engine in self._fleet.managed() if engine.vpn_container == vpn]
            family.set(float(sum(by_engine.get(each, 0) for each in behind)), vpn)
        return family

    def _vpns(self) -> Iterable[Family]:
        vpns = self._vpn.vpns if self._vpn is not None else ()
        each_health = Family(
            "gauge", "orch_vpn_health_status", "1 while the VPN is healthy.", ("vpn",)
        )
        for vpn in vpns:
            each_health.set(float(vpn.connected), vpn.name)
        yield each_health
        connected = any(vpn.connected for vpn in vpns)
        health: dict[str, str] = {"orch_vpn_health": "disabled"}
        if vpns:
            health["orch_vpn_health"] = "healthy" if connected else vpns[0].health
        for number in (1, 2):
            there = vpns[number - 1] if len(vpns) >= number else None
            health[f"orch_vpn{number}_health"] = there.health if there is not None else "disabled"
            name = there.name if there is not None else None
            on_it = sum(
                engine.vpn_container == name and name is not None
                for engine in self._fleet.managed()
            )
            yield _gauge(f"orch_vpn{number}_engines", "Number of engines behind this VPN.", on_it)
        for name, state in health.items():
            family = Family("gauge", name, "1 for the current state.", (name,))
            for each in VPN_STATES:
                family.set(float(each == state), each)
            yield family


def _gauge(name: str, text: str, value: float) -> Family:
    family = Family("gauge", name, text)
    family.set(float(value))
    return family
