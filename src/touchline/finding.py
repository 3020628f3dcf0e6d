"""Result of `touchline check`: its state, its meaning, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "info", "warn", "missing"]


@dataclass(frozen=True)
class CheckFinding:
    """Result of one check. `mend` is the command or setting that fixes it."""

    what: str
    state: State
    message: str
    mend: str | None = None
