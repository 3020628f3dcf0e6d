"""A finished match of two cameras, 2 s each, and what tests ask of it."""

from __future__ import annotations

from pathlib import Path

from support import segmentfiles
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.library.verification.integrity import verify_match
from touchline.capture.library.verification.integrityreport import IntegrityReport
from touchline.media.mp4 import scan as mp4scan

START = segmentfiles.START_UNIX_NS
CAM0 = "cam0_20260211_220241_00.mp4"
CAM1 = "cam1_20260211_220241_00.mp4"
SECOND = 1_000_000_000


def verify(folder: Path, *, checksums: bool = True) -> IntegrityReport:
    manifest = manifestfile.load(folder)
    assert manifest is not None
    return verify_match(folder, manifest, checksums=checksums)


def with_times(folder: Path, seconds: float, **changes: object) -> Manifest:
    manifest = rescan(folder)
    ended = START + int(seconds * SECOND)
    return manifest.model_copy(update={"ended_unix_ns": ended, **changes})


def spans(path: Path) -> list[tuple[int, int]]:
    return [
        (f.offset, f.offset + f.size_bytes) for f in mp4scan.scan(path, checksums=False).fragments
    ]
