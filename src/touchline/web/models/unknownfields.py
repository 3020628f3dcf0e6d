"""Unknown fields of a request: ignored, as the contract demands, but reported."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

log = logging.getLogger(__name__)

_MOST_NAMED = 8
_LONGEST_NAME = 60


class Tolerant(BaseModel):
    """Request body that accepts unknown fields and lists them in `warnings`."""

    model_config = ConfigDict(extra="allow")

    def add_warnings(self, answer: Mapping[str, object]) -> Mapping[str, object]:
        """Add `warnings` to a response if the request had unknown fields."""
        warnings = self.warnings()
        return {**answer, "warnings": warnings} if warnings else answer

    def warnings(self) -> list[str]:
        """Describe each unknown field and suggest the name that was probably meant."""
        known = list(type(self).model_fields)
        told = [_warning(name, known) for name in list(self.model_extra or {})[:_MOST_NAMED]]
        for each in told:
            log.warning("%s", each)
        return told


def _warning(name: str, known: list[str]) -> str:
    shown = ascii(name[:_LONGEST_NAME])
    near = difflib.get_close_matches(name.lower()[:_LONGEST_NAME], known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"known fields: {', '.join(known)}"
    return f"The field {shown} is unknown and was ignored; {hint}"
