"""Answers of starts and stops, in the contract's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Report:
    """What a start or a stop came to, in the contract's form."""

    value: Mapping[str, Any]

    @property
    def success(self) -> bool:
        """The contract's `success`."""
        return bool(self.value["success"])

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        return dict(self.value)


def refusal(message: str) -> Report:
    """A report that only says why nothing was done."""
    return Report({"success": False, "message": message})
