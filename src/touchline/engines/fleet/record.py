"""What an earlier server left of engines and streams: read once, however late that is."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio

from touchline.core.errors import Blocked, Failed
from touchline.engines.fleet.rows import Loaded

log = logging.getLogger(__name__)

RETRY_S = 1.0

Load = Callable[[], Awaitable[Loaded]]


async def read_record(load: Load, take_up: Callable[[Loaded], None]) -> None:
    """Load until the database answers, then hand over what it had. An error is logged once."""
    told: str | None = None
    while True:
        try:
            left = await load()
        except Failed as error:
            if error.message != told:
                told = error.message
                log.warning(
                    "The state of engines and streams left by an earlier server cannot be read"
                    " yet, so no engine is removed or replaced: %s",
                    told,
                )
            await anyio.sleep(RETRY_S)
        else:
            take_up(left)
            return


def record_unread() -> Blocked:
    """Why nothing is decided about engines and streams of an earlier server now."""
    return Blocked(
        "The database has not been read yet, so playing streams are unknown. Nothing"
        " was changed; retry later",
        code="database_unavailable",
        eta_s=5.0,
    )
