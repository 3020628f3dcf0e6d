"""The program `python -m touchline.studio VERB`: run one job, then exit.

The job's specification is one JSON object on standard input. The output is JSON lines: `progress`,
then one `result` or `failed`. It runs at the lowest priority, stops on SIGTERM at the next safe
moment, and ends together with the process that started it, however that ends.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

from touchline.ipc.stderrlog import open_log
from touchline.studio.errors import StudioError
from touchline.studio.verbs import load_verb

DONE, FAILED, STOPPED = 0, 1, 75
_PR_SET_PDEATHSIG = 1
_LOWEST_PRIORITY = 19
_HURRIED_PRIORITY = 10

log = logging.getLogger("touchline.studio")


def main() -> int:
    """Run the job on standard input; return 0 for success, 1 for failed, 75 for stopped."""
    parser = argparse.ArgumentParser(prog="touchline.studio", description=__doc__)
    parser.add_argument("verb", help="module of touchline.studio.verbs")
    parser.add_argument("--parent", type=int, required=True, help="process id of the parent")
    parser.add_argument(
        "--hurry", action="store_true", help="write messages for an interactive caller"
    )
    arguments = parser.parse_args()
    open_log("studio")
    logging.getLogger("touchline").addHandler(_ProgressHandler())
    _exit_with(arguments.parent)
    _lower_priority(hurry=arguments.hurry)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    spec = json.load(sys.stdin)
    try:
        run = load_verb(arguments.verb)
        result = run(spec, _report_progress, stopping)
    except StudioError as error:
        _print_event("failed", code=error.code, message=error.message, advice=error.advice)
        return STOPPED if error.code == "stopped" else FAILED
    except Exception as error:
        log.exception("%s failed", arguments.verb)
        _print_event(
            "failed", code="internal", message=f"{type(error).__name__}: {error}", advice=""
        )
        return FAILED
    _print_event("result", result=result)
    return DONE


def _report_progress(progress: Mapping[str, Any]) -> None:
    _print_event("progress", **progress)


class _ProgressHandler(logging.Handler):
    """Handler that reports log messages as progress: they become the log tail of the job."""

    def emit(self, record: logging.LogRecord) -> None:
        """Report one line."""
        _print_event("progress", text=record.getMessage())


def _print_event(event: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def _exit_with(parent: int) -> None:
    """Exit together with the parent, even if it is killed or this is stopped (Linux, prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent has ended already
        sys.exit(FAILED)


def _lower_priority(*, hurry: bool) -> None:
    """Lower the priority below recording processes; without a waiting user, below all others."""
    if hurry:
        os.nice(_HURRIED_PRIORITY)
        return
    os.nice(_LOWEST_PRIORITY)
    with contextlib.suppress(OSError):  # containers may forbid it; nice is sufficient then
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


if __name__ == "__main__":
    sys.exit(main())
