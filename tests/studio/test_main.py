from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WITHIN_S = 120.0


def command(verb: str, *, parent: int | None = None) -> list[str]:
    program = [sys.executable, "-m", "touchline.studio", verb]
    return [*program, "--parent", str(os.getpid() if parent is None else parent)]


def run(verb: str, spec: dict[str, Any], **options: Any) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        command(verb, **options),
        input=json.dumps(spec),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_what_a_verb_refuses_is_told_with_its_code_and_advice(tmp_path: Path) -> None:
    status, said = run("sprites", {"folder": str(tmp_path)})
    assert status == 1
    assert (said[-1]["event"], said[-1]["code"]) == ("failed", "no_footage")
    assert said[-1].keys() == {"event", "code", "message", "advice"}


@pytest.mark.parametrize(
    ("verb", "spec"), [("tidy-up", {}), ("__main__", {}), ("sprites", {"matches": 1})]
)
def test_an_order_that_nobody_can_carry_out_is_an_internal_error(
    verb: str, spec: dict[str, Any]
) -> None:
    status, said = run(verb, spec)
    assert status == 1
    assert [(each["event"], each["code"]) for each in said if each["event"] != "progress"] == [
        ("failed", "internal")
    ]


def test_it_ends_if_its_server_is_gone_before_it_began() -> None:
    status, said = run("sprites", {"folder": "/nowhere"}, parent=1 << 22)
    assert (status, said) == (1, [])


def test_it_stops_at_the_next_safe_moment_and_says_so(tmp_path: Path) -> None:
    spec = {"directory": str(tmp_path), "name": "pair", "files": [], "wait_s": 60}
    pipe = subprocess.PIPE
    with subprocess.Popen(command("capture"), stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(spec))
        process.stdin.close()
        assert json.loads(process.stdout.readline()) == {"event": "progress", "listening": True}
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
        process.send_signal(signal.SIGINT)  # Ctrl+C is for the server, which stops it itself
        process.send_signal(signal.SIGTERM)
        said = json.loads(process.stdout.read().splitlines()[-1])
        assert process.wait(WITHIN_S) == 1
    assert (said["event"], said["code"]) == ("failed", "no_pair")
