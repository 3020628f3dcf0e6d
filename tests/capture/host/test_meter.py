"""What Prometheus is told: the figures of the moment, and nothing that is not known."""

from pathlib import Path
from typing import Any

import pytest

from support.fakerecorders import FakeRecorder
from support.fakesystem import FakeSystem
from support.watched import FakeCamera
from touchline.capture.host.host import HostSampler
from touchline.capture.host.machine import MachineSample, MachineSampler
from touchline.capture.host.meter import Meter
from touchline.capture.host.watchdog import Watchdog
from touchline.capture.logs.alertlog import Alerts
from touchline.capture.logs.alerts import Alert
from touchline.core.metrics import Metrics
from touchline.media.storage.diskspace import DiskSpace
from touchline.worker.recording.synctimes import SyncTimes


class Metered:
    """A meter over fakes, and its rendered lines without comments."""

    def __init__(self, folder: Path, *cameras: FakeCamera) -> None:
        self.recorder = FakeRecorder()
        self.preview: dict[str, Any] = FakeSystem.make(folder).capture.preview_status()
        self.live: dict[str, Any] = {}
        self.alerts = Alerts(folder, lambda *_, **__: None)
        self.watchdog = Watchdog(lambda _line: None)
        self.host = HostSampler(
            folder,
            floor_bytes=1,
            find_fault=lambda: None,
            read_disk=lambda _: DiskSpace(1000, 750, 250),
        )
        self.machine = MachineSampler(lambda: None)
        by_id: Any = {camera.id: camera for camera in cameras}
        self.meter = Meter(
            by_id,
            recording=self.recorder.status,
            preview=lambda: self.preview,
            live=lambda: self.live,
            host=self.host,
            machine=self.machine,
            alerts=self.alerts,
            watchdog=self.watchdog,
        )
        self.metrics = Metrics()
        self.metrics.add_source(self.meter.families)

    def lines(self) -> list[str]:
        return [
            line
            for line in self.metrics.render().decode().splitlines()
            if line.startswith("touchline_")
        ]


def running_camera() -> FakeCamera:
    return FakeCamera(
        status={
            "state": "running",
            "frames": 900,
            "fps": 29.97,
            "bitrate_bps": 12_000_000,
            "dropped": {"source": 3, "queue": 1},
            "transcoded": True,
        },
        state="running",
        last_frame_age_s=0.5,
    )


def test_a_camera_is_told_by_its_name(tmp_path: Path) -> None:
    lines = Metered(tmp_path, running_camera()).lines()
    for line in (
        'touchline_camera_state{camera="cam0",state="running"} 1.0',
        'touchline_camera_state{camera="cam0",state="error"} 0.0',
        'touchline_camera_frames_total{camera="cam0"} 900.0',
        'touchline_camera_fps{camera="cam0"} 29.97',
        'touchline_camera_bitrate_bits_per_second{camera="cam0"} 1.2e+07',
        'touchline_camera_last_frame_age_seconds{camera="cam0"} 0.5',
        'touchline_camera_transcoded{camera="cam0"} 1.0',
        'touchline_camera_dropped_frames_total{camera="cam0",place="source"} 3.0',
        'touchline_camera_dropped_frames_total{camera="cam0",place="queue"} 1.0',
    ):
        assert line in lines


def test_a_camera_that_has_said_nothing_yet_has_zeros_and_no_age(tmp_path: Path) -> None:
    lines = Metered(tmp_path, FakeCamera(state="error")).lines()
    assert 'touchline_camera_frames_total{camera="cam0"} 0.0' in lines
    assert not [line for line in lines if line.startswith("touchline_camera_last_frame_age")]
    assert not [line for line in lines if line.startswith("touchline_fragment_sync_seconds")]


def test_sync_times_are_a_histogram_as_the_worker_counts_them(tmp_path: Path) -> None:
    times = SyncTimes()
    for seconds in (0.001, 0.0015, 0.3, 9.0):
        times.observe(seconds)
    camera = running_camera()
    camera.sync = times.to_json()
    lines = Metered(tmp_path, camera).lines()
    for line in (
        'touchline_fragment_sync_seconds_bucket{camera="cam0",le="0.001"} 1.0',
        'touchline_fragment_sync_seconds_bucket{camera="cam0",le="0.002"} 2.0',
        'touchline_fragment_sync_seconds_bucket{camera="cam0",le="0.5"} 3.0',
        'touchline_fragment_sync_seconds_bucket{camera="cam0",le="2.5"} 3.0',
        'touchline_fragment_sync_seconds_bucket{camera="cam0",le="+Inf"} 4.0',
        'touchline_fragment_sync_seconds_count{camera="cam0"} 4.0',
        'touchline_fragment_sync_seconds_sum{camera="cam0"} 9.3025',
    ):
        assert line in lines


