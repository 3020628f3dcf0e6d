"""Recording orders for workers."""

from __future__ import annotations

import time

from touchline.capture.recording.match.match import Match
from touchline.capture.recording.match.track import Track
from touchline.capture.settings.tree import CaptureSettings
from touchline.ipc.wire import RecordOrder


def make_order(
    settings: CaptureSettings, match: Match, track: Track, *, resumed: bool = False
) -> RecordOrder:
    """Return the order for one camera.

    All cameras get the same clock; file numbers continue those of existing files.
    """
    # The label is for people: the wall clock's date. The index determines the order.
    part = match.part
    wall_s = (part.start_monotonic_ns + part.unix_minus_monotonic_ns) / 1e9
    start_unix = time.time() if resumed else wall_s
    return RecordOrder(
        match_id=match.match_id,
        directory=str(match.segments_folder),
        prefix=track.camera.name,
        label=time.strftime("%Y%m%d_%H%M%S", time.localtime(start_unix)),
        first_index=track.next_index,
        unix_minus_monotonic_ns=match.part.match_minus_monotonic_ns,
        start_monotonic_ns=match.start_monotonic_ns,
        segment_s=settings.segment_s,
        fragment_s=settings.fragment_s,
        min_free_bytes=settings.min_free_bytes,
        backlog_bytes=settings.backlog_bytes,
        max_match_s=settings.max_match_s,
        mount_point=match.mount_point,
    )
