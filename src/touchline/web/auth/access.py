"""Write and file access, decided once when the server starts.

On loopback without a key everything is open, as the contract describes; `Guard` then blocks web
pages of other sites. With a key, or on a network, writes and files need the key.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touchline.core.errors import Failed
from touchline.listen import is_loopback

if TYPE_CHECKING:
    from touchline.settings import Settings

log = logging.getLogger(__name__)

KEY_FILE = "api_key"
_KEY_BYTES = 32


@dataclass(frozen=True)
class Access:
    """Access rules of this server; open without a `key`, reachable by any name without `hosts`.

    `on_network` says that other machines can reach it.
    """

    key: str | None
    hosts: frozenset[str] | None
    on_network: bool

    def accepts_key(self, given: str) -> bool:
        """Return whether `given` is the key; takes the same time for every wrong one."""
        return self.key is None or hmac.compare_digest(
            given.encode("utf-8", "surrogateescape"), self.key.encode("utf-8", "surrogateescape")
        )


def decide_access(settings: Settings) -> Access:
    """Return the rules that follow from the settings; a required key that is not set is created.

    Raises Failed if that key cannot be stored.
    """
    access = _decide(settings)
    if access.key is not None and access.on_network and not settings.auth.reads:
        log.warning(
            "Everyone who can reach %s:%d can read state and lists without the key; set"
            " auth.reads = true to require it",
            settings.host,
            settings.port,
        )
    return access


def _decide(settings: Settings) -> Access:
    mode, secret = settings.auth.mode, settings.auth.api_key
    on_network = not is_loopback(settings.host)
    if mode == "none":
        log.warning(
            "AUTHENTICATION IS OFF (auth.mode = none): everyone who can reach %s:%d can"
            " record, stop, delete and download",
            settings.host,
            settings.port,
        )
        return Access(key=None, hosts=None, on_network=on_network)
    if secret is not None and secret.get_secret_value():
        return Access(key=secret.get_secret_value(), hosts=None, on_network=on_network)
    if mode == "auto" and not on_network:
        log.info("No API key is set: all users of this machine have full access")
        hosts = frozenset({"localhost", settings.host.lower()})
        return Access(key=None, hosts=hosts, on_network=on_network)
    path = settings.data_dir / KEY_FILE
    try:
        return Access(key=_read_stored_key(path), hosts=None, on_network=on_network)
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(
            f"The API key in {path} cannot be used: {error}", code="api_key_unusable"
        ) from error


def _read_stored_key(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            kept = file.read().strip()
    except FileNotFoundError:
        kept = ""
    if kept:
        log.info("Writes and downloads require the API key in %s", path)
        return kept
    made = secrets.token_urlsafe(_KEY_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written to a temporary file and renamed: a crash never leaves a partial key in use.
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, 0o600)
        file.write(f"{made}\n")
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)
    # Only shown on a terminal: other output ends up in a journal that others read.
    if sys.stderr.isatty():
        sys.stderr.write(f"The API key is {made}\nIt is stored in {path}.\n")
    log.warning(
        "Generated an API key, because authentication is required; it is stored in %s", path
    )
    return made
