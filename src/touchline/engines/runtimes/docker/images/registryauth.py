"""Credentials of private registries from `docker login`, read again for each pull."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream

from touchline.core.errors import Failed
from touchline.foreign.json import parse_foreign

log = logging.getLogger(__name__)

HUB = "https://index.docker.io/v1/"
"""Key under which credentials of Docker Hub are stored."""

HELPER_TIMEOUT_S = 15.0
LARGEST_CONFIG_BYTES = 1 << 20
LARGEST_ANSWER_BYTES = LARGEST_LOGIN_BYTES = 64 << 10
_HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_TOKEN_USER = "<token>"  # noqa: S105  (the helpers' marker of a token)
_NOT_FOUND = "credentials not found"
_OURS = ("TOUCHLINE_", "API_KEY", "DB_URL")
"""Prefixes of the server's environment variables that are withheld from helpers."""


class NoCredentials(Failed):
    """Credentials that exist or may exist, but could not be read."""

    default_code = "registry_credentials"


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials for a registry; empty for anonymous access."""

    username: str = ""
    password: str = ""
    identity_token: str = ""
    registry_token: str = ""

    def header(self, registry: str) -> str | None:
        """Return the value of `X-Registry-Auth`; None: no header is sent."""
        fields = {
            "username": self.username,
            "password": self.password,
            "identitytoken": self.identity_token,
            "registrytoken": self.registry_token,
        }
        found = {name: text for name, text in fields.items() if text}
        if not found:
            return None
        content = json.dumps({**found, "serveraddress": registry}).encode()
        if len(content) > LARGEST_LOGIN_BYTES:
            raise NoCredentials(f"the credentials for {registry} are too long")
        return base64.urlsafe_b64encode(content).decode("ascii")


def registry_of(image: str) -> str:
    """Return the registry of an image, under the name that its credentials are stored under."""
    host, slash, _ = image.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        return HUB
    return HUB if host.lower() in _HUB_HOSTS else host


def helper_of(config: Mapping[str, Any], registry: str) -> str | None:
    """Return the credential helper for a registry; None: the file itself holds them.

    Raises NoCredentials for an invalid name, because it becomes the name of a program.
    """
    helpers = config.get("credHelpers")
    named = helpers.get(_host(registry)) if isinstance(helpers, Mapping) else None
    if named is None and isinstance(helpers, Mapping):
        named = helpers.get(registry)
    named = named or config.get("credsStore")
    if not named:
        return None
    if not isinstance(named, str) or _HELPER.fullmatch(named) is None:
        raise NoCredentials(f"{str(named)[:80]!r} is not the name of a credential helper")
    return named


def login_in(config: Mapping[str, Any], registry: str) -> Login:
    """Return the credentials in the file for a registry.

    It is found by its exact name, or else by its host.
    """
    kept = config.get("auths")
    if not isinstance(kept, Mapping):
        return Login()
    entry = kept.get(registry)
    if entry is None:
        same = (kept[name] for name in sorted(kept) if _host(name) == _host(registry))
        entry = next(same, None)
    if not isinstance(entry, Mapping):
        return Login()
    username, password = _text(entry, "username"), _text(entry, "password")
    if encoded := _text(entry, "auth"):
        try:
            username, colon, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, ValueError) as error:
            raise NoCredentials(f"the credentials for {registry} are not valid Base64") from error
        if not colon:
            raise NoCredentials(f"the credentials for {registry} have no password")
        password = password.rstrip("\0")
    return Login(username, password, _text(entry, "identitytoken"), _text(entry, "registrytoken"))


def read_helper_answer(answer: bytes, registry: str) -> Login:
    """Return the login in a helper's answer. Raises NoCredentials if there is none."""
    try:
        found = parse_foreign(answer)
    except ValueError as error:
        raise NoCredentials(f"the helper for {registry} did not return JSON") from error
    if not isinstance(found, Mapping) or not _text(found, "Secret"):
        raise NoCredentials(f"the helper for {registry} did not return a secret")
    username, secret = _text(found, "Username"), _text(found, "Secret")
    if username == _TOKEN_USER:
        return Login(identity_token=secret)
    return Login(username, secret)


