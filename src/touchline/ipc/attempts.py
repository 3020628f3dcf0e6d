"""Count wrong keys and passwords by address, and say how long an address has to wait.

The first few cost nothing, as people mistype. After that each wrong try begins a longer pause, and
whatever is tried in a pause does not count, so that nobody is kept out for longer by hammering.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE = 5
"""Wrong tries of an address without a pause."""

LONGEST_PAUSE_S = 60.0
FORGET_AFTER_S = 900.0
"""An address that has tried nothing wrong for so long begins anew."""

MOST_ADDRESSES = 1024
"""The address that was wrong longest ago is forgotten for a new one."""


@dataclass(frozen=True)
class Failure:
    """What a wrong try led to: how many there were, the pause, and whether pauses begin with it."""

    count: int
    pause_s: float
    begins_storm: bool


@dataclass
class _Record:
    count: int
    last_s: float
    paused_until_s: float


class Attempts:
    """Failed attempts of each address, bounded in number. Belongs to the event loop."""

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
        """Return the time that pauses are counted by."""
        return self._now_s()

    def __len__(self) -> int:
        return len(self._records)

    def pause_s(self, address: str) -> float:
        """Return how long the address must wait before its next attempt; 0.0 if it may try."""
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
    """Return what counts as one address; for IPv6, the network of a site."""
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
