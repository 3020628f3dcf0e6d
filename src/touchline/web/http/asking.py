"""Work on behalf of a client, cancelled when the client disconnects."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
from fastapi import Request

from touchline.core.errors import Blocked

T = TypeVar("T")

LOOKS = 8
"""Iterations of the event loop before work begins.

A client that disconnects and retries does both within microseconds. A busy server sees both at
once, and needs a few iterations to cancel what the earlier request was waiting for.
"""


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, cancelled as soon as the client disconnects.

    Work is not started for a client that has already disconnected. Call this after the whole body
    has been read. Raises what `work` raises, and Blocked if the client has disconnected.
    """
    results: list[T] = []
    failures: list[Exception] = []

    async def cancel_when_gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        tasks.cancel_scope.cancel()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel_when_gone)
            for _ in range(LOOKS):
                await anyio.lowlevel.checkpoint()
            try:
                results.append(await work)
            except Exception as error:  # noqa: BLE001  (raised below, outside the group)
                failures.append(error)
            tasks.cancel_scope.cancel()
    finally:
        work.close()  # it may not have begun
    if failures:
        raise failures[0]
    if not results:
        raise Blocked("The client disconnected; the result is kept for an identical request")
    return results[0]
