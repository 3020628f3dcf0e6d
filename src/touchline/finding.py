"""What `touchline check` found: its state, what it means, and what puts it right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "info", "warn", "missing"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `mend` is the command or setting that puts it right."""

    what: str
    state: State
    message: str
    mend: str | None = None
