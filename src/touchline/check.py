"""The command `touchline check`: what this machine lacks for its settings, and how to fix it.

The server never loads GStreamer, so this does not either: it asks a child process.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

from touchline.cameracheck import camera_findings
from touchline.capture import PROBED_ELEMENTS, build_pipeline, recordings_disk
from touchline.core.errors import TouchlineError
from touchline.engines import engine_readiness
from touchline.finding import CheckFinding, State
from touchline.foreign.text import shown
from touchline.listen import bind, is_loopback
from touchline.media.storage.diskspace import read_space
from touchline.settings import Settings
from touchline.system import LOCK_FILE

GIB = 1 << 30
PROBE_TIMEOUT_S = 30.0
SLOW_SYNC_S = 0.1
SHORT_MINUTES = 120
ASSUMED_KBPS = 20_000
"""Bitrate of a camera without its own setting: the maximum of any preset."""

WORKER_ELEMENTS = ("appsink", "fakesink", "h264parse", "mp4mux")
"""Elements that every worker adds to a camera's own pipeline."""

PACKAGES = {
    "libgstreamer1.0-0": ("capsfilter", "fakesink", "filesrc", "queue", "tee"),
    "gstreamer1.0-plugins-base": (
        "appsink",
        "appsrc",
        "decodebin",
        "parsebin",
        "videoconvert",
        "videoscale",
        "videorate",
        "videotestsrc",
    ),
    "gstreamer1.0-plugins-good": (
        "mp4mux",
        "qtdemux",
        "rtph265depay",
        "rtpjpegdepay",
        "v4l2h264enc",
        "v4l2src",
        "videocrop",
    ),
    "gstreamer1.0-plugins-bad": (
        "h264parse",
        "h264timestamper",
        "nvh264enc",
        "openh264enc",
        "qsvh264enc",
        "vah264enc",
    ),
    "gstreamer1.0-plugins-ugly": ("x264enc",),
    "gstreamer1.0-libav": ("avdec_h264",),
    "gstreamer1.0-libcamera": ("libcamerasrc",),
    "gstreamer1.0-vaapi": ("vaapih264enc",),
    "nvidia-l4t-gstreamer": ("nvarguscamerasrc", "nvv4l2h264enc", "nvvidconv"),
}
"""Debian (or NVIDIA) package of each element that a pipeline may need."""

PROBE = """\
import json, sys
try:
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
    Gst.init(None)
except (ImportError, ValueError) as error:
    print(json.dumps({"error": str(error)}))
else:
    found = [name for name in sys.argv[1:] if Gst.ElementFactory.find(name)]
    print(json.dumps({"version": Gst.version_string(), "elements": found}))
"""


Probe = Callable[[Collection[str]], dict[str, Any]]


def check(
    settings: Settings, *, probe: Probe | None = None, measured_bps: float | None = None
) -> list[CheckFinding]:
    """Return all findings, in the order in which they should be fixed.

    `measured_bps` is the total write rate of all cameras, if a running server knows it.
    """
    return list(
        chain(
            _gstreamer(settings, probe or probe_gstreamer),
            _programs(),
            camera_findings(settings),
            _disk(settings, measured_bps),
            _sockets(settings),
            _port(settings),
            _clock(),
            _access(settings),
            _engines(settings),
        )
    )


def print_findings(findings: list[CheckFinding], *, as_json: bool) -> None:
    """Print a table for people, or one JSON object for programs."""
    missing = [finding for finding in findings if finding.state == "missing"]
    if as_json:
        print(json.dumps({"ok": not missing, "findings": [asdict(one) for one in findings]}))
        return
    wide = max(len(shown(finding.what)) for finding in findings)
    for finding in map(_escape_finding, findings):
        print(f"{finding.state:<8}{finding.what:<{wide + 2}}{finding.message}")
        if finding.mend and finding.state in ("missing", "warn"):
            print(f"{'':<8}{'':<{wide + 2}}→ {finding.mend}")
    print(f"{len(missing)} missing" if missing else "Nothing required is missing.")


