"""Basic (RFC 7617) and Digest (RFC 2617, RFC 7616) authentication of a camera."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import threading
import time

from touchline.sim.rtsp.ledger import Ledger
from touchline.sim.rtsp.misbehaviour import Misbehaviour

_REALM = "simulated camera"
_PAIR = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
_NONCES = 1000


class DigestCheck:
    """Access control, shared by all connections of a camera."""

    def __init__(self, user: str, password: str, odd: Misbehaviour, ledger: Ledger) -> None:
        self._user = user
        self._password = password
        self._odd = odd
        self._ledger = ledger
        self._lock = threading.Lock()
        self._nonces: dict[str, int] = {}
        self._wrong = 0
        self._locked_until_s: float | None = None

    def judge(self, method: str, header: str | None) -> tuple[int, list[tuple[str, str]]]:
        """Return the status (200, 401 or 403) and its challenges."""
        with self._lock:
            if self._is_locked():
                self._ledger.note("sign_in", outcome="locked", tried=header is not None)
                return 403, []
            if header is None:
                return 401, self._challenges(stale=False)
            outcome = self._check(method, header)
            self._ledger.note("sign_in", outcome=outcome, scheme=header.split()[0].lower())
            if outcome == "right":
                return 200, []
            if outcome == "wrong":
                self._note_wrong()
            return 401, self._challenges(stale=outcome == "stale")

    def _is_locked(self) -> bool:
        if self._locked_until_s is None or time.monotonic() < self._locked_until_s:
            return self._locked_until_s is not None
        self._locked_until_s, self._wrong = None, 0
        return False

    def _note_wrong(self) -> None:
        self._wrong += 1
        if self._odd.lock_after is not None and self._wrong >= self._odd.lock_after:
            lock_for_s = self._odd.lock_for
            until_s = float("inf") if lock_for_s is None else time.monotonic() + lock_for_s
            self._locked_until_s = until_s
            self._ledger.note("misbehaviour", what="locked")

    # ------------------------------------------------------------ the challenges

    def _challenges(self, *, stale: bool) -> list[tuple[str, str]]:
        offered = {
            "basic": ["basic"],
            "digest": ["MD5"],
            "digest-sha256": ["SHA-256"],
            "digest-both": ["SHA-256", "MD5"],
            "basic-and-digest": ["basic", "MD5"],
        }[self._odd.auth]
        found = []
        for scheme in offered:
            if scheme == "basic":
                found.append(("WWW-Authenticate", f'Basic realm="{_REALM}"'))
                continue
            nonce = secrets.token_hex(16)
            if len(self._nonces) >= _NONCES:
                del self._nonces[next(iter(self._nonces))]
            self._nonces[nonce] = 0
            parts = [f'realm="{_REALM}"', f'nonce="{nonce}"']
            if scheme != "MD5" or self._odd.auth == "digest-both":
                parts.append(f"algorithm={scheme}")
            if self._odd.qop != "none":
                parts.append(f'qop="{self._odd.qop}"')
            if stale:
                parts.append("stale=true")
            found.append(("WWW-Authenticate", f"Digest {', '.join(parts)}"))
        return found

    # --------------------------------------------------------------- the answers

    def _check(self, method: str, header: str) -> str:
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "basic" and "basic" in self._odd.auth:
            return "right" if self._is_basic_right(rest) else "wrong"
        if scheme.lower() == "digest" and "digest" in self._odd.auth:
            return self._check_digest(method, rest)
        return "wrong"

    def _is_basic_right(self, coded: str) -> bool:
        try:
            given = base64.b64decode(coded.strip(), validate=True)
        except binascii.Error:
            return False
        return hmac.compare_digest(given, f"{self._user}:{self._password}".encode())

    def _check_digest(self, method: str, text: str) -> str:
        given = {
            match[1].lower(): match[2] if match[2] is not None else match[3]
            for match in _PAIR.finditer(text)
        }
        algorithm = given.get("algorithm", "MD5").upper()
        allowed = {"digest-sha256": {"SHA-256"}, "digest-both": {"SHA-256", "MD5"}}
        if algorithm not in allowed.get(self._odd.auth, {"MD5"}):
            return "wrong"
        asked_qop = self._odd.qop != "none"
        if asked_qop and given.get("qop") not in self._odd.qop.split(","):
            return "wrong"
        if given.get("response") != self._response(algorithm, method, given):
            return "wrong"
        nonce = given.get("nonce", "")
        if nonce not in self._nonces:
            return "stale"
        self._nonces[nonce] += 1
        every = self._odd.stale_nonce_every
        if every is not None and self._nonces[nonce] > every:
            del self._nonces[nonce]
            return "stale"
        return "right"

    def _response(self, algorithm: str, method: str, given: dict[str, str]) -> str:
        def digest(text: str) -> str:
            if algorithm == "SHA-256":
                return hashlib.sha256(text.encode()).hexdigest()
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        if given.get("username") != self._user or given.get("realm") != _REALM:
            return ""
        first = digest(f"{self._user}:{_REALM}:{self._password}")
        # With auth-int, the body is hashed, too; the requests of players have none.
        body = f":{digest('')}" if given.get("qop") == "auth-int" else ""
        second = digest(f"{method}:{given.get('uri', '')}{body}")
        middle = [given.get("nonce", "")]
        if "qop" in given:
            middle += [given.get("nc", ""), given.get("cnonce", ""), given["qop"]]
        return digest(":".join([first, *middle, second]))
