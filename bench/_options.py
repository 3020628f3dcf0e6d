"""The options that every script of bench/ has."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from _report import ROUNDS, is_quick


class Parser(argparse.ArgumentParser):
    """A parser with `--rounds`, `--quick` and `--json`."""

    def __init__(self, description: str | None, *, rounds: int) -> None:
        super().__init__(description=description, allow_abbrev=False)
        self._quick: dict[str, Any] = {}
        self.add_size("rounds", rounds, quick=1, what="how often it is measured")
        self.add_argument(
            "--quick",
            action="store_true",
            help="measure little and once, in seconds: shows that the bench works, not a figure",
        )
        self.add_argument("--json", action="store_true", help="one JSON object a line")

    def add_size(self, name: str, full: float, *, quick: float, what: str) -> None:
        """Add `--NAME`, a number that decides how long the bench takes.

        It is `quick` instead of `full` with `--quick`, unless it is given.
        """
        self._quick[name.replace("-", "_")] = quick
        self.add_argument(f"--{name}", type=type(full), default=full, help=f"{what} (%(default)s)")

    def parse_args(self, args: Sequence[str] | None = None) -> argparse.Namespace:  # type: ignore[override]
        """Parse; `_report` looks for `--json` and `--quick` itself."""
        if is_quick():
            self.set_defaults(**self._quick)
        return super().parse_args(args)


def parser(description: str | None, *, rounds: int = ROUNDS) -> Parser:
    """Return a parser of the common options; scripts add their own.

    From then on SIGTERM leaves the script as Ctrl-C does, through everything it must clean up.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    return Parser(description, rounds=rounds)


def need_root(number: str) -> None:
    """Leave with status 0 where this user may not mount a file system."""
    if os.geteuid() != 0:
        print(f"{number} skipped: needs root to mount a file system of its own")
        raise SystemExit(0)
