"""Job kinds, in the order in which they are run.

A new one requires a module that defines it, and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from touchline.capture.jobkinds.archive import ARCHIVE
from touchline.capture.jobkinds.follow import FOLLOW
from touchline.capture.jobkinds.kind import JobKind
from touchline.capture.jobkinds.panorama import PANORAMA
from touchline.capture.jobkinds.reel import REEL
from touchline.capture.jobkinds.sprites import SPRITES
from touchline.capture.jobkinds.upload import UPLOAD

KINDS: Mapping[str, JobKind] = {
    kind.name: kind
    for kind in (
        ARCHIVE,
        SPRITES,
        PANORAMA,
        FOLLOW,
        REEL,
        UPLOAD,
    )
}
ORDER = tuple(KINDS)

if TYPE_CHECKING:
    JobKindName = str
else:
    JobKindName = Literal[ORDER]
    """Name of a job kind; pydantic refuses others."""
