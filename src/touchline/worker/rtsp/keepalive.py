"""Schedule and method of a session's keep-alive requests, adapted to the camera."""

from __future__ import annotations

DEFAULT_TIMEOUT_S = 60
_SHARE, _SHORTEST_S, _LONGEST_S = 0.4, 0.4, 25.0


class KeepAlive:
    """Choice of GET_PARAMETER, made for keep-alives, or OPTIONS, which every camera supports."""

    def __init__(
        self, timeout_s: float, methods: frozenset[str], now_s: float, *, method: str | None = None
    ) -> None:
        """Use one of the camera's `methods`, or the `method` that an earlier session found."""
        named = "GET_PARAMETER" if not methods or "GET_PARAMETER" in methods else "OPTIONS"
        self.method = method or named
        self.interval_s = min(max(timeout_s * _SHARE, _SHORTEST_S), _LONGEST_S)
        self.due_s = now_s + self.interval_s

    def sent(self, now_s: float) -> None:
        """Record that a keep-alive was sent."""
        self.due_s = now_s + self.interval_s

    def repeat(self, now_s: float) -> None:
        """Make the next keep-alive due now."""
        self.due_s = now_s

    def answered(self, status: int | None, now_s: float) -> None:
        """Record the response, None for none: after a refused GET_PARAMETER, OPTIONS is used."""
        if self.method == "GET_PARAMETER" and (status is None or status >= 300):
            self.method = "OPTIONS"
            self.due_s = now_s


def session_timeout_s(field: str | None) -> float:
    """Return the timeout of a Session header; 60 s if it has none."""
    for part in (field or "").split(";")[1:]:
        name, _, value = part.partition("=")
        value = value.strip()
        if name.strip().lower() == "timeout" and value.isascii() and value.isdigit():
            seconds = int(value[:9])
            return float(seconds) if seconds > 0 else DEFAULT_TIMEOUT_S
    return DEFAULT_TIMEOUT_S
