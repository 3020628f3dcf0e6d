"""Admission to the RTSP outlet: passwords, pauses after wrong ones, and connection limits.

A client is a stranger until it has sent the password or, without one, requested a camera. Strangers
have little time and few places, and are disconnected in favour of new clients, so that idle
connections do not keep others out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from touchline.ipc import wire
from touchline.ipc.attempts import Attempts, network_of
from touchline.live.rtsp.messages import RtspRequest

MAX_CLIENTS = 32
MAX_STRANGERS_PER_ADDRESS = 8
STRANGER_S = 10.0
"""Time within which a connection must authenticate."""

LONGEST_PAUSE_S = 30.0

Notify = Callable[[dict[str, Any]], None]


class RtspClient(Protocol):
    """Client interface that the door uses."""

    address: str
    is_known: bool

    def note_known(self) -> None:
        """Note that it has sent the password."""

    def note_pause(self, *, lasts: bool) -> None:
        """Note that its response is being delayed, or no longer."""

    def close_connection(self) -> None:
        """Close its connection."""


class RtspDoor:
    """Admits clients, with one table for all of them."""

    def __init__(
        self,
        notify: Notify,
        *,
        password: str | None,
        attempts: Attempts | None = None,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._notify = notify
        self._password = password
        if attempts is None:
            attempts = Attempts(longest_pause_s=LONGEST_PAUSE_S)
        self._attempts = attempts
        self._sleep = sleep
        self._guests: list[RtspClient] = []  # in order of arrival

    def enter(self, guest: RtspClient) -> bool:
        """Add a client, replacing a stranger if there is no room; return whether it may stay."""
        network = network_of(guest.address)
        strangers = (each for each in self._guests if not each.is_known)
        same = [each for each in strangers if network_of(each.address) == network]
        if len(same) >= MAX_STRANGERS_PER_ADDRESS:
            self._disconnect(same[0])
        elif len(self._guests) >= MAX_CLIENTS:
            stranger = next((each for each in self._guests if not each.is_known), None)
            if stranger is None:
                return False
            self._disconnect(stranger)
        self._guests.append(guest)
        return True

    def leave(self, guest: RtspClient) -> None:
        """Remove a client that disconnected."""
        if guest in self._guests:
            self._guests.remove(guest)

    def _disconnect(self, guest: RtspClient) -> None:
        self._guests.remove(guest)
        guest.close_connection()

    async def authenticate(self, guest: RtspClient, request: RtspRequest) -> bool:
        """Return whether a request has the password; waits first if its address must.

        The pause precedes the check, so the response time does not reveal whether a password is
        right. A client that has authenticated before does not wait.
        """
        if self._password is None:
            return True
        tries = "authorization" in request.headers
        if tries and not guest.is_known:
            guest.note_pause(lasts=True)
            try:
                while (pause_s := self._attempts.pause_s(guest.address)) > 0:
                    await self._sleep(pause_s)
            finally:
                guest.note_pause(lasts=False)
        if request.accepts_password(self._password):
            guest.note_known()
            return True
        if tries:
            failure = self._attempts.failed(guest.address)
            if failure.begins_storm:
                self._notify(
                    wire.event("rtsp_refused", address=guest.address, attempts=failure.count)
                )
        return False
