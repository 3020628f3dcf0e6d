"""The cameras in Prometheus' terms, as they were at the last look."""

from __future__ import annotations

from collections.abc import Mapping

from touchline.capture.cameras import Camera
from touchline.core.metrics import Metrics

MEASURE_EVERY_S = 1.0


class CameraMeasures:
    """Gauges for each camera; `once` brings them up to date from memory."""

    def __init__(self, metrics: Metrics, cameras: Mapping[int, Camera]) -> None:
        self._cameras = cameras
        labels = ("camera",)
        self._running = metrics.gauge(
            "touchline_camera_running", "1 while the camera delivers frames", labels
        )
        self._fps = metrics.gauge(
            "touchline_camera_frames_per_second", "Frames of the last two seconds", labels
        )
        self._bitrate = metrics.gauge(
            "touchline_camera_bits_per_second", "Coded bits of the last two seconds", labels
        )
        self._starts = metrics.gauge(
            "touchline_camera_worker_starts", "Worker processes started so far", labels
        )

    async def once(self) -> None:
        """Look at every camera."""
        for camera in self._cameras.values():
            running = camera.state == "running"
            self._running.labels(camera.name).set(running)
            self._fps.labels(camera.name).set(camera.status.get("fps") or 0 if running else 0)
            bitrate = camera.status.get("bitrate_bps") or 0 if running else 0
            self._bitrate.labels(camera.name).set(bitrate)
            self._starts.labels(camera.name).set(camera.link.spawns)
