"""The dashboard: what its first load weighs, how soon it can be used, and whether it leaks.

The demo is served, with live pictures. For ten minutes (`--minutes`) three pages stay open while
the server tells each of them something at least sixty times a minute. What grows by itself in the
meantime is machine code, as functions that run once a second are compiled one after the other; so
it is measured in a browser that compiles none.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import _options
import _processes
from _browser import browser
from _report import Row, median, report
from playwright.sync_api import Browser, CDPSession, Page

MOST_SCRIPT_BYTES = 150_000
USABLE_MS = 600.0
MOST_GROWTH_BYTES_A_MINUTE = 50_000
PAGES = ("/", "/engines", "/system")
_SETTLED_MINUTES = 2
_NO_MACHINE_CODE = "--js-flags=--jitless"
_USABLE = """() => {
    const button = [...document.querySelectorAll("button")].find((b) =>
        b.textContent.includes("Start recording"));
    return button && !button.disabled;
}"""


@contextmanager
def demo(work: Path) -> Iterator[str]:
    """The address of a running demo."""
    process = subprocess.Popen(
        [sys.executable, "-m", "touchline", "demo", "--port", "0", "--data", str(work)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={k: v for k, v in os.environ.items() if not k.startswith("TOUCHLINE_")},
    )
    try:
        yield _processes.first_line(process).removeprefix("ready ").strip()
    finally:
        _processes.end(process)
        for record in work.glob("engines/*/record.json"):  # engines outlive their server
            pid = (json.loads(record.read_text()).get("process") or {}).get("pid")
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def first_load(running: Browser, url: str) -> tuple[float, int]:
    """Milliseconds until a recording could be started, and bytes of script that took."""
    context = running.new_context()
    page = context.new_page()
    scripts: list[int] = []
    page.on(
        "response",
        lambda r: scripts.append(int(r.headers["content-length"])) if ".js" in r.url else None,
    )
    began_s = time.monotonic()
    page.goto(f"{url}/", wait_until="commit")
    page.wait_for_function(_USABLE, polling=10)
    took_ms = (time.monotonic() - began_s) * 1000
    size = sum(scripts)
    context.close()
    return took_ms, size


class Watched:
    """An open page whose memory is looked at."""

    def __init__(self, page: Page, path: str) -> None:
        self.path = path
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._updates = 0
        page.on("websocket", lambda socket: socket.on("framereceived", lambda _: self._count()))
        self.heaps: list[float] = []
        self.nodes: list[int] = []

    def _count(self) -> None:
        self._updates += 1

    def look(self) -> None:
        """Take down what is left once everything that can be is let go."""
        for _ in range(2):
            self._cdp.send("HeapProfiler.collectGarbage")
        self.heaps.append(self._cdp.send("Runtime.getHeapUsage")["usedSize"])
        self.nodes.append(self._cdp.send("Memory.getDOMCounters")["nodes"])

    def row(self, minutes: int, look_s: float) -> Row:
        """How it went."""
        growth = slope(self.heaps[_SETTLED_MINUTES:])
        updates = self._updates / (minutes * look_s / 60)
        return Row(
            "dashboard",
            f"page {self.path}: heap a minute, {minutes} minutes with {updates:.0f} updates each",
            f"{growth / 1000:+.1f} kB (of {self.heaps[-1] / 1e6:.1f} MB;"
            f" {self.nodes[_SETTLED_MINUTES]} to {self.nodes[-1]} nodes)",
            "≤ 50 kB, ≥ 60 updates",
            growth <= MOST_GROWTH_BYTES_A_MINUTE and updates >= 60,
        )


def slope(values: Sequence[float]) -> float:
    """From one value to the next, as most pairs of them say (the Theil-Sen estimator).

    A look that falls into a rendering sees a third of a megabyte more, which is gone at the next.
    """
    pairs = itertools.combinations(enumerate(values), 2)
    return median((later - sooner) / (j - i) for (i, sooner), (j, later) in pairs)


def stays_open(running: Browser, url: str, minutes: int, look_s: float) -> list[Row]:
    """Leave the pages open, and look at them once a minute (`look_s`)."""
    watched = []
    for path in PAGES:
        page = running.new_context().new_page()
        watched.append(Watched(page, path))
        page.goto(f"{url}/#{path}")
    for minute in range(minutes + 1):
        if minute:
            page.wait_for_timeout(1000 * look_s)
        for each in watched:
            each.look()
    return [each.row(minutes, look_s) for each in watched]


def main() -> None:
    parser = _options.parser(__doc__)
    parser.add_size("minutes", 10, quick=3, what="how long")
    parser.add_size("minute-s", 60.0, quick=1.0, what="seconds of such a minute")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work, demo(Path(work)) as url:
        with browser() as running:
            first_load(running, url)  # the browser itself warms up
            loads = [first_load(running, url) for _ in range(options.rounds)]
        took_ms, size = median(ms for ms, _ in loads), max(size for _, size in loads)
        rows = [
            Row(
                "dashboard",
                "JavaScript of the first load, compressed",
                f"{size / 1000:.0f} kB",
                "≤ 150 kB",
                size <= MOST_SCRIPT_BYTES,
            ),
            Row(
                "dashboard",
                "from an empty tab to a recording that could be started",
                f"{took_ms:.0f} ms",
                "≤ 600 ms",
                took_ms <= USABLE_MS,
            ),
        ]
        with browser(_NO_MACHINE_CODE) as running:
            rows += stays_open(running, url, options.minutes, options.minute_s)
    report(rows)


if __name__ == "__main__":
    main()
