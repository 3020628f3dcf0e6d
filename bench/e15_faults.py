"""E15: fault schedules after which all must have come right: in memory, and on a real daemon.

In memory a schedule is forty steps of a server's life, with a daemon whose clock differs, slow
starts, clients that give up and ask again, and containers of somebody else's with our names and
ports. On a real daemon it is one fault after the other at a real server. It is told to forget
earlier failures before each schedule, because engines that fail again and again are replaced ever
more rarely.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import _options
from _report import Row, report

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))

IN_MEMORY, ON_A_DAEMON, FAULTS_EACH = 2000, 60, 2


def lived(seed: int) -> list[str]:
    """What did not hold after this schedule."""
    from support.explorer import Life

    logging.disable(logging.CRITICAL)
    return [f"seed {seed}: {each}" for each in Life(seed).run()]


def in_memory(number: int) -> list[str]:
    """What did not hold in any of so many schedules."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return [each for found in pool.map(lived, range(number), chunksize=10) for each in found]


def on_a_daemon(number: int) -> list[str]:
    """What did not come right on a daemon of this bench's own."""
    from support.docker import private_daemon
    from support.enginefaults import ENV, FAULTS, Rig
    from support.engineserver import engine_server

    found = []
    with (
        tempfile.TemporaryDirectory(prefix="tlb-") as name,
        private_daemon(live_restore=True) as daemon,
        engine_server(Path(name), docker=daemon, env=ENV) as server,
    ):
        rig = Rig(server, daemon)
        rig.at_rest()
        for seed in range(number):
            chosen = random.Random(seed).sample(FAULTS, FAULTS_EACH)
            try:
                rig.forget()
                for fault in chosen:
                    fault(rig)
                rig.at_rest()
            except Exception as error:  # noqa: BLE001  (whatever it is, the next one is tried)
                names = " and ".join(each.__name__ for each in chosen)
                said = (str(error) or type(error).__name__).splitlines()[0]
                found.append(f"seed {seed}, {names}: {said}")
                print(error, file=sys.stderr)
    return found


def main() -> None:
    parser = _options.parser(__doc__, rounds=1)
    parser.add_size("schedules", IN_MEMORY, quick=10, what="schedules in memory")
    parser.add_size("real", ON_A_DAEMON, quick=0, what="schedules on a real daemon; needs root")
    options = parser.parse_args()
    rows = []
    for what, number, goal, run in (
        ("in memory", options.schedules, IN_MEMORY, in_memory),
        ("on a real daemon", options.real, ON_A_DAEMON, on_a_daemon),
    ):
        if not number:
            continue
        found = run(number)
        for each in found:
            print(each, file=sys.stderr)
        rows.append(
            Row(
                "E15",
                f"fault schedules {what} after which the fleet is correct",
                f"{number - len({each.partition(':')[0] for each in found}):,} of {number:,}",
                f"{goal:,}, all of them",
                not found and number >= goal,
            )
        )
    report(rows)


if __name__ == "__main__":
    main()
