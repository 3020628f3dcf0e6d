"""Calibrations and the panorama configuration, stored as files that are replaced atomically.

Each calibration has a number that is never reused, so that a panorama can name the calibration it
was made with. The functions that touch the disk block; `Calibrations` calls them in threads.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import anyio
from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from touchline.capture.library.wholefile import write_whole
from touchline.core.errors import NotFound
from touchline.core.tasks import Changed

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d{4,})\.json", re.ASCII)
_CONFIG = "config.json"


class MatchedPoints(BaseModel):
    """Position of the same point in both pictures, in pixels."""

    model_config = ConfigDict(frozen=True)

    cam0: tuple[float, float]
    cam1: tuple[float, float]


class Calibration(BaseModel):
    """Relative orientation of the two cameras, and its quality."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int
    created_at: datetime
    source: str
    """Origin: `cameras`, or the match the pictures were taken from."""
    pair: Mapping[str, Any]
    quality: Mapping[str, Any]
    homography_matrix: tuple[tuple[float, ...], ...]
    pairs: int
    points: tuple[MatchedPoints, ...] = ()
    manual: tuple[MatchedPoints, ...] = ()


class PanoramaSettings(BaseModel):
    """Configuration of panoramas.

    Sides of None are the cameras' own resolution.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    enabled: bool = True
    active_version: int | None = None
    output_width: int | None = Field(None, ge=640, le=7680, multiple_of=2)
    output_height: int | None = Field(None, ge=180, le=4320, multiple_of=2)
    projection: Literal["cylindrical", "plane"] = "cylindrical"
    blend_width: int = Field(96, ge=2, le=800)
    preview_fps_target: int = Field(15, ge=1, le=60)
    use_vic_backend: bool = False
    quality: Literal["fast", "balanced", "high"] = "balanced"


class Calibrations:
    """Store of calibrations and of the panorama configuration.

    Created by `read_calibrations`.
    """

    def __init__(
        self, folder: Path, config: PanoramaSettings, by_version: Mapping[int, Calibration]
    ) -> None:
        self.changed = Changed()
        self.config = config
        self.folder = folder
        self._by_version = dict(by_version)
        self._saving = anyio.Lock()

    @property
    def active(self) -> Calibration | None:
        """Calibration used for panoramas, or None."""
        version = self.config.active_version
        return None if version is None else self._by_version.get(version)

    def all(self) -> list[Calibration]:
        """Return all calibrations, newest first."""
        return [self._by_version[version] for version in sorted(self._by_version, reverse=True)]

    def get(self, version: int) -> Calibration:
        """Return the calibration with this number. Raises NotFound."""
        found = self._by_version.get(version)
        if found is None:
            raise NotFound(f"Calibration {version} not found", code="calibration_not_found")
        return found

    async def add(self, source: str, result: Mapping[str, Any], now: datetime) -> Calibration:
        """Store the studio's result and make it the active calibration. Raises OSError."""
        async with self._saving:
            version = max(self._by_version, default=0) + 1
            calibration = Calibration(version=version, created_at=now, source=source, **result)
            content = calibration.model_dump_json(indent=1).encode()
            await to_thread.run_sync(write_whole, self.folder / f"{version:04d}.json", content)
            self._by_version[version] = calibration
        await self.configure(active_version=version)
        return calibration

    async def activate(self, version: int) -> Calibration:
        """Make an earlier calibration active again. Raises NotFound and OSError."""
        calibration = self.get(version)
        await self.configure(active_version=version)
        return calibration

    async def clear(self) -> None:
        """Deactivate the active calibration and keep all stored ones. Raises OSError."""
        await self.configure(active_version=None)

    async def configure(self, **changes: Any) -> PanoramaSettings:
        """Change these settings and store them.

        Raises pydantic's ValidationError and OSError.
        """
        async with self._saving:
            config = PanoramaSettings.model_validate({**self.config.model_dump(), **changes})
            content = config.model_dump_json(indent=1).encode()
            await to_thread.run_sync(write_whole, self.folder / _CONFIG, content)
            self.config = config
        self.changed.mark()
        return config


async def read_calibrations(folder: Path) -> Calibrations:
    """Create the folder if necessary and read it.

    Files that cannot be parsed are left out and logged. Raises OSError.
    """
    return Calibrations(folder, *await to_thread.run_sync(_load, folder))


def _load(folder: Path) -> tuple[PanoramaSettings, dict[int, Calibration]]:
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[int, Calibration] = {}
    for path in sorted(folder.iterdir()):
        if _NAME.fullmatch(path.name) is None:
            continue
        try:
            calibration = Calibration.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            log.warning("The calibration %s cannot be read: %s", path.name, error)
        else:
            found[calibration.version] = calibration
    config = PanoramaSettings()
    try:
        config = PanoramaSettings.model_validate_json((folder / _CONFIG).read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, ValidationError) as error:
        log.warning("The panorama settings cannot be read; using defaults: %s", error)
    return config, found
