"""Checks of the configured cameras: files, video devices, and network cameras by a login."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from touchline.capture import RtspSource, Source
from touchline.finding import Finding
from touchline.settings import Settings

CAMERA_TIMEOUT_S = 2.0
DESCRIBE_TIMEOUT_S = 15.0


def camera_findings(settings: Settings) -> Iterator[Finding]:
    """Return a finding for each camera, checking all of them concurrently."""
    cameras = settings.capture.cameras
    if not cameras:
        yield Finding(
            "cameras",
            "info" if settings.engines_configured else "missing",
            "no camera is configured",
            'add [capture.cameras.0] with kind = "rtsp" and its url to the file of --config',
        )
    require_all = settings.capture.require_all_cameras

    def look(number: int, source: Source) -> Finding | None:
        what = f"camera {number}"
        if source.kind == "file":
            return _readable(what, source.path)
        if source.kind == "v4l2":
            return _video_device(what, source.device)
        if source.kind == "rtsp":
            return _signed_in(number, source, require_all=require_all)
        return None

    ordered = sorted(cameras.items())
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="check") as pool:
        yield from filter(None, pool.map(lambda one: look(*one), ordered))


def _readable(what: str, path: Path) -> Finding:
    if path.is_file() and os.access(path, os.R_OK):
        return Finding(what, "ok", str(path))
    return Finding(what, "missing", f"{path} is not a file that can be read", f"ls -l {path}")


def _video_device(what: str, device: str) -> Finding:
    try:
        is_device = stat.S_ISCHR(os.stat(device).st_mode)  # noqa: PTH116
    except OSError:
        is_device = False
    if not is_device:
        return Finding(
            what, "missing", f"the device {device} does not exist", "ls -l /dev/v4l/by-id"
        )
    if not os.access(device, os.R_OK | os.W_OK):
        mend = "sudo usermod --append --groups video $USER, then log in again"
        return Finding(what, "missing", f"this user has no access to {device}", mend)
    return Finding(what, "ok", device)


def _signed_in(number: int, source: RtspSource, *, require_all: bool) -> Finding:
    """Log in to the camera and request its description."""
    what, parts = f"camera {number}", urlsplit(source.url)
    host, port = parts.hostname or "", parts.port or (322 if parts.scheme == "rtsps" else 554)
    try:
        socket.create_connection((host, port), CAMERA_TIMEOUT_S).close()
    except OSError as error:
        message = f"{host} port {port} does not answer: {error}"
        if require_all:
            message += "; no recording starts without it (capture.require_all_cameras)"
        # If a match may run without it, it may be switched on later.
        return Finding(what, "missing" if require_all else "warn", message, f"ping {host}")
    where, answer = f"{host} port {port}", _described(source)
    if answer.get("ok"):
        size = f" {answer['width']}x{answer['height']}" if answer.get("width") else ""
        return Finding(what, "ok", f"{where} offers {answer['codec']}{size}")
    message, refusal = f"{where}: {answer['message']}", answer.get("refusal")
    if refusal == "busy":
        return Finding(what, "warn", message, "disconnect another viewer of the camera")
    if refusal == "credentials":
        mend = f"set capture.cameras.{number}.user and .password to an account of the camera"
        return Finding(what, "missing", message, mend)
    mend = f"set capture.cameras.{number}.url to the address in the camera's manual"
    return Finding(what, "missing", message, mend)


def _described(source: RtspSource) -> dict[str, Any]:
    """Return the camera's description, obtained by a child process; its input has the password."""
    asked = {
        "url": source.url,
        "user": source.user,
        "password": source.password.get_secret_value() if source.password else None,
        "verify_tls": source.verify_tls,
        "track": source.track,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "touchline.worker.rtsp"],
            input=json.dumps(asked),
            capture_output=True,
            check=False,
            text=True,
            timeout=DESCRIBE_TIMEOUT_S,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        seconds = f"{DESCRIBE_TIMEOUT_S:g} s"
        return {"ok": False, "message": f"no RTSP description within {seconds}"}
    except (OSError, ValueError) as error:
        return {"ok": False, "message": f"the check failed: {error}"}
    return answer
