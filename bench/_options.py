"""The options that every script of bench/ has."""

from __future__ import annotations

import argparse
import os
import signal
import sys

from _report import ROUNDS


def parser(description: str | None, *, rounds: int = ROUNDS) -> argparse.ArgumentParser:
    """A parser with `--rounds` and `--json` (which `_report` reads); scripts add their own.

    From then on SIGTERM leaves the script as Ctrl-C does, through everything it must clean up.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    made = argparse.ArgumentParser(description=description)
    made.add_argument(
        "--rounds", type=int, default=rounds, help="how often it is measured (%(default)s)"
    )
    made.add_argument("--json", action="store_true", help="one JSON object a line")
    return made


def need_root(number: str) -> None:
    """Leave with status 0 where this user may not mount a file system."""
    if os.geteuid() != 0:
        print(f"{number} skipped: needs root to mount a file system of its own")
        raise SystemExit(0)
