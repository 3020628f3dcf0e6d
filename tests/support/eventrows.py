"""Rows that tests of the database write and count."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from touchline.core.database.database import Connection
from touchline.core.database.schema import events

DEADLINE_S = 10.0
COUNT = "SELECT count(*) FROM events"
ROW = {"at": "2026", "type": "t", "category": "c", "message": "m", "details": "{}", "ids": "{}"}


def put(connection: Connection) -> None:
    connection.execute(events.insert(), ROW)


def count(connection: Connection) -> int:
    return int(connection.exec_driver_sql(COUNT).scalar_one())


def sqlite(path: Path) -> str:
    return f"sqlite:///{path}"


def wait_for(hold: threading.Event, _: Connection) -> None:
    hold.wait(DEADLINE_S)


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(DEADLINE_S):
        while not condition():
            await anyio.sleep(0.02)


async def result_of(future: Any) -> Any:
    return await anyio.to_thread.run_sync(future.result, DEADLINE_S)
