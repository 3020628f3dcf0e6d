"""Scopes of signed links: the signed media path and the files that its playlist names.

Pure. A scope is the text that is signed; two paths share one only if the first names the second.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlencode

from touchline.web.models.links import LONGEST_PATH

PARAMETER = "signature"
MOST_FIELDS = 32

_MATCH = r"/api/v1/recordings/(?P<match>[^/]+)"
_HLS = re.compile(r"/hls/(?P<stream>cam\d+|panorama)(?:\.m3u8|_[^/]+)", re.ASCII)
_VOD = re.compile(
    _MATCH + r"/vod/(?P<camera>[^/]+?)(?:\.m3u8|/init/[^/]+|/media/[^/]+/[^/]+)", re.ASCII
)
_CLIP = re.compile(_MATCH + r"/clip", re.ASCII)
_SPRITES = re.compile(_MATCH + r"/files/(?P<stem>[^/]+_sprites)\.(?:vtt|jpg)", re.ASCII)
_FILE = re.compile(_MATCH + r"/(?:download|markers\.vtt|files/[^/]+|segments/[^/]+)", re.ASCII)
_POSTER = re.compile(r"/api/v1/matches/[^/]+/poster\.jpg")
_STILL = re.compile(r"/api/v1/cameras/\d+/snapshot\.jpg", re.ASCII)
_CAMERA = re.compile(r"(?:cam)?(\d{1,2})", re.ASCII)

_URI = re.compile(r'URI="([^"]*)"')
_PICTURE = re.compile(r"^([^\s#?]+\.jpg)(?=#|$)", re.MULTILINE)


def media_scope(path: str, query: str) -> str | None:
    """Return the scope of a media path, decoded; None for any other path.

    The scope of a clip includes its query; the query of other paths does not affect the content.
    """
    if found := _HLS.fullmatch(path):
        return f"hls/{found['stream']}"
    if found := _VOD.fullmatch(path):
        return f"vod/{found['match']}/{_camera(found['camera'])}"
    if found := _CLIP.fullmatch(path):
        return _clip_scope(found["match"], query)
    if found := _SPRITES.fullmatch(path):  # one scope: the track names the sheet
        return f"sprites/{found['match']}/{found['stem']}"
    is_file = any(pattern.fullmatch(path) for pattern in (_FILE, _STILL, _POSTER))
    return f"path{path}" if is_file else None


def _clip_scope(match_id: str, query: str) -> str | None:
    pairs = _pairs(query)
    if pairs is None:
        return None
    kept = [(name, value) for name, value in pairs if name != PARAMETER]
    return f"clip/{match_id}\n{urlencode(kept)}"


def split_target(target: str) -> tuple[str, str] | None:
    """Return decoded path and query of a request target; None if it is not one of this server."""
    if len(target) > LONGEST_PATH or not target.startswith("/") or target.startswith("//"):
        return None
    path, _, query = target.partition("#")[0].partition("?")
    return None if "%2f" in path.lower() else (unquote(path), query)


def sign_target(target: str, token: str) -> str:
    """Return the request target with the signature, replacing an earlier one."""
    head, _, query = target.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith(f"{PARAMETER}=")]
    return f"{head}?{'&'.join([*kept, f'{PARAMETER}={token}'])}"


def signatures_in(query: str) -> list[str]:
    """Return all signatures in a query."""
    return [value for name, value in _pairs(query) or () if name == PARAMETER]


def sign_playlist(text: str, token: str) -> str:
    """Return an HLS playlist with the signature added to all URIs, in tags as in lines."""
    lines = []
    for line in text.split("\n"):
        if line.startswith("#"):
            lines.append(_URI.sub(lambda uri: f'URI="{sign_target(uri[1], token)}"', line))
        else:
            lines.append(sign_target(line, token) if line.strip() else line)
    return "\n".join(lines)


def sign_thumbnails(text: str, token: str) -> str:
    """Return a WebVTT thumbnail track with the signature added to its pictures."""
    return _PICTURE.sub(lambda picture: sign_target(picture[1], token), text)


def _camera(name: str) -> str:
    """Return the canonical name of a camera: `0` and `cam0` are the same."""
    found = _CAMERA.fullmatch(name)
    return name if found is None else f"cam{int(found[1])}"


def _pairs(query: str) -> list[tuple[str, str]] | None:
    """Return the fields of a query; None if there are more than any valid request has."""
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
