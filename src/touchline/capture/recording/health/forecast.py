"""Rate at which the cameras fill the disk, known after each has been measured for a while."""

from __future__ import annotations

from collections.abc import Iterable

KNOWN_AFTER_S = 5.0
"""Seconds of measurement before a rate counts as known.

The first seconds of a stream contain its largest keyframe or nothing at all.
"""

WINDOW_S = 300.0
"""Smoothing window of the rates in seconds, so that image content barely moves the forecast.

Until then the rate is the mean of all measurements; after that each second weighs 1/300.
"""

_LEAST_WINDOW_S = 20.0
"""Smallest smoothing window in seconds, so that no second weighs more than 1/20."""

_SILENT_S = 3.0


class Rates:
    """Smoothed bit rates by camera.

    `now_s` is any steady clock, the same in each call.
    """

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        self._last: dict[int, float] = {}
        self._bps: dict[int, float] = {}
        self._measured_s: dict[int, float] = {}

    def note(self, camera_id: int, bitrate_bps: float, now_s: float) -> None:
        """Record the current bit rate of a camera's worker; ignored while it delivers nothing."""
        if bitrate_bps <= 0:
            return
        before = self._last.get(camera_id)
        if before is None or now_s - before > _SILENT_S:
            # Measurement restarts; the old rate is kept until there is a new one.
            self._since[camera_id] = now_s
        self._last[camera_id] = now_s
        if before is None or now_s - self._since[camera_id] < KNOWN_AFTER_S:
            return
        passed_s = now_s - before
        measured_s = min(WINDOW_S, self._measured_s.get(camera_id, 0.0) + passed_s)
        known = self._bps.get(camera_id, bitrate_bps)
        share = passed_s / max(_LEAST_WINDOW_S, measured_s)
        self._bps[camera_id] = known + share * (bitrate_bps - known)
        self._measured_s[camera_id] = measured_s

    def total_bps(self, camera_ids: Iterable[int]) -> float | None:
        """Return the rate of these cameras together.

        None until each is known, and for an empty list.
        """
        known = [self._bps.get(camera_id) for camera_id in camera_ids]
        if not known or any(bps is None for bps in known):
            return None
        return sum(bps for bps in known if bps is not None)
