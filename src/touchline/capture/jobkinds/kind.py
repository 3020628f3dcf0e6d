"""Definition of a job kind, and the data from which its orders are created."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from touchline.capture.calibrations import Calibrations
from touchline.capture.jobkinds.settings import ArchiveSettings, UploadSettings
from touchline.capture.library.library import Library
from touchline.capture.library.markers import Markers


class JobSettings(Protocol):
    """Settings of the jobs that have any."""

    @property
    def archive(self) -> ArchiveSettings:
        """Settings of the archive."""

    @property
    def upload(self) -> UploadSettings:
        """Settings of the upload."""


@dataclass(frozen=True)
class JobContext:
    """Data from which the studio's orders are created."""

    settings: JobSettings
    library: Library
    calibrations: Calibrations
    markers: Markers


Params = Mapping[str, Any]
Order = Callable[[JobContext, str, Params], Awaitable[dict[str, Any]]]


async def params_order(_context: JobContext, _match_id: str, params: Params) -> dict[str, Any]:
    """Return an order that consists of the job's parameters."""
    return dict(params)


def no_params(_context: JobContext) -> Params:
    """Fix no parameters."""
    return {}


@dataclass(frozen=True)
class JobKind:
    """Kind of job. `kinds.KINDS` lists them all.

    `name` is also the verb of the studio. `order` creates the studio's order for a match and the
    job's parameters; it raises NotFound and Refused if the job cannot be done now. `is_large` says
    that the result may be as large as the match. `params` are the parameters of a job that was
    requested without any, and `fixed_params` those that are fixed when it is requested.
    """

    name: str
    order: Order = params_order
    is_large: bool = False
    params: Params = field(default_factory=dict)
    fixed_params: Callable[[JobContext], Params] = no_params