def _escape_finding(finding: CheckFinding) -> CheckFinding:
    """Make a finding safe for a terminal: its text may come from cameras, engines or daemons."""
    return replace(
        finding,
        what=shown(finding.what),
        message=shown(finding.message),
        mend=finding.mend and shown(finding.mend),
    )


def probe_gstreamer(names: Collection[str]) -> dict[str, Any]:
    """Return what a child process with GStreamer finds: `version` and `elements`, or `error`."""
    # Environment variables of another GStreamer would falsify the result.
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GST_") and name not in ("PYTHONHOME", "PYTHONPATH")
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROBE, *names],
            capture_output=True,
            check=True,
            env=environ,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=PROBE_TIMEOUT_S,
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return {"error": f"the probe failed: {error}"}
    return answer


def _gstreamer(settings: Settings, probe: Probe) -> Iterator[CheckFinding]:
    answer = probe(PROBED_ELEMENTS)
    if "error" in answer:
        yield CheckFinding(
            "GStreamer",
            "missing",
            f"Python cannot load it: {answer['error']}",
            "sudo apt-get install python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0;"
            " then make the virtual environment on /usr/bin/python3 with --system-site-packages",
        )
        return
    yield CheckFinding("GStreamer", "ok", answer["version"])
    wanted = dict.fromkeys(WORKER_ELEMENTS, "every recording")
    for number, source in sorted(settings.capture.cameras.items()):
        try:
            spec = build_pipeline(number, source, settings.capture, answer["elements"])
        except TouchlineError as error:
            element = str(error.details.get("element", ""))
            yield CheckFinding(f"camera {number}", "missing", error.message, _install(element))
            continue
        extra = (["appsrc"] if spec.picture else []) + (["parsebin"] if spec.demux else [])
        for name in [*(one.factory for one in (*spec.source, *spec.encode)), *extra]:
            wanted.setdefault(name, f"camera {number}")
        if spec.demux and spec.encode:
            wanted.setdefault("decodebin", f"camera {number}, if it does not send H.264")
    there = set(probe(list(wanted))["elements"])
    for name in sorted(wanted.keys() - there):
        yield CheckFinding(
            f"element {name}", "missing", f"needed by {wanted[name]}", _install(name)
        )
    if wanted.keys() <= there:
        yield CheckFinding("elements", "ok", f"all {len(wanted)} required elements")


def _install(element: str) -> str | None:
    for package, elements in PACKAGES.items():
        if element in elements:
            return f"sudo apt-get install {package}"
    return f"apt-file search gst: which package has {element}?" if element else None


def _programs() -> Iterator[CheckFinding]:
    for name, use in (
        ("ffprobe", "to probe the newest segment at a stop"),
        ("ffmpeg", "to process what was recorded"),
    ):
        found = shutil.which(name)
        if found:
            yield CheckFinding(name, "ok", found)
        else:
            yield CheckFinding(name, "missing", f"needed {use}", "sudo apt-get install ffmpeg")


def _disk(settings: Settings, measured_bps: float | None) -> Iterator[CheckFinding]:
    disk = recordings_disk(settings.capture, settings.data_dir)
    directory = disk.root
    fault = disk.look()
    if fault is not None:
        yield CheckFinding("disk", "missing", fault.message, fault.mend)
        return
    try:
        if settings.capture.recordings_dir is None:
            directory.mkdir(parents=True, exist_ok=True)
        # Create nothing else: a folder would hide that the right disk is missing.
        nearest = next(path for path in (directory, *directory.parents) if path.exists())
        with tempfile.NamedTemporaryFile(dir=nearest, prefix=".check-") as file:
            file.write(bytes(4096))
            file.flush()
            began_s = time.monotonic()
            os.fsync(file.fileno())
            took_s = time.monotonic() - began_s
        space = read_space(nearest)
    except OSError as error:
        mend = f"sudo install --directory --owner $USER {directory}"
        yield CheckFinding(
            "disk", "missing", f"{directory} is not writable: {error.strerror}", mend
        )
        return
    slow = took_s > SLOW_SYNC_S
    where = f"{directory} is writable"
    if nearest != directory:
        whose = disk.mount_point or "the system"
        where = f"{directory} does not exist yet and will be created on the disk of {whose}"
    advice = f"if {directory} should be on another disk, mount that first"
    if slow:
        advice = "use a faster disk; footage is synced every quarter second"
    elsewhere = settings.capture.recordings_dir is not None and nearest != directory
    yield CheckFinding(
        "disk",
        "warn" if slow or (elsewhere and not disk.mount_point) else "ok",
        f"{where}; a sync takes {took_s * 1000:.1f} ms",
        advice,
    )
    cameras = settings.capture.cameras.values()
    assumed_kbps = sum(source.bitrate_kbps or ASSUMED_KBPS for source in cameras) or ASSUMED_KBPS
    bitrate = measured_bps or assumed_kbps * 1000
    minutes = space.minutes_left(settings.capture.min_free_bytes, bitrate) or 0.0
    state: State = "ok" if minutes >= SHORT_MINUTES else "warn" if minutes >= 1 else "missing"
    yield CheckFinding(
        "space",
        state,
        f"{space.free_bytes / GIB:.1f} GiB free: about {minutes:.0f} minutes at"
        f" {bitrate / 1e6:.0f} Mbit/s, {'measured' if measured_bps else 'assumed'}",
        "delete recordings, or set capture.recordings_dir to a larger disk",
    )


