"""Result of a machine check for engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "info", "warn", "missing"]


@dataclass(frozen=True)
class RuntimeReadiness:
    """Result of one check, and how to resolve it."""

    what: str
    state: State
    message: str
    mend: str | None = None
