"""A whole match as HLS, out of the segment files as they are: byte ranges, nothing is rewritten.

RFC 8216: media segments are runs of fragments that begin with a keyframe (4.3.2.2,
`EXT-X-BYTERANGE`); each file brings its own initialization section and begins a discontinuity.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

from touchline.capture.footage import ARCHIVES, Piece
from touchline.worker import mp4scan

TARGET_S = 6.0
_NANO = 1_000_000_000


class _Run(NamedTuple):
    """Fragments that are one media segment."""

    offset: int
    size_bytes: int
    duration_ns: int
    capture_unix_ns: int


def playlist(match_id: str, camera: str, pieces: Sequence[Piece], *, running: bool) -> str:
    """The playlist of one camera or archive; it grows while the match is recorded."""
    runs = [(piece, list(_runs(piece.index.scan.fragments))) for piece in pieces]
    longest_ns = max((run.duration_ns for _, found in runs for run in found), default=_NANO)
    base = f"/api/v1/recordings/{quote(match_id, safe='')}"
    place = "files" if camera in ARCHIVES else "segments"
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest_ns / _NANO)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'EVENT' if running else 'VOD'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    for number, (piece, found) in enumerate(runs):
        if number:
            lines.append("#EXT-X-DISCONTINUITY")
        name = quote(piece.name, safe="")
        lines.append(f'#EXT-X-MAP:URI="{base}/vod/{camera}/init/{name}"')
        for run in found:
            captured = datetime.fromtimestamp(run.capture_unix_ns / _NANO, tz=UTC)
            stamp = captured.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            lines += [
                f"#EXT-X-PROGRAM-DATE-TIME:{stamp}",
                f"#EXTINF:{run.duration_ns / _NANO:.5f},",
                f"#EXT-X-BYTERANGE:{run.size_bytes}@{run.offset}",
                f"{base}/{place}/{name}",
            ]
    if not running:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _runs(fragments: Sequence[mp4scan.Fragment]) -> Iterator[_Run]:
    """Fragments gathered from keyframe to keyframe, about six seconds each."""
    gathered: list[mp4scan.Fragment] = []
    for fragment in fragments:
        due = gathered and fragment.start_ns - gathered[0].start_ns >= TARGET_S * 0.9 * _NANO
        # A hole in the file (a damaged stretch) ends a run too: its bytes do not follow on.
        hole = gathered and gathered[-1].offset + gathered[-1].size_bytes != fragment.offset
        if gathered and ((due and fragment.keyframe) or hole):
            yield _run(gathered, fragment.start_ns)
            gathered = []
        gathered.append(fragment)
    if gathered:
        last = gathered[-1]
        yield _run(gathered, last.start_ns + last.duration_ns)


def _run(fragments: Sequence[mp4scan.Fragment], end_ns: int) -> _Run:
    first, last = fragments[0], fragments[-1]
    return _Run(
        first.offset,
        last.offset + last.size_bytes - first.offset,
        max(end_ns - first.start_ns, 1),
        first.capture_unix_ns,
    )
