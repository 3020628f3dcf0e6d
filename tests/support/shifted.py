"""Run touchline with another wall clock and boot: `shifted.py FACTS serve …`.

FACTS is a JSON file with `shift_s` and `boot_id`; it is read at every look at the clock, so that a
test can set the clock while the server runs. Monotonic time is the real one.
"""

from __future__ import annotations

import json
import runpy
import sys
import time
from pathlib import Path

facts = Path(sys.argv[1])
real_time, real_time_ns = time.time, time.time_ns


def shift_s() -> float:
    return float(json.loads(facts.read_text())["shift_s"])


time.time = lambda: real_time() + shift_s()
time.time_ns = lambda: real_time_ns() + int(shift_s() * 1e9)

from touchline.core import wallclock  # noqa: E402

wallclock.boot_id = lambda: str(json.loads(facts.read_text())["boot_id"])
sys.argv = ["touchline", *sys.argv[2:]]
runpy.run_module("touchline", run_name="__main__")
