"""Session cookies: who signed in with the key need not send it again, and no script can read it.

A session is a signed date, not an entry in a table, so it outlives the server. It ends at its date,
at the sign-out in that browser, and for everybody with a new key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

NAME = "touchline_session"
LIFETIME_S = 30 * 24 * 3600
_VERSION = "1"


class SignedCookies:
    """Makes and knows the sessions of one key."""

    def __init__(self, key: str, *, now: Callable[[], float] = time.time) -> None:
        self._secret = hashlib.sha256(
            b"touchline session\0" + key.encode("utf-8", "surrogateescape")
        ).digest()
        self._now = now

    def new(self) -> str:
        """A session that begins now."""
        ends = int(self._now()) + LIFETIME_S
        told = f"{_VERSION}.{ends}.{secrets.token_urlsafe(12)}"
        return f"{told}.{self._signature(told)}"

    def knows(self, token: str) -> bool:
        """Whether it is one that was made here and has not ended."""
        told, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(told).encode()):
            return False
        # Signed by us, and so in our form.
        version, ends, _ = told.split(".")
        return version == _VERSION and int(ends) > self._now()

    def _signature(self, told: str) -> str:
        made = hmac.new(self._secret, told.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def cookie_in(headers: Headers) -> str | None:
    """The session that a request brings, genuine or not."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(NAME)
    except CookieError:
        return None
    return None if found is None else found.value


def set_cookie(token: str, *, secure: bool) -> str:
    """The header that keeps a session in a browser, for requests of our own pages only."""
    return _header(token, LIFETIME_S, secure=secure)


def drop_cookie(*, secure: bool) -> str:
    """The header that forgets it."""
    return _header("", 0, secure=secure)


def _header(value: str, max_age_s: int, *, secure: bool) -> str:
    flags = "; Secure" if secure else ""
    return f"{NAME}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{flags}"