class RegistryLogins:
    """Reader of the `docker` command's configuration and of its credential helpers.

    The file is read for each pull, so that a login takes effect at once. A helper is a child
    process without a shell, bounded in time and in the size of its output. Secrets are neither kept
    nor logged.
    """

    def __init__(
        self, environ: Mapping[str, str], *, helper_timeout_s: float = HELPER_TIMEOUT_S
    ) -> None:
        self._environ = {k: v for k, v in environ.items() if not k.startswith(_OURS)}
        self._helper_timeout_s = helper_timeout_s

    async def header(self, image: str) -> str | None:
        """Return the `X-Registry-Auth` header for a pull of this image; None: no header.

        Raises NoCredentials if the credentials could not be read.
        """
        registry = registry_of(image)
        config = await anyio.to_thread.run_sync(_config, self._file())
        helper = helper_of(config, registry)
        if helper is not None:
            login = await self._ask(helper, registry)
            if login is not None:
                return login.header(registry)
        return login_in(config, registry).header(registry)

    def _file(self) -> Path | None:
        folder = self._environ.get("DOCKER_CONFIG")
        if folder:
            return Path(folder) / "config.json"
        home = self._environ.get("HOME")
        return Path(home) / ".docker" / "config.json" if home else None

    async def _ask(self, helper: str, registry: str) -> Login | None:
        """Return the helper's credentials; None: it has none for this registry."""
        name = f"docker-credential-{helper}"
        program = await anyio.to_thread.run_sync(
            lambda: shutil.which(name, path=self._environ.get("PATH", os.defpath))
        )
        if program is None:
            raise NoCredentials(f"{name} is not installed, or not in PATH")
        try:
            with anyio.fail_after(self._helper_timeout_s):
                status, answer = await _run(program, registry, self._environ)
        except TimeoutError as error:
            raise NoCredentials(
                f"{name} did not answer within {self._helper_timeout_s:g} s"
            ) from error
        except OSError as error:
            raise NoCredentials(f"{name} cannot be run: {error.strerror}") from error
        if status:
            if _NOT_FOUND in answer[:1000].decode(errors="replace").lower():
                return None
            # The output may contain a secret, so it is not included.
            raise NoCredentials(f"{name} exited with status {status}")
        return read_helper_answer(answer, registry)


async def _run(program: str, registry: str, environ: Mapping[str, str]) -> tuple[int, bytes]:
    """Run a helper, and return its status and answer.

    It and its children end with this call.
    """
    process = await anyio.open_process(
        [program, "get"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environ),
        cwd="/",
        start_new_session=True,
    )
    asked, output = process.stdin, process.stdout
    try:
        with suppress(anyio.BrokenResourceError, OSError):  # the helper may not read its input
            if asked is not None:
                await asked.send(registry.encode())
                await asked.aclose()
        answer = bytearray()
        while (piece := await _more(output)) is not None:
            answer += piece
            if len(answer) > LARGEST_ANSWER_BYTES:
                raise NoCredentials(f"the output of {Path(program).name} is too long")
        return await process.wait(), bytes(answer)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.aclose()


async def _more(output: ByteReceiveStream | None) -> bytes | None:
    """Return the next output; None at the end."""
    try:
        return await output.receive() if output is not None else None
    except anyio.EndOfStream:
        return None


def _config(file: Path | None) -> Mapping[str, Any]:
    """Return the configuration; empty where there is none. Blocking."""
    if file is None:
        return {}
    try:
        # Opening a FIFO would block without the flag.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NoCredentials(f"{file} is not a file")
            content = opened.read(LARGEST_CONFIG_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise NoCredentials(f"{file} cannot be read: {error}") from error
    if len(content) > LARGEST_CONFIG_BYTES:
        raise NoCredentials(f"{file} is too large for a configuration")
    try:
        config = parse_foreign(content)
    except ValueError as error:
        raise NoCredentials(f"{file} is not valid JSON") from error
    return config if isinstance(config, Mapping) else {}


def _host(registry: str) -> str:
    """Return the host in a registry's name, which may be a URL."""
    bare = registry.removeprefix("https://").removeprefix("http://")
    return bare.partition("/")[0].lower()


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""
