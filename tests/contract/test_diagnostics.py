"""Logs and correlations, as the contract has them."""

from __future__ import annotations

import pytest

from support.fakesystem import FakeSystem
from support.serving import API, client_of

pytestmark = pytest.mark.anyio


async def test_the_end_of_a_log_is_given_in_its_lines(system: FakeSystem) -> None:
    folder = system.settings.data_dir / "logs"
    folder.mkdir()
    (folder / "watchdog.log").write_text("one\ntwo\nthree\n")
    async with client_of(system) as client:
        response = await client.get(f"{API}/logs/watchdog?lines=2")
        missing = await client.get(f"{API}/logs/alerts")
    assert response.json() == {"log_type": "watchdog", "lines": ["two", "three"], "total_lines": 2}
    assert missing.json() == {
        "log_type": "alerts",
        "lines": [],
        "message": "Log file does not exist yet",
    }


async def test_an_unknown_log_is_400_in_the_contract_s_words(system: FakeSystem) -> None:
    async with client_of(system) as client:
        response = await client.get(f"{API}/logs/error")
    assert response.status_code == 400
    assert response.json() == {"detail": "Unknown log type. Available: health, alerts, watchdog"}


@pytest.mark.parametrize("log", ["logs/health", "log-files/cam0.log"])
@pytest.mark.parametrize("lines", ["0", "-1", "5001", "many", "1.5"])
async def test_a_count_of_lines_out_of_bounds_is_422(
    system: FakeSystem, log: str, lines: str
) -> None:
    async with client_of(system) as client:
        response = await client.get(f"{API}/{log}?lines={lines}")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", "lines"]


async def test_log_files_are_listed_and_read_and_nothing_else_is(system: FakeSystem) -> None:
    folder = system.settings.data_dir / "logs"
    folder.mkdir()
    (folder / "cam0.log").write_text("one\n  two\n")
    (folder / "key.log").write_text("secret\n")
    (system.settings.data_dir / "cam1.log").write_text("elsewhere\n")
    async with client_of(system) as client:
        listed = (await client.get(f"{API}/log-files")).json()["files"]
        response = await client.get(f"{API}/log-files/cam0.log?lines=1")
        others = ["key.log", "cam1.log", "cam0.log.1", "..%2Fcam1.log", "cam0", "%2e%2e"]
        missing = [await client.get(f"{API}/log-files/{name}") for name in others]
    assert [each["name"] for each in listed] == ["cam0.log"]
    assert response.json() == {"name": "cam0.log", "lines": ["  two"], "total_lines": 1}
    assert {each.status_code for each in missing} == {404}
    assert missing[0].json()["code"] == "log_file_not_found"


async def test_parameters_of_correlations_are_clamped_and_only_non_integers_refused(
    system: FakeSystem,
) -> None:
    path = f"{API}/diagnostics/recording-correlations"
    async with client_of(system) as client:
        low = await client.get(f"{path}?lookback_minutes=-5&max_lines=0")
        high = await client.get(f"{path}?max_lines=99999999&correlation_window_seconds=999999")
        refused = await client.get(f"{path}?lookback_minutes=soon")
    assert (low.json()["lookback_minutes"], low.json()["max_lines_scanned"]) == (1, 200)
    assert high.json()["max_lines_scanned"] == 50_000
    assert high.json()["correlation_window_seconds"] == 3600
    assert refused.status_code == 422
