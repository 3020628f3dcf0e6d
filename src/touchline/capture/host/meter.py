"""Prometheus metrics of the capture half, read from memory when scraped.

Labels are cameras, states and places defined by this program: their number is bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from touchline.capture.cameras.cameras import STATES, Camera
from touchline.capture.host.host import HostSampler
from touchline.capture.host.machine import MachineSampler
from touchline.capture.host.watchdog import Watchdog, What
from touchline.capture.logs.alertlog import Alerts
from touchline.core.metrics import Buckets, Family

CAMERA_STATES = tuple(dict.fromkeys(STATES.values()))

_WATCHED: tuple[tuple[What, str, str], ...] = (
    ("stall", "touchline_camera_stalls", "Stalls of cameras"),
    ("loss", "touchline_camera_losses", "Losses of cameras"),
    ("recovery", "touchline_camera_recoveries", "Recoveries of lost cameras"),
    ("worker_start", "touchline_worker_starts", "Worker processes started by this server"),
    (
        "worker_loss",
        "touchline_worker_losses",
        "Workers that exited unexpectedly, were killed or failed to start",
    ),
)

Status = Callable[[], Mapping[str, Any]]


class Meter:
    """Metrics reader whose `families` returns current values, without any I/O or waiting."""

    def __init__(
        self,
        cameras: Mapping[int, Camera],
        *,
        recording: Status,
        preview: Status,
        live: Status,
        host: HostSampler,
        machine: MachineSampler,
        alerts: Alerts,
        watchdog: Watchdog,
    ) -> None:
        """Create a reader of these sources.

        `recording` and `preview` are the statuses of the API, `live` the live process's.
        """
        self._cameras = cameras
        self._recording = recording
        self._preview = preview
        self._live = live
        self._host = host
        self._machine = machine
        self._alerts = alerts
        self._watchdog = watchdog

    def families(self) -> Iterator[Family]:
        """Return every metric with its current values."""
        cameras = [camera for _, camera in sorted(self._cameras.items())]
        recording, live = self._recording(), self._live()
        yield from _of_cameras(cameras)
        yield _count_dropped(cameras, recording, live)
        yield _sync_times(cameras)
        yield from self._of_watchdog(cameras)
        yield from _of_recording(cameras, recording)
        yield from _of_preview(cameras, self._preview(), live)
        yield from self._of_alerts()
        yield from self._of_machine()

    def _of_watchdog(self, cameras: Iterable[Camera]) -> Iterator[Family]:
        for what, name, text in _WATCHED:
            family = Family("counter", name, text, ("camera",))
            for camera in cameras:
                family.set(self._watchdog.counts[camera.name, what], camera.name)
            yield family

    def _of_alerts(self) -> Iterator[Family]:
        sent = Family("counter", "touchline_alerts", "Alerts raised", ("event_type", "severity"))
        for (event_type, severity), count in self._alerts.sent.items():
            sent.set(count, event_type, severity)
        yield sent
        yield _single(
            "counter",
            "touchline_alerts_lost",
            "Alerts that could not be written to their file",
            self._alerts.lost,
        )

    def _of_machine(self) -> Iterator[Family]:
        disk, sample = self._host.disk, self._machine.sample
        gauges = (
            (
                "disk_free_bytes",
                "Free space on the recordings disk; missing while unknown",
                None if disk is None else disk.free_bytes,
            ),
            (
                "disk_total_bytes",
                "Size of the recordings disk; missing while unknown",
                None if disk is None else disk.size_bytes,
            ),
            ("host_cpu_percent", "CPU load over all cores", sample.cpu_percent),
            (
                "host_memory_available_bytes",
                "Memory available to programs",
                sample.memory_available_bytes,
            ),
            (
                "host_temperature_celsius",
                "Temperature of the hottest thermal zone; missing without any",
                max(sample.zones_c, default=None),
            ),
        )
        for name, text, value in gauges:
            yield _single("gauge", f"touchline_{name}", text, value)


def _of_cameras(cameras: Iterable[Camera]) -> Iterator[Family]:
    label = ("camera",)
    state = Family(
        "gauge",
        "touchline_camera_state",
        "1 for the current state of the camera",
        ("camera", "state"),
    )
    frames = Family("counter", "touchline_camera_frames", "Frames delivered by the camera", label)
    fps = Family("gauge", "touchline_camera_fps", "Current frame rate", label)
    bitrate = Family(
        "gauge",
        "touchline_camera_bitrate_bits_per_second",
        "Current bit rate of the encoded stream",
        label,
    )
    age = Family(
        "gauge", "touchline_camera_last_frame_age_seconds", "Time since the newest frame", label
    )
    coded = Family(
        "gauge",
        "touchline_camera_transcoded",
        "1 if the stream is transcoded, 0 if it is copied",
        label,
    )
    for camera in cameras:
        name, status = camera.name, camera.status
        for each in CAMERA_STATES:
            state.set(each == camera.state, name, each)
        frames.set(status.get("frames") or 0, name)
        fps.set(status.get("fps") or 0, name)
        bitrate.set(status.get("bitrate_bps") or 0, name)
        coded.set(bool(status.get("transcoded")), name)
        if camera.last_frame_age_s is not None:
            age.set(camera.last_frame_age_s, name)
    return iter((state, frames, fps, bitrate, age, coded))


def _count_dropped(
    cameras: Iterable[Camera], recording: Mapping[str, Any], live: Mapping[str, Any]
) -> Family:
    """Return the frames lost before the recorder, at the disk, and on the way to viewers."""
    family = Family(
        "counter",
        "touchline_camera_dropped_frames",
        "Dropped frames by place; `disk` within a match, `feed` and `live` for viewers only",
        ("camera", "place"),
    )
    for camera in cameras:
        by_place = dict(camera.status.get("dropped") or {})
        in_match = recording["cameras"].get(camera.key, {}).get("dropped", {})
        # All others accumulate over matches, as a counter must.
        if "disk" in in_match:
            by_place["disk"] = in_match["disk"]
        if camera.feed is not None:
            by_place["feed"] = camera.feed["skipped"]
        if camera.name in live.get("streams", {}):
            by_place["live"] = live["streams"][camera.name]["dropped"]
        for place, count in by_place.items():
            family.set(count, camera.name, place)
    return family


def _sync_times(cameras: Iterable[Camera]) -> Family:
    family = Family(
        "histogram",
        "touchline_fragment_sync_seconds",
        "Time for writing and syncing a fragment",
        ("camera",),
    )
    for camera in cameras:
        if camera.sync is not None:
            sync = camera.sync
            buckets = Buckets(tuple(sync["bounds_s"]), tuple(sync["counts"]), sync["total_s"])
            family.set(buckets, camera.name)
    return family


def _of_recording(cameras: Iterable[Camera], status: Mapping[str, Any]) -> Iterator[Family]:
    gauges = (
        ("duration_seconds", "Duration of the running recording", status["duration"]),
        (
            "degraded",
            "1 while a camera or the machine is degraded",
            status["degraded"],
        ),
        (
            "overload_guard_active",
            "1 while overload is signalled",
            status["overload_guard"]["active"],
        ),
        (
            "disk_minutes_left",
            "Time until the disk is full at the current bit rate; missing while unknown",
            status.get("disk_minutes_left"),
        ),
    )
    for name, text, value in gauges:
        yield _single("gauge", f"touchline_recording_{name}", text, value)
    by_camera = (
        ("frames", "Recorded frames of the running match", "frames"),
        ("segments", "Segments of the running match", "segments"),
        ("gaps", "Gaps in the running match", "gaps"),
        ("backlog_bytes", "Footage waiting to be written", "backlog_bytes"),
    )
    for name, text, key in by_camera:
        family = Family("gauge", f"touchline_recording_{name}", text, ("camera",))
        for camera in cameras:
            told = status["cameras"].get(camera.key, {})
            if key in told:
                family.set(told[key], camera.name)
        yield family


def _of_preview(
    cameras: Iterable[Camera], status: Mapping[str, Any], live: Mapping[str, Any]
) -> Iterator[Family]:
    active = Family(
        "gauge", "touchline_preview_active", "1 while the camera is previewed", ("camera",)
    )
    viewers = Family(
        "gauge",
        "touchline_preview_viewers",
        "Open viewer sessions; HLS players have none",
        ("camera", "transport"),
    )
    for camera in cameras:
        active.set(bool(status["cameras"].get(camera.key, {}).get("active")), camera.name)
    for transport in ("webrtc", "rtsp"):
        sessions = live.get(f"{transport}_sessions", ())
        watched = Counter(session["camera"] for session in sessions)
        for camera in cameras:
            viewers.set(watched[camera.name], camera.name, transport)
    return iter((active, viewers))


def _single(kind: Any, name: str, text: str, value: float | None) -> Family:
    """Return a metric without labels; without a value if it is not known."""
    family = Family(kind, name, text)
    if value is not None:
        family.set(value)
    return family
