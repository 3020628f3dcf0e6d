"""Check of the footage at a stop, combining our own check with ffprobe's result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.manifest.rescan import SEGMENTS_FOLDER
from touchline.capture.library.verification.answers import CameraIntegrity, Integrity
from touchline.capture.library.verification.integrity import verify_match
from touchline.capture.library.verification.integrityreport import (
    CameraReport,
    Expected,
    IntegrityReport,
)
from touchline.capture.library.verification.probe import Probe, Prober
from touchline.foreign.files import is_real_folder

_FAULTS_SHOWN = 20
"""Maximum number of faults in an answer.

A segment that was overwritten has thousands of faults; the manifest's report holds them all.
"""


@dataclass(frozen=True)
class StopCheck:
    """Result of a stop: the report for the manifest, and the contract's `integrity` block.

    `probes` are ffprobe's results by camera (`cam0`).
    """

    report: IntegrityReport
    block: Integrity
    probes: Mapping[str, Probe] = field(default_factory=dict)

    @property
    def all_ok(self) -> bool:
        """Whether every camera has footage without any fault."""
        return bool(self.block["all_ok"])


async def check_stop(
    folder: Path, manifest: Manifest, prober: Prober, *, expected: Expected
) -> StopCheck:
    """Check a match that has just been stopped.

    Every segment is checked except those verified when they were finished, and ffprobe reads the
    header of each camera's newest one. Raises OSError if the folder cannot be read.
    """
    newest = {
        camera: folder / SEGMENTS_FOLDER / name
        for camera in expected.cameras
        if (name := _newest(manifest, camera)) is not None
    }
    probes: dict[str, Probe] = {}
    reports: list[IntegrityReport] = []

    async def verify() -> None:
        work = partial(
            verify_match, folder, manifest, checksums=False, expected=expected, trust_verified=True
        )
        reports.append(await to_thread.run_sync(work))

    async def ask(camera: str, path: Path) -> None:
        probes[camera] = await prober.probe(path)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(verify)
        for camera, path in newest.items():
            tasks.start_soon(ask, camera, path)
    block = await to_thread.run_sync(integrity_block, folder, reports[0], probes, expected.cameras)
    return StopCheck(reports[0], block, probes)


def _newest(manifest: Manifest, camera: str) -> str | None:
    names = [segment.name for segment in manifest.segments if segment.camera == camera]
    return names[-1] if names else None  # the manifest keeps them in order


def integrity_block(
    folder: Path, report: IntegrityReport, probes: dict[str, Probe], cameras: Sequence[str]
) -> Integrity:
    """Return the contract's `integrity` block of a stop, extended by our findings; blocks.

    Without footage it counts as checked, but not as ok.
    """
    blocks = {
        camera_key(camera): _camera_block(folder, report, camera, probes.get(camera))
        for camera in cameras
    }
    reason = None
    if not any(block["segment_found"] for block in blocks.values()):
        has_folder = is_real_folder(folder / SEGMENTS_FOLDER)
        reason = "no_segments_found" if has_folder else "segments_dir_missing"
    return {
        "checked": True,
        "all_ok": report.ok and all(block["integrity_ok"] for block in blocks.values()),
        "reason": reason,
        "cameras": blocks,
        "start_skew_s": report.start_skew_s,
    }


def camera_key(camera: str) -> str:
    """Return the API name (`camera_0`) of a manifest camera (`cam0`)."""
    return f"camera_{camera.removeprefix('cam')}"


def _camera_block(
    folder: Path, report: IntegrityReport, camera: str, probe: Probe | None
) -> CameraIntegrity:
    found = report.camera(camera)
    if found is None or found.newest is None:
        return {
            "segment_found": False,
            "segment_path": None,
            "integrity_checked": True,
            "integrity_ok": False,
            "integrity_error": "segment_not_found",
        }
    error = _error(found, probe)
    return {
        "segment_found": True,
        "segment_path": str(folder / SEGMENTS_FOLDER / found.newest),
        "segment_size": found.newest_size_bytes,
        "integrity_checked": True,
        "integrity_ok": error is None,
        "integrity_error": error,
        "probe": (probe or Probe(checked=False, ok=None)).to_json(),
        "segments": found.segments,
        "fragments": found.fragments,
        "frames": found.frames,
        "recorded_s": round(found.recorded_s, 3),
        "expected_s": None if found.expected_s is None else round(found.expected_s, 3),
        "gaps_s": round(found.gaps_s, 3),
        "faults_count": len(found.faults),
        "faults": [fault.to_json() for fault in found.faults[:_FAULTS_SHOWN]],
    }


def _error(found: CameraReport, probe: Probe | None) -> str | None:
    if found.faults:
        more = f" (and {len(found.faults) - 1} more)" if len(found.faults) > 1 else ""
        return f"{found.faults[0]}{more}"
    return probe.error if probe is not None and probe.ok is False else None