def test_the_running_match_is_told_and_an_idle_recorder_has_no_match(tmp_path: Path) -> None:
    metered = Metered(tmp_path, running_camera())
    assert "touchline_recording_duration_seconds 0.0" in metered.lines()
    status = metered.recorder.status() | {"recording": True, "duration": 61.5, "degraded": True}
    status["cameras"] = {
        "camera_0": {
            "frames": 1800,
            "segments": 2,
            "gaps": 1,
            "backlog_bytes": 4096,
            "dropped": {"source": 3, "queue": 1, "disk": 7},
        }
    }
    status["disk_minutes_left"] = 90.5
    metered.meter._recording = lambda: status
    lines = metered.lines()
    for line in (
        "touchline_recording_duration_seconds 61.5",
        "touchline_recording_degraded 1.0",
        "touchline_recording_disk_minutes_left 90.5",
        'touchline_recording_frames{camera="cam0"} 1800.0',
        'touchline_recording_gaps{camera="cam0"} 1.0',
        'touchline_recording_backlog_bytes{camera="cam0"} 4096.0',
        'touchline_camera_dropped_frames_total{camera="cam0",place="disk"} 7.0',
    ):
        assert line in lines


def test_alerts_and_edges_are_counted(tmp_path: Path) -> None:
    metered = Metered(tmp_path, running_camera())
    for _ in range(2):
        metered.alerts.send(Alert("recording_disk_full", "error", "Full"))
    metered.watchdog.counts["cam0", "stall"] = 4
    lines = metered.lines()
    for line in (
        'touchline_alerts_total{event_type="recording_disk_full",severity="error"} 2.0',
        'touchline_camera_stalls_total{camera="cam0"} 4.0',
        'touchline_camera_recoveries_total{camera="cam0"} 0.0',
    ):
        assert line in lines


def test_viewers_and_what_they_missed_are_counted_for_each_camera(tmp_path: Path) -> None:
    metered = Metered(tmp_path, FakeCamera(0), FakeCamera(1, feed={"skipped": 4}))
    metered.preview["cameras"]["camera_1"]["active"] = True
    metered.live = {
        "webrtc_sessions": [{"camera": "cam1"}, {"camera": "cam1"}],
        "rtsp_sessions": [{"camera": "cam0"}],
        "streams": {"cam1": {"dropped": 9}},
    }
    lines = metered.lines()
    for line in (
        'touchline_preview_viewers{camera="cam0",transport="webrtc"} 0.0',
        'touchline_preview_viewers{camera="cam0",transport="rtsp"} 1.0',
        'touchline_preview_viewers{camera="cam1",transport="webrtc"} 2.0',
        'touchline_preview_active{camera="cam1"} 1.0',
        'touchline_camera_dropped_frames_total{camera="cam1",place="feed"} 4.0',
        'touchline_camera_dropped_frames_total{camera="cam1",place="live"} 9.0',
    ):
        assert line in lines


def test_without_a_live_process_nobody_watches(tmp_path: Path) -> None:
    lines = Metered(tmp_path, FakeCamera(0)).lines()
    assert 'touchline_preview_viewers{camera="cam0",transport="webrtc"} 0.0' in lines
    assert not [line for line in lines if 'place="' in line]


@pytest.mark.anyio
async def test_the_disk_is_told_while_it_is_known(tmp_path: Path) -> None:
    metered = Metered(tmp_path)
    assert not [line for line in metered.lines() if line.startswith("touchline_disk_")]
    await metered.host.once()
    metered.machine.sample = MachineSample(zones_c=(40.0, 51.2), cpu_percent=7.5)
    lines = metered.lines()
    for line in (
        "touchline_disk_free_bytes 250.0",
        "touchline_disk_total_bytes 1000.0",
        "touchline_host_temperature_celsius 51.2",
        "touchline_host_cpu_percent 7.5",
    ):
        assert line in lines
