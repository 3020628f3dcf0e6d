"""JPEG stills of a camera's newest keyframe, decoded by a separate ffmpeg process."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

from touchline.capture.cameras.cameras import Camera
from touchline.core import patience
from touchline.core.errors import Blocked, Failed, NotFound

KEPT_S = 1.0
"""Seconds for which a still is reused.

Many concurrent requests cost one decoding per second.
"""
_PICTURE_S = 5.0
_DECODE_S = 10.0
_BEHIND_THE_RECORDER = ("nice", "-n", "10")
_JPEG_QUALITY = "4"  # ffmpeg's scale: 2 is best, 31 worst


@dataclass(frozen=True)
class Still:
    """JPEG and its capture time (Unix seconds)."""

    jpeg: bytes
    captured_at_s: float


class Stills:
    """Stills of all cameras, including those that record or are idle."""

    def __init__(self, cameras: Mapping[int, Camera], folder: Path) -> None:
        self._cameras = cameras
        self._folder = folder
        self._newest: dict[int, tuple[float, Still]] = {}
        self._locks = {camera_id: anyio.Lock() for camera_id in cameras}

    async def take(self, camera_id: int) -> Still:
        """Return the camera's current picture, at most a second and a GOP old.

        Raises NotFound for a camera that does not exist, Blocked for one that sends nothing at the
        moment, and Failed when its picture cannot be decoded.
        """
        camera = self._cameras.get(camera_id)
        if camera is None:
            raise NotFound(f"Camera {camera_id} does not exist", code="camera_unknown")
        async with self._locks[camera_id]:
            at_s, still = self._newest.get(camera_id, (float("-inf"), None))
            if still is None or time.monotonic() - at_s > KEPT_S:
                still = await self._take(camera)
                self._newest[camera_id] = (time.monotonic(), still)
            return still

    async def _take(self, camera: Camera) -> Still:
        path = anyio.Path(self._folder / f"still-{camera.name}-{secrets.token_hex(4)}.h264")
        try:
            try:
                reply = await camera.link.ask(
                    "still", timeout_s=_PICTURE_S + 2, path=str(path), wait_s=_PICTURE_S
                )
            except Failed as error:
                if error.code != "no_picture":
                    raise
                text = f"Camera {camera.id} sends no frames: {error.message}"
                raise Blocked(text, code="no_picture", eta_s=1.0) from error
            return Still(await _decode(path), time.time() - float(reply["age_s"]))
        finally:
            with anyio.CancelScope(shield=True):
                await path.unlink(missing_ok=True)


async def _decode(path: anyio.Path) -> bytes:
    """Decode the first picture of the file to JPEG."""
    command = [
        *_BEHIND_THE_RECORDER,
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-threads", "1", "-f", "h264"),
        *("-i", str(path), "-frames:v", "1", "-f", "image2", "-c:v", "mjpeg"),
        *("-q:v", _JPEG_QUALITY, "-pix_fmt", "yuvj420p", "-"),
    ]
    if shutil.which("ffmpeg") is None:
        raise Failed("Stills need ffmpeg, which is not installed.", code="no_ffmpeg")
    try:
        with patience.fail_after(_DECODE_S):
            done = await anyio.run_process(
                command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
            )
    except TimeoutError as error:
        raise Failed("The picture could not be decoded in time.", code="still_failed") from error
    if done.returncode != 0 or not done.stdout:
        text = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no picture"]
        raise Failed(f"The picture could not be decoded: {text[0]}", code="still_failed")
    return done.stdout
