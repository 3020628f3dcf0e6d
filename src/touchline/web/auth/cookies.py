"""The session cookie: reading, setting and deleting it.

Scripts cannot read it, and pages of other sites cannot have it sent.
"""

from __future__ import annotations

from starlette.datastructures import Headers

NAME = "touchline_session"
LIFETIME_S = 30 * 24 * 3600

MOST_READ = 8
"""Maximum number of session cookies checked: another path or domain may have set one."""


def cookies_in(headers: Headers) -> list[str]:
    """Return the session cookies of a request, genuine or not, ignoring all other cookies.

    Other programs on the same host set cookies in any form (`theme={"x":1}`), so the header as a
    whole need not be valid.
    """
    found: list[str] = []
    for field in headers.getlist("cookie"):
        for pair in field.split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == NAME and len(found) < MOST_READ:
                found.append(value.strip().strip('"'))
    return found


def set_cookie(token: str, *, secure: bool) -> str:
    """Return the header that stores a session in a browser, for this site's pages only."""
    return _header(token, LIFETIME_S, secure=secure)


def drop_cookie(*, secure: bool) -> str:
    """Return the header that deletes the session cookie."""
    return _header("", 0, secure=secure)


def _header(value: str, max_age_s: int, *, secure: bool) -> str:
    flags = "; Secure" if secure else ""
    return f"{NAME}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{flags}"
