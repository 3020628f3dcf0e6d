"""Address of the Docker daemon, from the settings or from the environment variables."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from touchline.core.errors import Invalid

USUAL = "unix:///var/run/docker.sock"
PORT, TLS_PORT = 2375, 2376


@dataclass(frozen=True)
class DaemonAddress:
    """URL of a daemon, and the verification of its certificate.

    None: the connection is not encrypted.
    """

    url: str
    tls: ssl.SSLContext | None = None


def address_of(host: str | None, environ: Mapping[str, str]) -> DaemonAddress:
    """Return the daemon that `host` names, else DOCKER_HOST, else the usual socket.

    DOCKER_TLS_VERIFY and DOCKER_CERT_PATH work as for the `docker` command. Reads certificates from
    disk. Raises Invalid for an unusable address or unusable certificates.
    """
    url = host or environ.get("DOCKER_HOST") or USUAL
    scheme, _, rest = url.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return DaemonAddress(url)
    if scheme not in {"tcp", "http", "https"} or not _names_a_host(url):
        how = "write unix:///path or tcp://host:port"
        if scheme == "ssh":
            how = "open a tunnel with ssh -N -L and write unix:///path of its socket"
        raise Invalid(
            f"{url!r} is not a valid address of a Docker daemon: {how}", code="docker_address"
        )
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    rest = rest.rstrip("/")
    if scheme == "tcp" and urlsplit(f"//{rest}").port is None:
        rest = f"{rest}:{TLS_PORT if verify else PORT}"  # as Docker's own client
    if scheme != "https" and not verify:
        return DaemonAddress(f"{scheme}://{rest}")
    folder = environ.get("DOCKER_CERT_PATH") or ("~/.docker" if verify else None)
    return DaemonAddress(f"https://{rest}", _context(folder))


def missing_socket(host: str | None, environ: Mapping[str, str]) -> Path | None:
    """Return the path of the configured socket if it is a local file that does not exist."""
    scheme, _, path = (host or environ.get("DOCKER_HOST") or USUAL).partition("://")
    if scheme != "unix" or not path.startswith("/"):
        return None
    try:
        Path(path).lstat()
    except FileNotFoundError:
        return Path(path)
    except (OSError, ValueError):  # the attempt to connect reports the reason
        return None
    return None


def _names_a_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        bare = not (parts.path.strip("/") or parts.query or parts.fragment)
        return bare and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _context(folder: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if folder is None:
        return context
    certificates = Path(folder).expanduser()
    try:
        context.load_verify_locations(certificates / "ca.pem")
        context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    except (OSError, RuntimeError) as error:
        raise Invalid(
            f"the certificates of the Docker daemon in {certificates} cannot be used: {error}",
            code="docker_certificates",
        ) from error
    return context
