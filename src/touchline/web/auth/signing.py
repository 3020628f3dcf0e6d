"""Signatures of session cookies and of links to media.

Both are signed with the key, in separate namespaces, so one cannot be used as the other, and a new
key invalidates all of them. itsdangerous computes the signatures; only this module uses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import itsdangerous

from touchline.core.wallclock import read_clocks, trust_of

LONGEST_TOKEN = 256

_NS = 1_000_000_000
_BOOT_LENGTH = 8

LinkState = Literal["valid", "expired", "ageless", "wrong"]
"""`ageless`: signed before a restart of the machine; no clock can tell how long ago."""


@dataclass(frozen=True)
class Moment:
    """An instant: seconds since boot (including sleep), which cannot be set, and the date."""

    boot: str
    boottime_s: int
    unix_s: int
    synchronised: bool = False


ReadMoment = Callable[[], Moment]


def read_moment() -> Moment:
    """Read the clocks of this machine."""
    reading = read_clocks()
    return Moment(
        boot=reading.boot_id.replace("-", "")[:_BOOT_LENGTH],
        boottime_s=(reading.monotonic_ns + reading.asleep_ns) // _NS,
        unix_s=reading.unix_ns // _NS,
        synchronised=reading.synchronised,
    )


def elapsed_s(then: Moment, now: Moment) -> int | None:
    """Return the seconds between two moments; None if no clock can be trusted. Pure.

    Within one boot the date does not count, so setting the clock ends and extends nothing. Across a
    restart of the machine only the date is available, and is used if it is plausible.
    """
    if then.boot == now.boot:
        return max(0, now.boottime_s - then.boottime_s)
    before = trust_of(then.unix_s * _NS, synchronised=then.synchronised, newest_unix_ns=None)
    after = trust_of(
        now.unix_s * _NS, synchronised=now.synchronised, newest_unix_ns=then.unix_s * _NS
    )
    if "doubtful" in {before, after}:
        return None
    return max(0, now.unix_s - then.unix_s)


class Signer:
    """Signer for one key."""

    def __init__(self, key: str, *, read: ReadMoment = read_moment) -> None:
        secret = key.encode("utf-8", "surrogateescape")
        self._sessions = _signer(secret, b"touchline session 2")
        self._links = _signer(secret, b"touchline link 1")
        self._read = read
        self.key_id = _signer(secret, b"touchline key id").get_signature(b"").decode()[:16]
        """Identifies this key without revealing anything about it."""

    def session(self, session_id: str) -> str:
        """Return the cookie of a session."""
        return self._sessions.sign(session_id.encode()).decode()

    def session_id(self, token: str) -> str | None:
        """Return the session id of a cookie; None if it was not signed with this key."""
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            return self._sessions.unsign(token.encode("utf-8", "surrogatepass")).decode()
        except (itsdangerous.BadSignature, UnicodeError):
            return None

    def link(self, scope: str, lifetime_s: int) -> str:
        """Return a signature that opens `scope` for `lifetime_s` from now."""
        now = self._read()
        claims = f"{now.boot}-{now.boottime_s}-{now.unix_s}-{lifetime_s}"
        signature = self._links.get_signature(_link_text(scope, claims)).decode()
        return f"{claims}.{signature}"

    def link_state(self, scope: str, token: str) -> LinkState:
        """Return whether a signature currently opens `scope`."""
        claims, _, signature = token.rpartition(".")
        if len(token) > LONGEST_TOKEN or not claims or not token.isascii():
            return "wrong"
        if not self._links.verify_signature(_link_text(scope, claims), signature.encode()):
            return "wrong"
        # Signed by this server, and so in its format.
        boot, boottime_s, unix_s, lifetime_s = claims.split("-")
        passed_s = elapsed_s(Moment(boot, int(boottime_s), int(unix_s)), self._read())
        if passed_s is None:
            return "ageless"
        return "valid" if passed_s < int(lifetime_s) else "expired"


def _signer(secret: bytes, salt: bytes) -> itsdangerous.Signer:
    return itsdangerous.Signer(
        secret, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256
    )


def _link_text(scope: str, claims: str) -> bytes:
    return f"{claims}\n{scope}".encode("utf-8", "surrogatepass")
