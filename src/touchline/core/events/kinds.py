"""Types and categories of events.

The API's schema lists them, so that a dashboard that uses an unknown one does not build.
"""

from __future__ import annotations

from typing import Literal

AlertType = Literal[
    "background_task_failed",
    "background_task_recovered",
    "recording_camera_lost",
    "recording_camera_recovered",
    "recording_disk_failed",
    "recording_disk_full",
    "recording_disk_gone",
    "recording_disk_read_only",
    "recording_disk_recovered",
    "recording_disk_slow",
    "recording_file_too_large",
    "recording_fps_below_slo",
    "recording_frames_dropped",
    "recording_integrity_failed",
    "recording_interrupted",
    "recording_overload_guard_triggered",
    "recording_resumed",
    "recording_salvaged",
    "recording_stop_non_graceful",
    "recording_stop_transport_failure",
    "recording_writer_failed",
    "recording_writer_recovered",
]
"""Subject of an alert. As events, all alerts have the category `alert`."""

EventType = Literal[
    "recording",
    "processing",
    "library",
    "engine",
    "stream",
    "vpn",
    "health",
    "system",
    AlertType,
]
"""Subject of an event."""

EventCategory = Literal[
    "adopted",
    "alert",
    "claimed",
    "connected",
    "created",
    "deleted",
    "disconnected",
    "disk",
    "draining",
    "emergency",
    "emergency_over",
    "ended",
    "failed",
    "finished",
    "insufficient_engines",
    "port_changed",
    "purged",
    "recovered",
    "recreated",
    "replaced",
    "refused",
    "restarted",
    "restarting",
    "restored",
    "scaling",
    "started",
    "stopped",
    "trashed",
    "warning",
]
"""What happened to the subject."""
