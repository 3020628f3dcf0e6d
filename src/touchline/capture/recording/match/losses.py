"""Losses of a match as its status and the verdict of its stop show them, from its gaps. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from touchline.capture.library.manifest.manifest import Gap
from touchline.capture.recording.answers import RecordingLoss
from touchline.capture.recording.match.match import Match
from touchline.ipc.wire import GapKind

MOST_LOSSES = 200
"""Losses that are shown; the number of all is that of the cameras' gaps."""

_LEAST_NS = 20_000_000
"""Shortest gap in nanoseconds that is shown: nothing is missing where a stream changed."""


def losses_of(match: Match) -> list[RecordingLoss]:
    """Return the losses so far in order: those that last, and the newest of those that are over."""
    now_ns = match.now_ns() if match.ended_unix_ns is None else match.ended_unix_ns
    return newest_of(
        loss_of(
            gap,
            camera=track.camera.key,
            name=track.camera.label,
            from_ns=match.judged_from_ns,
            now_ns=now_ns,
        )
        for track in match.tracks.values()
        for gap in track.all_gaps()
        if is_loss(gap)
    )


def is_loss(gap: Gap) -> bool:
    """Return whether footage is missing in a gap, or will be."""
    return gap.to_unix_ns is None or gap.to_unix_ns - gap.from_unix_ns >= _LEAST_NS


def loss_of(gap: Gap, *, camera: str, name: str, from_ns: int, now_ns: int) -> RecordingLoss:
    """Return a gap as a loss, in seconds from `from_ns`; one that lasts is counted until now."""
    start_ns = max(gap.from_unix_ns, from_ns)
    end_ns = now_ns if gap.to_unix_ns is None else gap.to_unix_ns
    loss: RecordingLoss = {
        "camera": camera,
        "name": name,
        "from_s": round((start_ns - from_ns) / 1e9, 3),
        "seconds": round(max(0, end_ns - start_ns) / 1e9, 3),
        "reason": gap.reason,
        "kind": _kind(gap.kind),
        "ended": gap.to_unix_ns is not None,
    }
    if not gap.length_known:
        loss["length_known"] = False
    return loss


def newest_of(losses: Iterable[RecordingLoss]) -> list[RecordingLoss]:
    """Return losses in order, without the oldest of those that are over where they are too many."""
    found = sorted(losses, key=lambda loss: loss["from_s"])
    lasting = [loss for loss in found if not loss["ended"]]
    over = [loss for loss in found if loss["ended"]]
    newest = over[max(0, len(over) + len(lasting) - MOST_LOSSES) :]
    return sorted([*newest, *lasting], key=lambda loss: loss["from_s"])


def _kind(noted: str | None) -> GapKind:
    """Return a known kind; manifests of other versions may have another, or none."""
    for kind in get_args(GapKind):
        if noted == kind:
            found: GapKind = kind
            return found
    return "camera"
