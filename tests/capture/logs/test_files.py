"""The log files of the half."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from touchline.capture.logs.catalogue import HEALTH_FILE, LOG_TYPES, WATCHDOG_FILE
from touchline.capture.logs.files import open_log_files


class NoEvents:
    def record(self, *told: Any, **details: Any) -> None:
        del told, details


@pytest.mark.anyio
async def test_what_is_written_is_read_at_once_and_in_its_file_at_the_end(tmp_path: Path) -> None:
    async with open_log_files(tmp_path, cast("Any", NoEvents())) as logs:
        logs.watchdog.write(b"cam0: started\n")
        logs.health.write(b"healthy\n")
        read = {kind: logs.catalogue.newest(kind)["lines"] for kind in LOG_TYPES}
    assert read == {"watchdog": ["cam0: started"], "health": ["healthy"], "alerts": []}
    assert (tmp_path / WATCHDOG_FILE).read_text() == "cam0: started\n"
    assert (tmp_path / HEALTH_FILE).read_text() == "healthy\n"
