from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from touchline import engines
from touchline.engines.http.client import open_http_client


def test_there_is_one_place_where_sessions_are_made() -> None:
    """All that is bounded is bounded there."""
    folder = Path(engines.__file__).parent
    makers = [each.name for each in folder.rglob("*.py") if "ClientSession(" in each.read_text()]
    assert makers == ["answers.py"]


@pytest.mark.anyio
async def test_concurrent_first_uses_share_one_session_which_is_closed_at_the_end() -> None:
    async with open_http_client(most=7, most_a_host=2, most_bytes=100) as client:
        found: list[object] = []

        async def use() -> None:
            found.append(await client._open_session())

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(use)
        session = await client._open_session()
        assert found == [session] * 5
        assert session.connector is not None
        assert (session.connector.limit, session.connector.limit_per_host) == (7, 2)
    assert session.closed


@pytest.mark.anyio
async def test_a_client_that_nobody_used_opens_nothing() -> None:
    async with open_http_client(most=1, most_a_host=1, most_bytes=1) as client:
        pass
    assert client._session is None
