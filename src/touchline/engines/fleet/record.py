"""Record of an earlier server's engines and streams, read once as soon as possible."""

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
    """Load the record until the database answers, then pass it on.

    An error is logged once.
    """
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
    """Return the refusal of decisions while an earlier server's record is unread."""
    return Blocked(
        "The database has not been read yet, so playing streams are unknown. Nothing"
        " was changed; retry later",
        code="database_unavailable",
        eta_s=5.0,
    )
