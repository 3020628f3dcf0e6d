"""Work for a client, in turn and only while the client is connected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import anyio
from fastapi import Request

from touchline.core.errors import Blocked
from touchline.core.worklimits import Budget, WorkLimit, WorkLimits

T = TypeVar("T")

BUDGETS = {
    "clip": Budget("clips", at_once=2, waiting=32, retry_after_s=5),
    "still": Budget("stills", at_once=2, waiting=64, retry_after_s=1),
    "poster": Budget("posters", at_once=1, waiting=64, retry_after_s=5),
    "verification": Budget("verifications", at_once=1, waiting=8, retry_after_s=30),
    "archive": Budget("whole matches", at_once=4, waiting=16, retry_after_s=30),
    "download": Budget("downloads", at_once=48, waiting=128, retry_after_s=5),
    "playlist": Budget("playlists", at_once=4, waiting=128, retry_after_s=2),
    "calibration": Budget("calibrations", at_once=1, waiting=2, retry_after_s=10),
    "diagnosis": Budget("diagnoses", at_once=1, waiting=8, retry_after_s=10),
}
"""Limits per kind of work. Their sum is far below the descriptors and threads that remain beside
the recorder's share.
"""


def limit_of(request: Request, kind: str) -> WorkLimit:
    """Return the application's limit for one kind of work."""
    limits = cast("WorkLimits", request.app.state.work)
    return limits[kind]


async def done_for(request: Request, kind: str, work: Callable[[], Awaitable[T]]) -> T:
    """Return the result of `work`, run in its turn and cancelled if the client disconnects.

    Raises Blocked if too much work of this kind is requested.
    """
    found: list[T] = []
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:

        async def give_up_when_gone() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(give_up_when_gone)
        try:
            async with limit_of(request, kind).turn():
                found.append(await work())
        except Exception as error:  # noqa: BLE001  (raised below, outside the group)
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if not found:
        raise Blocked("The client disconnected; the request was cancelled.", code="client_gone")
    return found[0]
