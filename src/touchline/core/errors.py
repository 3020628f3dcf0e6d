"""Expected errors: a stable code, a message for people, details for programs."""

from __future__ import annotations

from typing import Any, ClassVar


class TouchlineError(Exception):
    """An expected failure. `code` is stable and snake_case, `message` may be shown to users."""

    default_code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.details: dict[str, Any] = details

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, code={self.code!r})"


class NotFound(TouchlineError):
    """The requested object does not exist."""

    default_code = "not_found"


class Refused(TouchlineError):
    """A rule forbids the operation; a retry fails until the state has changed."""

    default_code = "refused"


class Blocked(TouchlineError):
    """The operation is not possible now; `eta_s` says when it will be (None: unknown).

    `can_retry` and `should_wait` advise the client whether to try again.
    """

    default_code = "blocked"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        eta_s: float | None = None,
        can_retry: bool = True,
        should_wait: bool = True,
        **details: Any,
    ) -> None:
        super().__init__(message, code=code, **details)
        self.eta_s = eta_s
        self.can_retry = can_retry
        self.should_wait = should_wait


class Invalid(TouchlineError):
    """The input is invalid, whatever the state."""

    default_code = "invalid"


class Failed(TouchlineError):
    """An internal error or an error of the machine."""

    default_code = "failed"
