"""The cookie that says who signed in: read it, set it, drop it.

No script can read it, and no other site's page can have it sent.
"""

from __future__ import annotations

from starlette.datastructures import Headers

NAME = "touchline_session"
LIFETIME_S = 30 * 24 * 3600

MOST_READ = 8
"""Cookies of our name that are looked at: another path or domain may have left one."""


def cookies_in(headers: Headers) -> list[str]:
    """Return the sessions that a request brings, genuine or not, whatever else is beside them.

    Other programs of the same host set cookies in any form (`theme={"x":1}`), so nothing is asked
    of the header as a whole.
    """
    found: list[str] = []
    for field in headers.getlist("cookie"):
        for pair in field.split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == NAME and len(found) < MOST_READ:
                found.append(value.strip().strip('"'))
    return found


def set_cookie(token: str, *, secure: bool) -> str:
    """Return the header that keeps a session in a browser, for requests of our own pages only."""
    return _header(token, LIFETIME_S, secure=secure)


def drop_cookie(*, secure: bool) -> str:
    """Return the header that forgets it."""
    return _header("", 0, secure=secure)


def _header(value: str, max_age_s: int, *, secure: bool) -> str:
    flags = "; Secure" if secure else ""
    return f"{NAME}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{flags}"
