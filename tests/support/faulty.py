"""A collaborator that raises at its n-th call, of whatever kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

ERRORS: tuple[Callable[[], Exception], ...] = (
    lambda: KeyError("HostConfig"),
    lambda: OSError(99, "no such address"),
    RecursionError,
    MemoryError,
)


class Faulty:
    """Passes everything on, and raises at the n-th call after it was armed."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.calls = 0
        self.at: int | None = None
        self.error: Exception = KeyError()

    def arm(self, at: int | None, error: Exception) -> None:
        self.calls, self.at, self.error = 0, at, error

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value) or inspect.isclass(value):
            return value

        def call(*args: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == self.at:
                raise self.error
            return value(*args, **options)

        return call

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The same for a collaborator that is a function."""
        self.calls += 1
        if self.calls == self.at:
            raise self.error
        return self._inner(*args, **options)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in {"_inner", "calls", "at", "error"}:
            object.__setattr__(self, name, value)
        else:
            setattr(self._inner, name, value)
