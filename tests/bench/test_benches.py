"""Every bench of bench/ starts, and prints figures when it measures little (`--quick`)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
NAMES = sorted(path.stem for path in BENCH.glob("[a-z]*.py"))

QUICK = {
    "c06_damage",
    "c16_pairing",
    "c19_library",
    "c19_status",
    "e06_process_starts",
    "e11_events",
    "e14_plan",
    "e15_faults",
}
"""Those that take some seconds at most. All others run with `scripts/test --all`."""

MEASURED = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow, id=name) for name in NAMES
]
NUMBER = re.compile(r"^[ce](\d+)_")


def run(name: str, *options: str, within_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / f"{name}.py"), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )


def head() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=BENCH, capture_output=True, check=False
    )
    return done.stdout.decode().strip() if done.returncode == 0 else "unknown"


def test_the_quick_ones_are_there() -> None:
    assert set(NAMES) >= QUICK


@pytest.fixture(scope="module")
def helps() -> dict[str, tuple[int, str, str]]:
    """Exit status, output and errors of each bench that is asked for its options.

    One process asks them all: what they import is most of the time that takes.
    """
    done = subprocess.run(
        [sys.executable, "-c", ASK_ALL, str(BENCH), *NAMES],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: tuple(told) for name, told in json.loads(done.stdout).items()}


ASK_ALL = """
import contextlib, io, json, runpy, sys, traceback
from pathlib import Path

bench, told = Path(sys.argv[1]), {}
sys.path.insert(0, str(bench))
for name in sys.argv[2:]:
    out, err, status = io.StringIO(), io.StringIO(), 0
    sys.argv = [name, "--help"]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(str(bench / f"{name}.py"), run_name="__main__")
        except SystemExit as end:
            status = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
            status = 1
    told[name] = (status, out.getvalue(), err.getvalue())
print(json.dumps(told))
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_bench_starts_and_knows_its_options(
    helps: dict[str, tuple[int, str, str]], name: str
) -> None:
    status, out, err = helps[name]

    assert status == 0, err
    assert {"--quick", "--rounds", "--json"} <= set(re.split(r"[^-\w]+", out))


@pytest.mark.parametrize("name", MEASURED)
def test_a_bench_measures_and_prints_figures(name: str) -> None:
    done = run(name, "--quick", "--json", within_s=600)

    assert done.returncode == 0, done.stdout + done.stderr
    if "skipped" in done.stdout:
        pytest.skip(done.stdout.strip())
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert rows, done.stdout + done.stderr
    for row in rows:
        assert row["what"]
        assert re.search(r"\d|yes|NO", row["figure"]), row
        assert row["quick"], row
        assert row["commit"].removesuffix(", with changes") == head()
    number = NUMBER.match(name)
    if number is not None:
        told = {row["number"].partition("/")[0] for row in rows}
        assert f"{name[0].upper()}{int(number[1])}" in told | {r["number"] for r in rows}


def test_figures_are_told_with_the_commit_that_was_measured() -> None:
    done = run("e14_plan", "--quick", within_s=120)

    assert f"\nMeasured on commit {head()}" in done.stdout
    assert "its figures say nothing" in done.stdout
