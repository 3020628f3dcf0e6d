"""Every bench of bench/ starts, and prints figures when it measures little (`--quick`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
NAMES = sorted(path.stem for path in BENCH.glob("[a-z]*.py"))


def run(name: str, *options: str, within_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / f"{name}.py"), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )


def test_there_are_benches() -> None:
    assert "c01_power_cut" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_bench_starts_and_knows_its_options(name: str) -> None:
    done = run(name, "--help", within_s=60)

    assert done.returncode == 0, done.stderr
    assert {"--quick", "--rounds", "--json"} <= set(done.stdout.replace("]", " ").split())
