"""Record of an earlier server's engines and streams, read once as soon as possible."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable

from touchline.backoff import RetryPauses
from touchline.core.errors import Blocked, Failed
from touchline.core.tasks import keep_trying
from touchline.engines.fleet.rows import Loaded

log = logging.getLogger(__name__)

RETRY_S = 1.0

Load = Callable[[], Awaitable[Loaded]]


async def read_record(load: Load, take_up: Callable[[Loaded], None]) -> None:
    """Load the record, retrying until the database answers, and pass it on.

    An error is logged once.
    """
    logged: str | None = None

    left: list[Loaded] = []

    async def work() -> None:
        left.append(await load())

    def report(_name: str, error: Exception, _failures: int, _pause_s: float) -> None:
        nonlocal logged
        if str(error) != logged:
            logged = str(error)
            log.warning(
                "The state of engines and streams left by an earlier server cannot be read"
                " yet, so no engine is removed or replaced: %s",
                logged,
            )

    pauses = RetryPauses(RETRY_S, RETRY_S, stable_s=math.inf)
    await keep_trying("engine record", work, pauses=pauses, retries=Failed, report=report)
    take_up(left[0])


def record_unread() -> Blocked:
    """Return the refusal used while an earlier server's record is unread."""
    return Blocked(
        "The database has not been read yet, so playing streams are unknown. Nothing"
        " was changed; retry later",
        code="database_unavailable",
        eta_s=5.0,
    )
