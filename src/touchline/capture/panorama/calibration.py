"""Calibration with the running cameras: image pairs are captured, then evaluated.

Captured pictures are files, so that a started calibration survives a restart. The cameras are only
held while a pair is captured: a recording never has to wait for an abandoned calibration.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from touchline.capture.calibrations import Calibration, Calibrations
from touchline.capture.cameras.cameras import Camera
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.library.library import Library
from touchline.capture.panorama.answers import CalibrationCaptured, CalibrationStatus
from touchline.capture.programs.studio import StudioRun
from touchline.core.errors import Blocked, Failed, Refused
from touchline.core.tasks import Changed

log = logging.getLogger(__name__)

FRAMES_NEEDED = 10
FRAMES_TARGET = 15
MOST_FRAMES = 60
CAPTURE_WAIT_S = 12.0
_NAME = "studio-feed"
_FILE = re.compile(r"(\d{3})-cam[01]\.png", re.ASCII)
_FOLDER = "capturing"


class Calibrating:
    """Control of the current calibration, if there is one."""

    def __init__(
        self,
        calibrations: Calibrations,
        cameras: Mapping[int, Camera],
        lease: CameraLease,
        library: Library,
        *,
        captured: Sequence[int],
        runtime_dir: Path,
        log_dir: Path,
    ) -> None:
        """Create the control; `captured` has the numbers of the pairs captured before."""
        self.changed = Changed()
        self._calibrations = calibrations
        self._cameras = cameras
        self._lease = lease
        self._library = library
        self._runtime_dir = runtime_dir
        self._log_path = log_dir / "studio.log"
        self._folder = calibrations.folder / _FOLDER
        self._captured = list(captured)
        self._started = bool(captured)
        self._busy = anyio.Lock()

    def status(self) -> CalibrationStatus:
        """Return the body of `GET /api/v1/panorama/calibration`."""
        active = self._calibrations.active
        return {
            "calibrated": active is not None,
            "is_calibrating": self._started,
            "frames_captured": len(self._captured),
            "quality_score": None if active is None else active.quality["score"],
            "calibration_date": None if active is None else active.created_at.isoformat(),
            "version": None if active is None else active.version,
        }

    async def start(self) -> None:
        """Start a new calibration.

        Raises Refused while the cameras are used for something else.
        """
        await self._lease.settled()
        if self._lease.mode in {"preview", "recording"}:
            raise Refused(
                f"Cannot start calibration: {self._lease.mode} is active",
                code="calibration_refused",
            )
        async with self._busy:
            await to_thread.run_sync(_empty, self._folder)
            self._captured, self._started = [], True
        self.changed.mark()

    async def reset(self) -> None:
        """Discard the captured pictures."""
        async with self._busy:
            await to_thread.run_sync(_empty, self._folder)
            self._captured, self._started = [], False
        self.changed.mark()

    async def capture(self) -> CalibrationCaptured:
        """Capture another picture of both cameras at the same instant.

        Raises Refused before a start, Blocked if the cameras are in use, and Failed with the
        studio's message if no pair could be captured.
        """
        if not self._started:
            raise Refused(
                "Calibration not active. Call start_calibration first.", code="not_started"
            )
        if len(self._captured) >= MOST_FRAMES:
            raise Refused(
                f"{MOST_FRAMES} pairs captured, the maximum. Complete the calibration now.",
                code="enough",
            )
        async with self._busy:
            number = max(self._captured, default=0) + 1
            files = [str(self._folder / f"{number:03d}-cam{camera}.png") for camera in (0, 1)]
            await self._lease.settled()
            with self._lease.hold("calibration", "api-calibration"):
                found = await self._capture(files)
            self._captured.append(number)
        self.changed.mark()
        captured = len(self._captured)
        return {
            "success": True,
            "message": f"Frame pair {captured} captured successfully",
            "frames_captured": captured,
            "frames_needed": FRAMES_NEEDED,
            "frames_target": FRAMES_TARGET,
            "ready_to_calculate": captured >= FRAMES_NEEDED,
            "apart_ms": found["apart_ms"],
            "sharp": found["sharp"],
        }

    async def complete(
        self, manual: Sequence[Mapping[str, Any]] = (), *, least: int = FRAMES_NEEDED
    ) -> Calibration:
        """Compute the calibration and activate it.

        Raises Refused before a start or with too few pairs, and Failed with instructions if the
        pictures are not sufficient.
        """
        if not self._started:
            raise Refused("Calibration not started", code="not_started")
        if len(self._captured) < least:
            text = f"Need at least {least} frames, got {len(self._captured)}"
            raise Refused(text, code="too_few_frames")
        pairs = [
            [str(self._folder / f"{number:03d}-cam{camera}.png") for camera in (0, 1)]
            for number in self._captured
        ]
        async with self._busy:
            spec = {"pairs": pairs, "manual": list(manual)}
            calibration = await self._compute("cameras", spec, manual)
            self._started = False
        self.changed.mark()
        return calibration

    async def from_match(
        self, match_id: str, *, instants: int, manual: Sequence[Mapping[str, Any]] = ()
    ) -> Calibration:
        """Compute the calibration from a recorded match.

        Raises NotFound and Failed.
        """
        folder = await self._library.folder(match_id)
        async with self._busy:
            spec = {"folder": str(folder), "instants": instants, "manual": list(manual)}
            calibration = await self._compute(match_id, spec, manual)
        self.changed.mark()
        return calibration

    async def _compute(
        self, source: str, spec: Mapping[str, Any], manual: Sequence[Mapping[str, Any]]
    ) -> Calibration:
        run = StudioRun("calibrate", spec, log_path=self._log_path)
        result = await run.run(lambda _: None, hurry=True)
        now = datetime.now(UTC)
        return await self._calibrations.add(source, {**result, "manual": list(manual)}, now)

    async def _capture(self, files: Sequence[str]) -> dict[str, Any]:
        cameras = [self._cameras.get(number) for number in (0, 1)]
        if None in cameras:
            raise Failed("A panorama needs cameras 0 and 1", code="no_two_cameras")
        spec = {
            "directory": str(self._runtime_dir),
            "name": _NAME,
            "files": list(files),
            "wait_s": CAPTURE_WAIT_S,
        }
        run = StudioRun("capture", spec, log_path=self._log_path)
        listening = anyio.Event()
        feed = partial(self._feed, listening, [c for c in cameras if c is not None])
        found: dict[str, Any] = {}
        failures: list[Exception] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed)
            try:
                found = await run.run(lambda _: listening.set(), hurry=True)
            except Exception as error:  # noqa: BLE001  (raised below, outside the group)
                failures.append(error)
            finally:
                tasks.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await self._stop_feeds([c for c in cameras if c is not None])
        if failures:
            raise failures[0]
        return found

    async def _feed(self, listening: anyio.Event, cameras: Sequence[Camera]) -> None:
        await listening.wait()
        path = str(self._runtime_dir / f"{_NAME}.sock")
        for camera in cameras:
            try:
                await camera.link.ask("feed", path=path)
            except (Blocked, Failed) as error:  # the studio reports the missing picture
                log.warning("%s sends no frames: %s", camera.name, error.message)

    @staticmethod
    async def _stop_feeds(cameras: Sequence[Camera]) -> None:
        for camera in cameras:
            with suppress(Blocked, Failed):  # the feed ends by itself without a reader
                await camera.link.ask("unfeed", timeout_s=2.0)


async def read_captured(calibrations: Calibrations) -> list[int]:
    """Return the numbers of the captured pairs of which both pictures exist."""
    return await to_thread.run_sync(_captured, calibrations.folder / _FOLDER)


def _captured(folder: Path) -> list[int]:
    folder.mkdir(parents=True, exist_ok=True)
    seen: dict[int, int] = {}
    for path in folder.iterdir():
        if found := _FILE.fullmatch(path.name):
            seen[int(found[1])] = seen.get(int(found[1]), 0) + 1
    return sorted(number for number, files in seen.items() if files == 2)


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if _FILE.fullmatch(path.name):
            path.unlink()
