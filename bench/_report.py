"""How every script of bench/ measures and tells: interleaved rounds, medians, one row a figure."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """One figure beside its goal, and beside what others need for the same in the same run."""

    number: str
    what: str
    figure: str
    goal: str
    met: bool
    peer: str = ""
    ratio: str = ""


def interleaved(
    measures: Mapping[str, Callable[[], float]], *, rounds: int = ROUNDS
) -> dict[str, list[float]]:
    """Take every measure once a round, so that a noisy moment hits all of them alike."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return taken


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(len(ordered) * percent / 100 + 0.5) - 1))]


def times(ours: float, peer: float) -> str:
    """How many times the peer needs what we need, or we what the peer needs."""
    if ours <= peer:
        return f"{peer / ours:.3g}x better"
    return f"{ours / peer:.3g}x worse"


def commit() -> str:
    """Name the commit that is measured, with a mark when files differ from it."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=here, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    name = git("rev-parse", "--short", "HEAD") or "unknown"
    return f"{name}, with changes" if git("status", "--porcelain") else name


def is_quick() -> bool:
    """Tell whether this run only shows that the bench works, maybe on a machine that is busy."""
    return "--quick" in sys.argv[1:]


def report(rows: Iterable[Row]) -> None:
    """Print the rows as Markdown, or one JSON object a line with `--json`."""
    measured_on, quick = commit(), is_quick()
    if "--json" in sys.argv[1:]:
        for row in rows:
            told = {**asdict(row), "commit": measured_on, "quick": quick}
            print(json.dumps(told, ensure_ascii=False))
        return
    print("| # | what | figure | goal | met | beside | ratio |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        met = "yes" if row.met else "NO"
        cells = (row.number, row.what, row.figure, row.goal, met, row.peer, row.ratio)
        print(f"| {' | '.join(cells)} |")
    print(f"\nMeasured on commit {measured_on}.")
    if quick:
        print("This was `--quick`: it shows that the bench works; its figures say nothing.")
