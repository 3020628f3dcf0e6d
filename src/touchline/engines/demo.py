"""What `touchline demo` presumes about engines: simulated ones, as processes of this machine."""

from __future__ import annotations

import sys
from typing import Any


def demo_engines() -> dict[str, Any]:
    """Settings under `engines`, below whatever the user said."""
    return {
        "runtime": {
            "kind": "process",
            "command": [sys.executable, "-m", "touchline.sim.engine"],
        },
        # With containers, too, the demo stops its own at the end and nobody else's.
        "label": "touchline.demo=engines",
        "scaling": {
            "min_replicas": 2,
            "min_free_replicas": 1,
            "max_replicas": 10,
            "stop_at_end": True,
        },
    }