def _sockets(settings: Settings) -> Iterator[CheckFinding]:
    directory = settings.capture.runtime_dir or settings.data_dir / "run"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        opened = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        try:
            # By descriptor, like workers do: socket paths are limited to 107 bytes.
            name = f"check-{os.getpid()}.sock"
            with socket.socket(socket.AF_UNIX) as probe:
                probe.bind(f"/proc/self/fd/{opened}/{name}")
            (directory / name).unlink()
        finally:
            os.close(opened)
    except OSError as error:
        mend = "set capture.runtime_dir to a directory on a local disk, such as /run/touchline"
        message = f"{directory} does not support sockets: {error.strerror}"
        yield CheckFinding("sockets", "missing", message, mend)
    else:
        yield CheckFinding("sockets", "ok", f"{directory} supports sockets")


def _port(settings: Settings) -> Iterator[CheckFinding]:
    what, where = "port", f"{settings.host} port {settings.port}"
    try:
        for each in bind(settings.host, settings.port):
            each.close()
    except TouchlineError as error:
        if _is_running(settings.data_dir):
            yield CheckFinding(
                what, "ok", f"{where} is in use; touchline is running with this data directory"
            )
        else:
            mend = f"ss --listening --tcp --processes 'sport = :{settings.port}'"
            yield CheckFinding(what, "missing", error.message, mend)
    else:
        yield CheckFinding(what, "ok", f"{where} is free")


def _is_running(data_dir: Path) -> bool:
    try:
        with (data_dir / LOCK_FILE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno == errno.EWOULDBLOCK
    return False


def _clock() -> Iterator[CheckFinding]:
    # adjtimex(2) without changes returns 5 (TIME_ERROR) while no time service runs.
    answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    if answer in range(5):
        yield CheckFinding("clock", "ok", "synchronised by a time service")
    else:
        message = "not synchronised: times in names and manifests may be wrong"
        yield CheckFinding("clock", "warn", message, "sudo apt-get install systemd-timesyncd")


def _access(settings: Settings) -> Iterator[CheckFinding]:
    auth = settings.auth
    if auth.mode == "none":
        message = f"auth.mode is none: everyone who can reach {settings.host} can record and delete"
        yield CheckFinding("access", "warn", message, 'auth.mode = "auto"')
        return
    yield CheckFinding("access", "ok", f"auth.mode is {auth.mode}")
    if not is_loopback(settings.host) and not auth.reads:
        message = f"everyone who can reach {settings.host} can read state and lists without the key"
        yield CheckFinding("reads", "warn", message, "auth.reads = true")


def _engines(settings: Settings) -> Iterator[CheckFinding]:
    wanted = settings.engines_configured
    environ = {**settings.docker_variables, **os.environ}
    for one in engine_readiness(settings.engines, wanted=wanted, environ=environ):
        yield CheckFinding(one.what, one.state, one.message, one.mend)
    for notice in settings.notices:
        yield CheckFinding("settings", "info", notice)
