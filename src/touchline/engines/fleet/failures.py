"""Record of failures that delay starts, for the next server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from touchline.engines.fleet.store import Store

log = logging.getLogger(__name__)

BREAKERS = "breakers"
"""Key under which the record is stored."""

MADE_OF = "made_of"


class FailureRecord:
    """Earlier failures of starts, stored for the next server after each change."""

    def __init__(self, store: Store, made_of: Callable[[], str]) -> None:
        """Create a record without parts.

        `made_of` returns what starts depend on: with another runtime or image earlier failures are
        not relevant.
        """
        self._store = store
        self._made_of = made_of
        self._written: dict[str, Callable[[], Any]] = {}
        self._restored: dict[str, Callable[[Any], None]] = {}

    def add(self, name: str, *, write: Callable[[], Any], restore: Callable[[Any], None]) -> None:
        """Add a part: `write` returns its current state, `restore` receives an earlier one."""
        self._written[name] = write
        self._restored[name] = restore

    def current(self) -> dict[str, Any]:
        """Return the state of all parts."""
        parts = {name: write() for name, write in self._written.items()}
        return {**parts, MADE_OF: self._made_of()}

    def save(self) -> None:
        """Store the current state, soon."""
        self._store.note_state(BREAKERS, self.current())

    def restore(self, left: Mapping[str, Any]) -> None:
        """Restore what an earlier server stored. Raises for a part that cannot be parsed."""
        if left.get(MADE_OF, self._made_of()) != self._made_of():
            log.info("The runtime or the image has changed: closing circuit breakers")
            return
        for name, restore in self._restored.items():
            if name in left:
                restore(left[name])
