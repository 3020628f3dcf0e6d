"""Work that somebody waits for, and that is let go of when nobody does any more."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio
from fastapi import Request

from touchline.core.errors import Blocked

T = TypeVar("T")

LOOK_EVERY_S = 0.2


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returned; it is cancelled once the client has gone.

    Raises what `work` raises, and Blocked, which nobody reads, for a client that has gone.
    """
    results: list[T] = []
    failures: list[Exception] = []

    async def do() -> None:
        try:
            results.append(await work)
        except Exception as error:  # noqa: BLE001  (raised below, and not as a group)
            failures.append(error)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(do)
        while not await request.is_disconnected():  # noqa: ASYNC110  (nothing tells of it)
            await anyio.sleep(LOOK_EVERY_S)
        tasks.cancel_scope.cancel()
    if failures:
        raise failures[0]
    if not results:
        raise Blocked("The client has gone; what it ordered is kept for an equal request")
    return results[0]
