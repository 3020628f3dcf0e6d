"""Authentication with a camera: Basic and Digest (RFC 2617, RFC 7616)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

MAX_CHALLENGES = 16
MAX_STALE = 3
"""Consecutive nonces that a camera may call stale before it is no longer believed."""

_SCHEME = re.compile(r"\s*,*\s*([A-Za-z][\w-]*)(?:[ \t]+|$)")
_PARAMETER = re.compile(r'\s*,?\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
_HASHES = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
"""Strongest first."""


@dataclass(frozen=True)
class Credentials:
    """A user name and a password."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(...)"


@dataclass(frozen=True)
class Challenge:
    """An authentication challenge of a camera; parameter names are in lower case."""

    scheme: str
    parameters: Mapping[str, str]

    @property
    def nonce(self) -> str:
        """The camera's nonce."""
        return self.parameters.get("nonce", "")

    @property
    def algorithm(self) -> tuple[str, bool]:
        """The hash by its RFC name, and whether it is the session variant."""
        name = self.parameters.get("algorithm", "MD5").upper()
        return name.removesuffix("-SESS"), name.endswith("-SESS")

    @property
    def quality(self) -> str | None:
        """The quality of protection to use: `auth`, `auth-int`, or None for the oldest form."""
        offered = [each.strip().lower() for each in self.parameters.get("qop", "").split(",")]
        return next((each for each in ("auth", "auth-int") if each in offered), None)


def challenges(fields: Iterable[str]) -> list[Challenge]:
    """Parse the challenges of `WWW-Authenticate` fields; one field may contain several."""
    found: list[Challenge] = []
    for text in fields:
        at = 0
        while len(found) < MAX_CHALLENGES and (scheme := _SCHEME.match(text, at)):
            at = scheme.end()
            parameters: dict[str, str] = {}
            while parameter := _PARAMETER.match(text, at):
                at = parameter.end()
                quoted, plain = parameter[2], parameter[3]
                value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                parameters.setdefault(parameter[1].lower(), value)
            found.append(Challenge(scheme[1].lower(), parameters))
    return found


def strongest(offered: Iterable[Challenge]) -> Challenge | None:
    """Return the strongest supported challenge; None if there is none."""
    ranked = [(rank, each) for each in offered if (rank := _rank(each)) is not None]
    return min(ranked, key=lambda pair: pair[0], default=(0, None))[1]


def _rank(challenge: Challenge) -> int | None:
    if challenge.scheme == "basic":
        return len(_HASHES)
    name, _ = challenge.algorithm
    usable = challenge.scheme == "digest" and challenge.nonce and name in _HASHES
    qop = challenge.parameters.get("qop")
    if not usable or (qop and challenge.quality is None):
        return None
    if _HASHES[name] not in hashlib.algorithms_available:
        return None
    return list(_HASHES).index(name)


class ChallengeVerdict(Enum):
    """Meaning of a 401 response."""

    SIGN = "sign"
    """Repeat the request, signed as the camera now demands."""
    NO_CREDENTIALS = "no_credentials"
    NO_COMMON_METHOD = "no_common_method"
    WRONG = "wrong"
    """The user name or the password is wrong."""


class RequestSigner:
    """Signatures for the requests of one connection; none without credentials.

    A wrong password is sent once: many cameras lock an account after a few attempts.
    """

    def __init__(
        self,
        credentials: Credentials | None,
        *,
        client_nonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._credentials = credentials
        self._client_nonce = client_nonce
        self._challenge: Challenge | None = None
        self._count = 0
        self._cnonce = ""
        self._signed = False
        self._proved = False
        self._stale = 0

    @property
    def signing(self) -> bool:
        """Whether requests currently carry credentials."""
        return self._challenge is not None

    def authorization(self, method: str, uri: str) -> str | None:
        """Return the `Authorization` of a request; None until the camera has asked for it."""
        challenge, credentials = self._challenge, self._credentials
        if challenge is None or credentials is None:
            return None
        self._signed = True
        if challenge.scheme == "basic":
            pair = f"{credentials.user}:{credentials.password}".encode()
            return "Basic " + base64.b64encode(pair).decode()
        self._count += 1
        return _digest(challenge, credentials, method, uri, self._count, self._cnonce)

    def start_again(self) -> None:
        """Prepare for a new connection, whose first challenge counts as a new one."""
        self._signed = False

    def accepted(self) -> None:
        """Record that the camera accepted a signed request."""
        if self._signed:
            self._proved, self._stale = True, 0

    def challenged(self, fields: Iterable[str]) -> ChallengeVerdict:
        """Process the challenges of a 401 and return the verdict."""
        offered = challenges(fields)
        chosen = strongest(offered)
        if self._credentials is None:
            return ChallengeVerdict.NO_CREDENTIALS
        if chosen is None:
            return ChallengeVerdict.NO_COMMON_METHOD
        if self._signed and not self._accept_stale_nonce(chosen):
            return ChallengeVerdict.WRONG
        self._challenge, self._count, self._signed = chosen, 0, False
        self._cnonce = self._client_nonce()
        return ChallengeVerdict.SIGN

    def _accept_stale_nonce(self, chosen: Challenge) -> bool:
        """Return whether the credentials were right and only the nonce had expired."""
        before = self._challenge
        if chosen.scheme != "digest" or before is None or chosen.nonce == before.nonce:
            return False
        said = chosen.parameters.get("stale", "").lower() == "true"
        self._stale += 1
        return (said or self._proved) and self._stale <= MAX_STALE


def _digest(
    challenge: Challenge, credentials: Credentials, method: str, uri: str, count: int, cnonce: str
) -> str:
    given = challenge.parameters
    name, session = challenge.algorithm

    def digest(text: str) -> str:
        # The camera chooses; MD5 is what most of them know.
        return hashlib.new(_HASHES[name], text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce, quality = given.get("realm", ""), challenge.nonce, challenge.quality
    first = digest(f"{credentials.user}:{realm}:{credentials.password}")
    if session:
        first = digest(f"{first}:{nonce}:{cnonce}")
    whole = f"{method}:{uri}" + (f":{digest('')}" if quality == "auth-int" else "")
    second = digest(whole)
    user = credentials.user
    hashed = given.get("userhash", "").lower() == "true"
    if hashed:
        user = digest(f"{user}:{realm}")
    parts = [("username", user), ("realm", realm), ("nonce", nonce), ("uri", uri)]
    bare = []
    if quality is None:
        parts.append(("response", digest(f"{first}:{nonce}:{second}")))
    else:
        counted = f"{count:08x}"
        response = digest(f"{first}:{nonce}:{counted}:{cnonce}:{quality}:{second}")
        parts.append(("response", response))
        bare = [f"qop={quality}", f"nc={counted}"]
    if quality is not None or session:
        parts.append(("cnonce", cnonce))
    if "opaque" in given:
        parts.append(("opaque", given["opaque"]))
    if "algorithm" in given:
        bare.append(f"algorithm={given['algorithm']}")  # as the camera spells it
    if hashed:
        bare.append("userhash=true")
    quoted = [f'{key}="{_escape(value)}"' for key, value in parts]
    return "Digest " + ", ".join([*quoted, *bare])


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
