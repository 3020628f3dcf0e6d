import os
from pathlib import Path

import pytest

from touchline.capture.logs import catalogue
from touchline.capture.logs.catalogue import LOG_TYPES, Logs
from touchline.core.errors import Failed, Invalid, NotFound

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("log_type", "name"),
    [("health", "health_monitor.log"), ("alerts", "alerts.log"), ("watchdog", "watchdog.log")],
)
async def test_each_type_has_its_file_and_lines_come_oldest_first(
    tmp_path: Path, log_type: str, name: str
) -> None:
    (tmp_path / name).write_text("".join(f"  line {n} \n" for n in range(10)))
    assert await Logs(tmp_path).tail(log_type, 2) == {
        "log_type": log_type,
        "lines": ["line 8", "line 9"],
        "total_lines": 2,
    }
    assert log_type in LOG_TYPES


async def test_a_log_that_was_never_written_has_no_total(tmp_path: Path) -> None:
    assert await Logs(tmp_path / "nowhere").tail("health", 100) == {
        "log_type": "health",
        "lines": [],
        "message": "Log file does not exist yet",
    }


async def test_an_empty_log_is_no_missing_one(tmp_path: Path) -> None:
    (tmp_path / "watchdog.log").touch()
    answer = await Logs(tmp_path).tail("watchdog", 100)
    assert (answer["lines"], answer["total_lines"]) == ([], 0)


@pytest.mark.parametrize("log_type", ["", "Health", "../alerts", "error", "health_monitor.log"])
async def test_any_other_type_is_refused_in_the_contract_s_words(
    tmp_path: Path, log_type: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await Logs(tmp_path).tail(log_type, 100)
    assert refused.value.message == "Unknown log type. Available: health, alerts, watchdog"


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (-5, 1), (10**9, 5000)])
async def test_a_count_out_of_bounds_is_the_nearest_one(
    tmp_path: Path, asked: int, given: int
) -> None:
    (tmp_path / "alerts.log").write_text("x\n" * 6000)
    assert (await Logs(tmp_path).tail("alerts", asked))["total_lines"] == given


async def test_bad_bytes_are_shown_escaped(tmp_path: Path) -> None:
    (tmp_path / "alerts.log").write_bytes(b"caf\xe9\n")
    assert (await Logs(tmp_path).tail("alerts", 5))["lines"] == ["caf\\xe9"]


async def test_an_answer_is_bounded_in_bytes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "MOST_BYTES", 1000)
    (tmp_path / "alerts.log").write_text(f"{'x' * 99}\n" * 50)
    assert (await Logs(tmp_path).tail("alerts", 5000))["total_lines"] == 9


FILES = [
    "alerts.log",
    "cam0.log",
    "cam12.log",
    "error.log",
    "health_monitor.log",
    "live.log",
    "studio.log",
    "touchline.log",
    "watchdog.log",
]


async def test_every_log_file_is_listed_and_nothing_else(tmp_path: Path) -> None:
    for name in [*FILES, "key.log", "cam0.log.1", "cam0.log.2", "cam.log", "xcam0.log", "cam0.txt"]:
        (tmp_path / name).write_text("one\n")
    (tmp_path / "cam1.log").symlink_to(tmp_path / "key.log")
    (tmp_path / "cam2.log").mkdir()
    os.mkfifo(tmp_path / "cam3.log")
    found = (await Logs(tmp_path).files())["files"]
    assert [each["name"] for each in found] == FILES
    assert {each["name"]: each["rotated"] for each in found if each["rotated"]} == {"cam0.log": 2}
    assert {each["size_bytes"] for each in found} == {4}
    assert found[0]["modified"] == (tmp_path / "alerts.log").stat().st_mtime
    assert (await Logs(tmp_path / "nowhere").files()) == {"files": []}


async def test_a_log_file_is_read_through_its_older_ones_and_keeps_its_indentation(
    tmp_path: Path,
) -> None:
    (tmp_path / "cam0.log.1").write_text("one\n")
    (tmp_path / "cam0.log").write_text("Traceback:\n  File x \n")
    assert await Logs(tmp_path).tail_file("cam0.log", 5) == {
        "name": "cam0.log",
        "lines": ["one", "Traceback:", "  File x"],
        "total_lines": 3,
    }
    assert (await Logs(tmp_path).tail_file("cam0.log", -1))["lines"] == ["  File x"]


@pytest.mark.parametrize(
    "name", ["", "key.log", "../cam0.log", "logs/cam0.log", "cam0.log\n", "cam0.log.1", "cam1.log"]
)
async def test_no_other_file_is_read(tmp_path: Path, name: str) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for each in ("cam0.log", "logs/key.log", "logs/cam0.log", "logs/cam0.log.1"):
        (tmp_path / each).write_text("secret\n")
    (logs / "cam1.log").symlink_to(logs / "key.log")
    with pytest.raises(NotFound) as refused:
        await Logs(logs).tail_file(name, 5)
    assert refused.value.code == "log_file_not_found"


async def test_a_log_that_cannot_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _most: int) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(catalogue, "_tail", refuse)
    with pytest.raises(Failed, match=r"alerts\.log cannot be read: Permission denied"):
        await Logs(tmp_path).tail("alerts", 5)
