"""Threads that report the error that ended them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)


def watched(
    target: Callable[..., None],
    *args: Any,
    name: str,
    died: Callable[[BaseException], None],
) -> threading.Thread:
    """Create a thread without starting it; `died` is called on it with the error that ended it."""

    def run() -> None:
        try:
            target(*args)
        except BaseException as error:
            log.exception("the thread %s died", name)
            died(error)

    return threading.Thread(target=run, name=name, daemon=True)
