"""State that playlists of running matches have announced and must not change.

A player reloads the playlist of a match that is being recorded, and a playlist may only be appended
to (RFC 8216, 6.2.1), even if the match's clock is set meanwhile or the match ends.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

PlaylistType = Literal["EVENT", "VOD"]

FOLLOWED_FOR_S = 600.0
"""Seconds for which a playlist keeps its terms after its last request during the match.

A player reloads it every few seconds, and stops once it has seen the end.
"""
MOST_MATCHES = 64


class Terms(NamedTuple):
    """Terms of a whole playlist: its type, and the offset added to dates."""

    playlist_type: PlaylistType
    correction_ns: int


@dataclass
class _Announced:
    correction_ns: int
    last_s: float


class Announcements:
    """Announced terms by playlist, kept in memory only.

    `now_s` never goes back.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._kept: OrderedDict[tuple[str, int], _Announced] = OrderedDict()

    def terms(self, match_id: str, origin_ns: int, correction_ns: int, *, growing: bool) -> Terms:
        """Return the terms of a playlist that is created now.

        `origin_ns` is the start of the match, which distinguishes it from another one of its name,
        and `correction_ns` is the latest correction of the match clock.
        """
        key, now_s = (match_id, origin_ns), self._now_s()
        found = self._kept.get(key)
        if growing:
            if found is None:
                found = self._kept[key] = _Announced(correction_ns, now_s)
            found.last_s = now_s
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_MATCHES:
                self._kept.popitem(last=False)
            return Terms("EVENT", found.correction_ns)
        if found is not None and now_s - found.last_s <= FOLLOWED_FOR_S:
            return Terms("EVENT", found.correction_ns)
        self._kept.pop(key, None)
        return Terms("VOD", correction_ns)
