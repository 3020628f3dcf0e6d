"""The real server's own logs and figures, as its API and Prometheus show them."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from support.server import Server, serving, wait_for


def log_lines(server: Server, log_type: str) -> list[str]:
    return list(server.get(f"/logs/{log_type}")["lines"])


def metrics_of(server: Server) -> dict[str, float]:
    answer = httpx.get(server.client.base_url.copy_with(path="/metrics"))
    assert answer.status_code == 200
    lines = [line.rsplit(" ", 1) for line in answer.text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in lines}


def metrics_while_writing(server: Server) -> dict[str, float]:
    """The metrics once the present worker of camera 0 has written a few fragments."""
    deadline_s = time.monotonic() + 15.0
    while True:
        metrics = metrics_of(server)
        if metrics.get('touchline_fragment_sync_seconds_count{camera="cam0"}', 0) > 2:
            return metrics
        assert time.monotonic() < deadline_s, "camera 0 writes nothing"
        time.sleep(0.05)


def test_a_worker_s_death_is_in_every_log_and_in_the_metrics(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert any("healthy: No active recording" in line for line in log_lines(server, "health"))
        server.started("final")
        before = metrics_while_writing(server)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        wait_for(
            lambda: any("Recording recovered camera 0" in x for x in log_lines(server, "alerts")),
            "back",
        )
        watchdog = log_lines(server, "watchdog")
        assert sum("cam0: worker" in line and "was started" in line for line in watchdog) == 2
        assert any("ALERT: cam0: the worker exited" in line for line in watchdog)
        wait_for(
            lambda: any("ALERT: unhealthy: match final" in x for x in log_lines(server, "health")),
            "told",
        )
        after = metrics_while_writing(server)
        server.stop()
    assert before['touchline_worker_losses_total{camera="cam0"}'] == 0
    assert after['touchline_worker_losses_total{camera="cam0"}'] == 1
    assert after['touchline_worker_starts_total{camera="cam0"}'] == 2
    assert after['touchline_worker_starts_total{camera="cam1"}'] == 1
    lost = 'touchline_alerts_total{event_type="recording_camera_lost",severity="error"}'
    assert after[lost] == 1
    assert after["footballvision_recording_active"] == 1
    assert after['touchline_recording_gaps{camera="cam0"}'] == 1
    assert after['touchline_fragment_sync_seconds_sum{camera="cam1"}'] > 0
    assert after["touchline_event_loop_lag_seconds_count"] > 0
    assert after["touchline_disk_free_bytes"] > 0


def test_a_stop_that_a_hung_worker_does_not_answer_correlates_with_its_hardware_error(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, unresponsive_after_s=1.0) as server:
        server.started("final")
        now = datetime.now(UTC)
        with (tmp_path / "logs" / "cam0.log").open("a") as log:
            log.write(
                f"{now:%Y-%m-%dT%H:%M:%S}.000Z cam0 WARNING camera lost: failed to open NvVIC\n"
            )
        os.kill(server.worker_pids()[0], signal.SIGSTOP)
        assert server.stop()["transport_success"] is False

        def correlations() -> Any:
            return server.get("/diagnostics/recording-correlations")

        wait_for(lambda: correlations()["counts"]["recording_stop_timeouts"], "logged")
        answer = correlations()
        killed = wait_for(
            lambda: [x for x in log_lines(server, "watchdog") if "was killed" in x], "killed"
        )
    assert answer["counts"] == {
        "nvvic_errors": 1,
        "recording_stop_timeouts": 1,
        "probe_failures": 0,
        "correlated_nvvic_events": 1,
    }
    [timeout] = answer["recent"]["recording_stop_timeouts"]
    assert json.loads(timeout["line"])["message"].startswith("EOS wait timed out for cam0: ")
    assert "ALERT: cam0: the worker exited: it said nothing" in killed[0]


def test_figures_and_logs_are_answered_at_once_while_a_worker_hangs(tmp_path: Path) -> None:
    with serving(tmp_path, unresponsive_after_s=60.0) as server:
        pid = server.worker_pids()[1]

        def hangs() -> bool:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

        os.kill(pid, signal.SIGSTOP)
        wait_for(hangs, "stopped")
        for path in ("/system-metrics", "/logs/watchdog"):
            for _ in range(5):
                assert server.get(path)
                assert hangs()  # and is still the camera's: nobody waited until it was replaced
        assert server.worker_pids()[1] == pid
        os.kill(pid, signal.SIGCONT)
