"""HLS playback of a whole match from its segment files, without rewriting them.

Media segments have URLs of their own and one timeline of decode times over all files, so players
that do not support byte ranges or discontinuities lose nothing (RFC 8216, 4.3). They are transport
streams, in which every player can seek; as fragmented MP4 they share one initialization section for
as long as the parameter sets stay the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote

from touchline.capture.library.playback.announcements import Terms
from touchline.capture.library.playback.footage import FootageFile
from touchline.capture.library.playback.mediasegments import TARGET_S, MediaSegment, media_segments
from touchline.core.errors import NotFound
from touchline.media.h264.codec import Codec
from touchline.media.mp4 import cut
from touchline.media.mp4.sample import TIMESCALE
from touchline.media.mp4.segment import SegmentPlace, mp4_segment, ts_segment

Container = Literal["ts", "mp4"]
SUFFIXES: dict[Container, str] = {"ts": "ts", "mp4": "m4s"}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def playlist(
    match_id: str,
    camera: str,
    pieces: Sequence[FootageFile],
    *,
    growing: bool,
    terms: Terms,
    origin_ns: int,
    container: Container,
) -> str:
    """Return the playlist of one camera or archive; it is append-only while the match runs.

    The date range `match` begins with the match, at `origin_ns` of its clock, so that a player
    knows the second of the match regardless of dates.
    """
    segments = media_segments([piece.part for piece in pieces], growing=growing)
    longest_s = max((s.duration_ticks / TIMESCALE for s in segments), default=0.0)
    base = f"/api/v1/recordings/{quote(match_id, safe='')}/vod/{camera}"
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{7 if container == 'mp4' else 3}",
        f"#EXT-X-TARGETDURATION:{max(TARGET_S, math.ceil(longest_s))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{terms.playlist_type}",
    ]
    if segments:
        began = _timestamp(origin_ns + terms.correction_ns)
        lines.append(f'#EXT-X-DATERANGE:ID="match",START-DATE="{began}"')
    codec: Codec | None = None
    for segment in segments:
        piece = pieces[segment.part]
        name = quote(piece.name, safe="")
        if segment.discontinuity:
            lines.append("#EXT-X-DISCONTINUITY")
        if container == "mp4" and piece.part.codec != codec:
            codec = piece.part.codec
            lines.append(f'#EXT-X-MAP:URI="{base}/init/{name}"')
        first = segment.run.fragments[0]
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{_timestamp(first.capture_unix_ns + terms.correction_ns)}",
            f"#EXTINF:{segment.duration_ticks / TIMESCALE:.5f},",
            f"{base}/media/{name}/{first.sequence}.{SUFFIXES[container]}",
        ]
    if not growing:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def segment_media(
    pieces: Sequence[FootageFile],
    file_name: str,
    sequence: int,
    *,
    growing: bool,
    container: Container,
) -> cut.Cut:
    """Return the media segment that begins with a fragment of a file. Blocks.

    Raises NotFound if no segment of the playlist begins there, or its file has been removed.
    """
    missing = NotFound("The playlist has no such segment", code="segment_not_found")
    segment = _find(pieces, file_name, sequence, growing=growing)
    if segment is None:
        raise missing
    piece = pieces[segment.part]
    place = SegmentPlace(
        segment.number, segment.decode_ticks, segment.longer_ticks, piece.part.early_ticks
    )
    try:
        if container == "mp4":
            return mp4_segment(piece.path, segment.run.fragments, place, table=piece.table)
        return ts_segment(
            piece.path, piece.part.codec, segment.run.fragments, place, table=piece.table
        )
    except (OSError, ValueError) as error:
        raise missing from error


def _find(
    pieces: Sequence[FootageFile], file_name: str, sequence: int, *, growing: bool
) -> MediaSegment | None:
    for segment in media_segments([piece.part for piece in pieces], growing=growing):
        first = segment.run.fragments[0]
        if pieces[segment.part].name == file_name and first.sequence == sequence:
            return segment
    return None


def _timestamp(unix_ns: int) -> str:
    captured = _EPOCH + timedelta(microseconds=unix_ns // 1000)
    return captured.isoformat(timespec="milliseconds").replace("+00:00", "Z")
