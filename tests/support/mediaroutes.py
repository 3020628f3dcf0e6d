"""The routes that answer with media, and an address of each for a match of three cameras."""

from __future__ import annotations

from typing import Any

M = "/api/v1/recordings/{match}"
VOD = "/api/v1/recordings/{match_id}/vod/{camera}"
MEDIA: dict[str, tuple[str, bool]] = {
    "/api/v1/recordings/{match_id}/segments/{segment_name}": (f"{M}/segments/{{segment}}", True),
    "/api/v1/recordings/{match_id}/files/{file_name}": (f"{M}/files/cam2_archive.mp4", True),
    "/api/v1/recordings/{match_id}/clip": (f"{M}/clip?camera=2&start={{start}}&end={{end}}", True),
    f"{VOD}/media/{{file_name}}/{{sequence}}.{{suffix}}": (
        f"{M}/vod/cam2/media/{{segment}}/1.ts",
        True,
    ),
    f"{VOD}.m3u8": (f"{M}/vod/cam2.m3u8", False),
    f"{VOD}/init/{{file_name}}": (f"{M}/vod/cam2/init/{{segment}}", False),
    "/api/v1/recordings/{match_id}/markers.vtt": (f"{M}/markers.vtt", False),
    "/api/v1/recordings/{match_id}/download": (f"{M}/download", False),
    "/api/v1/matches/{match_id}/poster.jpg": ("/api/v1/matches/{match}/poster.jpg", False),
    "/api/v1/cameras/{camera_id}/snapshot.jpg": ("/api/v1/cameras/2/snapshot.jpg", False),
    "/hls/{name}": ("/hls/cam2.m3u8", False),
}
"""Each route that answers with media: an address, and whether parts of it can be asked for.

A route that answers parts has a body that a player jumps in. Others are small, or live.
"""


def found_in(described: dict[str, Any]) -> dict[str, Any]:
    """The routes whose answers are not documents, by the description of the API."""
    documents = {"application/json", "text/html", "text/plain"}
    return {
        path: methods
        for path, methods in described["paths"].items()
        if set(methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {}))
        - documents
    }
