"""Limits on wrong keys and passwords: failed attempts by address, and the pause after each.

The first few cost nothing, as people mistype. After that each failed attempt starts a longer pause.
Attempts during a pause do not count, so that repeated attempts do not extend it.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE = 5
"""Failed attempts of an address without a pause."""

LONGEST_PAUSE_S = 60.0
FORGET_AFTER_S = 900.0
"""Time without a failed attempt after which an address starts from zero."""

MOST_ADDRESSES = 1024
"""Maximum number of addresses; the one whose last failure is oldest is dropped for a new one."""


@dataclass(frozen=True)
class Failure:
    """Result of a failed attempt: the count, the pause, and whether this is the first pause."""

    count: int
    pause_s: float
    begins_storm: bool


@dataclass
class _Record:
    count: int
    last_s: float
    paused_until_s: float


class Attempts:
    """Failed attempts of each address, bounded in number."""

    def __init__(
        self,
        *,
        longest_pause_s: float = LONGEST_PAUSE_S,
        most: int = MOST_ADDRESSES,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._longest_pause_s = longest_pause_s
        self._most = most
        self._now_s = now_s
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def now_s(self) -> float:
        """Return the current time of the clock that pauses are measured by."""
        return self._now_s()

    def __len__(self) -> int:
        return len(self._records)

    def pause_s(self, address: str) -> float:
        """Return how long the address must wait before its next attempt; 0.0 if not at all."""
        record = self._records.get(network_of(address))
        return 0.0 if record is None else max(0.0, record.paused_until_s - self._now_s())

    def failed(self, address: str) -> Failure:
        """Count a failed attempt of the address."""
        now_s, network = self._now_s(), network_of(address)
        record = self._records.get(network)
        if record is None or now_s - record.last_s > FORGET_AFTER_S:
            record = self._records[network] = _Record(0, now_s, now_s)
        self._records.move_to_end(network)
        while len(self._records) > self._most:
            self._records.popitem(last=False)
        record.count += 1
        record.last_s = now_s
        pause_s = pause_after(record.count, longest_s=self._longest_pause_s)
        record.paused_until_s = now_s + pause_s
        return Failure(record.count, pause_s, record.count == FREE + 1)


def pause_after(count: int, *, longest_s: float = LONGEST_PAUSE_S) -> float:
    """Return the pause after a number of failed attempts in a row. Pure."""
    return 0.0 if count <= FREE else min(longest_s, 2.0 ** min(count - FREE - 1, 16))


def network_of(address: str) -> str:
    """Return the unit that counts as one address; for IPv6, the /64 network."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        if mapped is None:
            return str(ipaddress.ip_network((found, 64), strict=False))
        found = mapped
    return str(found)
