from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from touchline import __version__
from touchline.__main__ import main
from touchline.core.errors import Failed, Refused

DEADLINE_S = 60.0
SMALL = {
    "TOUCHLINE_CAPTURE__CAMERAS__0__WIDTH": "320",
    "TOUCHLINE_CAPTURE__CAMERAS__0__HEIGHT": "180",
    "TOUCHLINE_CAPTURE__CAMERAS__1__WIDTH": "320",
    "TOUCHLINE_CAPTURE__CAMERAS__1__HEIGHT": "180",
}


def run(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "touchline", *args],
        capture_output=True,
        check=False,
        env={**os.environ, **environ},
        text=True,
        timeout=DEADLINE_S,
    )


@contextmanager
def demo(data_dir: Path, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A demo with small pictures on a free port, killed where the test has not ended it."""
    with subprocess.Popen(
        [sys.executable, "-m", "touchline", "demo", "--port", "0", "--data", str(data_dir)],
        env={**os.environ, **SMALL, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("ready http://"), process.communicate(timeout=DEADLINE_S)
            yield process, line.split()[1]
        finally:
            if process.poll() is None:
                process.kill()
            end_engines(data_dir)


def end_engines(data_dir: Path) -> None:
    """Engines outlive their server; a test leaves none behind."""
    for record in data_dir.glob("engines/*/record.json"):
        pid = (json.loads(record.read_text()).get("process") or {}).get("pid")
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def call(url: str, method: str = "GET", body: dict[str, Any] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--help"], ["serve", "demo", "check", "simulate"]),
        (["serve", "--help"], ["--host", "--port", "--data", "--config"]),
        (["demo", "--help"], ["--host", "--port", "--data", "--config", "touchline-demo"]),
        (["check", "--help"], ["--config", "--data", "--json"]),
        (["simulate", "--help"], ["rtsp-camera"]),
        (["simulate", "rtsp-camera", "--help"], ["--stall-after", "--port"]),
        (["--version"], [f"touchline {__version__}"]),
    ],
)
def test_every_command_explains_itself(
    args: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(args)
    assert left.value.code == 0
    told = capsys.readouterr().out
    assert [word for word in words if word not in told] == []


def test_help_loads_neither_the_server_nor_its_libraries() -> None:
    script = (
        "import sys\nfrom touchline.__main__ import main\n"
        "try:\n    main(['serve', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'anyio', 'fastapi', 'pydantic', 'sqlalchemy', 'uvicorn', 'gi'}\n"
        "print('loaded', sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "loaded []"


@pytest.mark.parametrize("args", [[], ["record"], ["serve", "--port", "http"], ["simulate"]])
def test_wrong_options_end_with_status_2(args: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(args)
    assert left.value.code == 2


def test_bad_settings_are_listed_and_end_with_status_2(tmp_path: Path) -> None:
    config = tmp_path / "touchline.toml"
    config.write_text("[capture]\nsegment = 10\n")
    done = run("serve", "--config", str(config), TOUCHLINE_PORT="http")
    assert done.returncode == 2
    assert "capture.segment" in done.stderr
    assert "TOUCHLINE_PORT = 'http'" in done.stderr
    assert "Traceback" not in done.stderr


def test_serving_without_cameras_ends_with_status_2_and_an_example(tmp_path: Path) -> None:
    done = run("serve", "--data", str(tmp_path), "--port", "0")
    assert done.returncode == 2
    assert "[capture.cameras.0]" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_ends_with_status_1_and_one_message(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("demo", "--data", str(tmp_path), "--port", port)
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_ends_with_status_1_where_something_needed_is_missing(tmp_path: Path) -> None:
    done = run("check", "--json", "--data", str(tmp_path), TOUCHLINE_PORT="0")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (1, False)
    assert [one["what"] for one in told["findings"] if one["state"] == "missing"] == ["cameras"]


class Group(Exception):
    """What a task group raises, on every version of Python."""

    def __init__(self, *exceptions: Exception) -> None:
        super().__init__("errors")
        self.exceptions = exceptions


def test_an_error_of_ours_is_told_even_from_within_task_groups(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise Group(Group(Refused("not now")), Failed("broken"))

    monkeypatch.setattr("touchline.__main__._check", fail)
    assert main(["check"]) == 1
    assert capsys.readouterr().err == "touchline: not now\n"


def test_a_bug_is_not_hidden_behind_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise Group(Refused("not now"), KeyError("bug"))

    monkeypatch.setattr("touchline.__main__._check", fail)
    with pytest.raises(Group):
        main(["check"])


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_signal_stops_an_idle_server_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path) as (process, url):
        assert call(f"{url}/api/v1/status")["recording"]["recording"] is False
        process.send_signal(number)
        assert process.wait(DEADLINE_S) == 0
        assert process.stderr is not None
        said = [json.loads(line)["message"] for line in process.stderr]
    assert said[-1] == "Closed"
    assert f"{number.name}: stopping. Send it again to exit immediately" in said


def fewest_frames(url: str) -> int:
    """Of the cameras of the recording, as the workers tell it."""
    cameras = call(f"{url}/api/v1/recording")["cameras"].values()
    return min(int(camera["frames"]) for camera in cameras)


def test_a_signal_finalises_the_recording_before_the_process_ends(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, url):
        assert call(f"{url}/api/v1/recording", "POST", {"match_id": "final"})["success"]
        deadline_s = time.monotonic() + DEADLINE_S
        while fewest_frames(url) < 30:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    segments = sorted((tmp_path / "recordings" / "final" / "segments").glob("*.mp4"))
    assert [path.name[:4] for path in segments] == ["cam0", "cam1"]
    for path in segments:
        probe = subprocess.run(
            ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path],
            capture_output=True,
            check=True,
            text=True,
        )
        assert float(probe.stdout) >= 0.9
        assert probe.stderr == ""


def test_a_second_signal_leaves_at_once_and_says_what_goes_on(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, url):
        workers = psutil.Process(process.pid).children()
        try:
            assert call(f"{url}/api/v1/recording", "POST", {"match_id": "final"})["success"]
            for worker in workers:
                worker.suspend()  # they do not finish their files now
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            assert any("Shutting down" in line for line in process.stderr)
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE_S) == 128 + signal.SIGTERM
            left = process.stderr.read()
        finally:
            for worker in workers:
                worker.kill()
    assert "match final is still being recorded by its camera workers" in left


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, _):
        done = run("demo", "--port", "0", "--data", str(tmp_path))
        assert done.returncode == 1
        assert (
            f"Another touchline server (process {process.pid}) is using {tmp_path}" in done.stderr
        )
        process.terminate()
        assert process.wait(DEADLINE_S) == 0
