"""What a check of this machine says about engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "info", "warn", "missing"]


@dataclass(frozen=True)
class Readiness:
    """Hold what one check found, and how to fix it."""

    what: str
    state: State
    message: str
    mend: str | None = None
