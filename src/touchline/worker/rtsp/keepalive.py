"""When a session's keep-alive is due, and with which request: the one that this camera answers."""

from __future__ import annotations

DEFAULT_TIMEOUT_S = 60
_SHARE, _SHORTEST_S, _LONGEST_S = 0.4, 0.4, 25.0


class KeepAlive:
    """Chooses among GET_PARAMETER, which is made for it, and OPTIONS, which every camera knows."""

    def __init__(
        self, timeout_s: float, methods: frozenset[str], now_s: float, *, method: str | None = None
    ) -> None:
        """`methods` are what the camera says it knows, `method` what an earlier session found."""
        named = "GET_PARAMETER" if not methods or "GET_PARAMETER" in methods else "OPTIONS"
        self.method = method or named
        self.interval_s = min(max(timeout_s * _SHARE, _SHORTEST_S), _LONGEST_S)
        self.due_s = now_s + self.interval_s

    def sent(self, now_s: float) -> None:
        """Note that one was sent."""
        self.due_s = now_s + self.interval_s

    def answered(self, status: int | None, now_s: float) -> None:
        """Note the answer, None for none: a refused GET_PARAMETER is followed by OPTIONS."""
        if self.method == "GET_PARAMETER" and (status is None or status >= 300):
            self.method = "OPTIONS"
            self.due_s = now_s


def session_timeout_s(field: str | None) -> float:
    """Read the timeout of a Session header; a minute where it says none."""
    for part in (field or "").split(";")[1:]:
        name, _, value = part.partition("=")
        value = value.strip()
        if name.strip().lower() == "timeout" and value.isascii() and value.isdigit():
            seconds = int(value[:9])
            return float(seconds) if seconds > 0 else DEFAULT_TIMEOUT_S
    return DEFAULT_TIMEOUT_S
