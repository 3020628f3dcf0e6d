"""Engine defaults of `touchline demo`: simulated engines, as processes of this machine."""

from __future__ import annotations

import sys
from typing import Any


def demo_engines() -> dict[str, Any]:
    """Return settings under `engines`, overridden by the user's."""
    return {
        "runtime": {
            "kind": "process",
            "command": [sys.executable, "-m", "touchline.sim.engine"],
        },
        # The demo stops only its own engines at the end, also if they are containers.
        "label": "touchline.demo=engines",
        "scaling": {
            "min_replicas": 2,
            "min_free_replicas": 1,
            "max_replicas": 10,
            "stop_at_end": True,
        },
    }
