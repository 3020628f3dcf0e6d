"""What was lost and how a stop went is the same on every device, whatever happens to the server."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from support.overload import both_record
from support.server import Server, serving, wait_for


def of_ours(losses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what a camera of a busy machine left out itself."""
    return [loss for loss in losses if loss["kind"] != "frames"]


def losses(server: Server) -> list[dict[str, Any]]:
    return of_ours(server.status()["losses"])


def test_a_killed_worker_is_a_loss_and_the_verdict_of_the_stop_stays(tmp_path: Path) -> None:
    with serving(tmp_path, standby_workers=False) as server:
        server.started("m1")
        wait_for(lambda: both_record(server), "recording")
        assert losses(server) == []
        os.kill(server.worker_pids()[1], signal.SIGKILL)
        (lasting,) = wait_for(lambda: losses(server), "lost")
        assert (lasting["camera"], lasting["name"]) == ("camera_1", "cam1")
        assert (lasting["kind"], lasting["ended"]) == ("worker", False)
        (over,) = wait_for(lambda: [each for each in losses(server) if each["ended"]], "over")
        assert (over["kind"], over["reason"]) == ("worker", lasting["reason"])
        assert over["seconds"] > 0
        assert server.stop()["success"]

        verdict = server.get("/status")["last_stop"]
        assert (verdict["match_id"], verdict["success"], verdict["files_ok"]) == ("m1", True, True)
        assert of_ours(verdict["gaps"]) == [over]
        wait_for((server.data / "last-stop.json").exists, "stored")  # the stop does not wait for it
        server.kill()
        server.start()
        assert server.get("/status")["last_stop"] == verdict
        dismissed = server.client.delete("/recording/last-stop", params={"id": verdict["id"]})
        assert dismissed.json() == {"dismissed": verdict["id"]}
        assert server.get("/status")["last_stop"] is None
        server.kill()
        server.start()
        assert server.get("/status")["last_stop"] is None
        assert server.client.delete("/recording/last-stop").status_code == 404
