"""Parsing of RTSP URLs and of the control URLs in a description."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from touchline.worker.rtsp.errors import RtspError

PORTS = {"rtsp": 554, "rtsps": 322}
MAX_URL_CHARS = 4096
_URI_CHARS = "!#$%&'()*+,-./:;=?@[]_~"


@dataclass(frozen=True)
class CameraAddress:
    """Host and port of a camera and its request URI, without user and password."""

    scheme: str
    host: str
    port: int
    uri: str

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "rtsps"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port; credentials for one origin are never sent to another."""
        return self.scheme, self.host, self.port

    @property
    def where(self) -> str:
        """Host and port for display."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(url: str) -> CameraAddress:
    """Parse an `rtsp://` or `rtsps://` URL. Raises RtspError without quoting it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not host or len(url) > MAX_URL_CHARS or not url.isprintable():
        raise RtspError("the address is not an RTSP URL such as rtsp://host/path")
    location = parts.netloc.rpartition("@")[2]
    uri = urlunsplit((scheme, location, parts.path or "/", parts.query, ""))
    return CameraAddress(scheme, host, port or PORTS[scheme], quote(uri, safe=_URI_CHARS))


def redirect_target(here: CameraAddress, location: str) -> CameraAddress:
    """Return the address of a redirect. Raises RtspError for an invalid one."""
    if location.startswith("/") and not location.startswith("//"):
        scheme, netloc, *_ = urlsplit(here.uri)
        location = f"{scheme}://{netloc}{location}"
    try:
        return parse_address(location)
    except RtspError as error:
        raise RtspError("the camera redirects to something that is not an RTSP URL") from error


def usable_base(text: str | None) -> str | None:
    """Return a Content-Base or Content-Location that is an absolute RTSP URL; None otherwise."""
    if text is None:
        return None
    try:
        return parse_address(text.strip()).uri
    except RtspError:
        return None


def control_uris(base: str, control: str | None) -> tuple[str, ...]:
    """Return the possible URIs of a control attribute, the most likely first.

    Cameras expect a relative one appended to the base, whatever its last segment or query; RFC 3986
    would replace that segment. The URI according to the RFC comes second.
    """
    if control is None or control in {"", "*"}:
        return (base,)
    if urlsplit(control).scheme in PORTS:
        return (_clean(control),)
    scheme, netloc, path, query, _ = urlsplit(base)
    behind = f"{base.rstrip('/')}/{control.lstrip('/')}"
    rooted = f"{scheme}://{netloc}/{control.lstrip('/')}"
    before_query = urlunsplit((scheme, netloc, f"{path.rstrip('/')}/{control.lstrip('/')}", "", ""))
    candidates = [rooted, behind] if control.startswith("/") else [behind]
    if query:
        candidates.append(f"{before_query}?{query}")
    candidates.append(rooted)
    return tuple(dict.fromkeys(_clean(candidate) for candidate in candidates))


def _clean(uri: str) -> str:
    """Return a URI that cannot break a request line, without user and password."""
    scheme, netloc, path, query, _ = urlsplit(uri)
    return quote(urlunsplit((scheme, netloc.rpartition("@")[2], path, query, "")), safe=_URI_CHARS)
