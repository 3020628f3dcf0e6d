"""E14: one pass of the reconciler over 1,000 and 10,000 engines: looking and planning."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import _options
from _report import Row, median, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.half import idle_half, settings_for
from touchline.engines.fleet.adoption import external_engine
from touchline.engines.model.clock import Clock

GOALS_MS = {1_000: 2.5, 10_000: 25.0, 100_000: 250.0}


def main() -> None:
    parser = _options.parser(__doc__, rounds=7)
    parser.add_size("most", max(GOALS_MS), quick=min(GOALS_MS), what="engines at the most")
    options = parser.parse_args()
    rows = []
    for number, goal_ms in GOALS_MS.items():
        if number > options.most:
            continue
        settings = settings_for(
            scaling={"max_replicas": 10_000, "min_replicas": min(number, 10_000)}
        )
        rig = idle_half(settings)
        clock = Clock()
        fleet = rig.front.fleet
        fleet.freshness.listed(clock.now_s())
        for n in range(number):
            engine = external_engine(
                f"{n:064x}", "127.0.0.1", 1 + n, {}, now=clock.now(), now_s=clock.now_s()
            )

            fleet.put(replace(engine, external=False, health="healthy", name=f"acestream-{n}"))
        taken_ms, actions = [], 0
        for _ in range(options.rounds):
            began_s = time.process_time()
            actions = len(rig.half.parts.control.reconciler.once().actions)
            taken_ms.append((time.process_time() - began_s) * 1e3)
        rows.append(
            Row(
                "E14",
                f"one pass over {number:,} engines, CPU",
                f"{median(taken_ms):.1f} ms, {actions} actions",
                f"≤ {goal_ms:g} ms, 0 actions once converged",
                median(taken_ms) <= goal_ms and actions == 0,
            )
        )
    report(rows)


if __name__ == "__main__":
    main()
