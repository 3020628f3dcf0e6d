"""Results of starts and stops, in the contract's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Report:
    """Result of a start or a stop, in the contract's form."""

    value: Mapping[str, Any]

    @property
    def success(self) -> bool:
        """Whether the operation succeeded (the contract's `success`)."""
        return bool(self.value["success"])

    def to_json(self) -> dict[str, Any]:
        """Return the body of the response."""
        return dict(self.value)


def refusal(message: str) -> Report:
    """Return a report that only states why nothing was done."""
    return Report({"success": False, "message": message})
