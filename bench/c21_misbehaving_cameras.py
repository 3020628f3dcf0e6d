"""C21: cameras that misbehave as public reports describe are recorded, and their frames counted.

Each camera keeps a ledger of what it delivered. Every frame that it delivered whole, with all that
it refers to, from the first keyframe after the start's answer to the stop, must be decodable and
undamaged in the files. Where nothing can be recorded, the recorder must survive in bounded memory.
"""

from __future__ import annotations

import http.client
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import _cameras
import _options
import psutil  # type: ignore[import-untyped]
from _misbehaviours import BEHAVIOURS, Behaviour
from _processes import NotInTime, wait_for
from _report import Row, report
from _server import Refused, Server

from touchline.sim.footage import DecodedPicture, pictures
from touchline.sim.rtsp.ledger import Entry, decodable

MATCH = "match"
RATES = (30, 12, 50)
BEFORE_SIGNAL_S = 5.0
END_S = 0.5
"""What is delivered so shortly before the stop may be in the files or not."""
RESET_S = 0.3
"""What a reset connection may take along."""
MOST_MEMORY = 400 * 1024 * 1024
QUICK = ("well-behaved", "four slices, marker on each", "wrong password")


@dataclass
class Result:
    """What became of one camera's footage."""

    behaviour: Behaviour
    delivered: int = 0
    missing: list[int] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    """Delivered frames that are in the files, but not whole."""
    garbage: int = 0
    """Pictures in the files that show no counter."""
    twice: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """How many delivered frames cannot be seen whole."""
        return len(self.missing) + len(self.damaged)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.garbage or self.twice or self.faults)

    def told(self) -> str:
        """What is wrong, in short."""
        if not self.behaviour.plays:
            return "; ".join(self.faults) or "0: survived"
        parts = [f"{self.lost} of {self.delivered}"]
        if self.missing:
            parts.append(f"missing {_spans(self.missing)}")
        if self.damaged:
            parts.append(f"damaged {_spans(self.damaged)}")
        if self.garbage:
            parts.append(f"{self.garbage} unreadable pictures")
        if self.twice:
            parts.append(f"{self.twice} twice")
        return "; ".join([*parts, *self.faults])


def _spans(counters: Sequence[int]) -> str:
    """Counters as spans, the first few of them."""
    spans: list[list[int]] = []
    for counter in counters:
        if spans and counter == spans[-1][1] + 1:
            spans[-1][1] = counter
        else:
            spans.append([counter, counter])
    told = [f"{a}" if a == b else f"{a}-{b}" for a, b in spans[:4]]
    return ", ".join(told) + (f" and {len(spans) - 4} more spans" if len(spans) > 4 else "")


class Filmed:
    """The camera, or the two, of one behaviour."""

    def __init__(self, behaviour: Behaviour, stack: ExitStack) -> None:
        self.behaviour = behaviour
        options = dict(behaviour.options)
        self._cameras = []
        if behaviour.after is not None:
            self._cameras.append(stack.enter_context(_cameras.odd_camera(behaviour.after)))
            options["redirect"] = self._cameras[0].url
        self._cameras.append(stack.enter_context(_cameras.odd_camera(options)))
        self.settings = {"kind": "rtsp", "url": self._cameras[-1].url, **behaviour.settings}

    def misbehave(self) -> None:
        """Begin what waits for the signal."""
        for camera in self._cameras:
            camera.misbehave()

    def ledger(self) -> list[Entry]:
        """What the camera noted whose footage counts."""
        return self._cameras[0].entries()

    def sign_ins(self) -> tuple[int, bool]:
        """How many were wrong, and whether credentials reached the camera redirected to."""
        asked = [entry for camera in self._cameras for entry in camera.entries()]
        wrong = sum(e["event"] == "sign_in" and e["outcome"] != "right" for e in asked)
        foreign = self.behaviour.after is not None and any(
            e["event"] == "request" and e["authorization"] for e in self._cameras[0].entries()
        )
        return wrong, foreign


def expected(filmed: Filmed, started_ns: int, stopped_ns: int, first: int | None) -> list[int]:
    """The counters that must be in the files; `first` is the smallest that is there.

    They begin with the first keyframe after the start's answer, or earlier where the files do.
    """
    entries, track = filmed.ledger(), filmed.behaviour.track
    resets = filmed.behaviour.options.get("close_how") == "reset"
    delivered: list[Entry] = []
    for client in {e["client"] for e in entries if e["event"] == "frame"}:
        closed = [e["at_ns"] for e in entries if e["event"] == "closed" and e["client"] == client]
        end_ns = stopped_ns - round(END_S * 1e9)
        if resets and closed:
            end_ns = min(end_ns, closed[0] - round(RESET_S * 1e9))
        frames = decodable(entries, client=client, track=track)
        delivered += [frame for frame in frames if frame["at_ns"] <= end_ns]
    keyframes = [e["counter"] for e in delivered if e["keyframe"] and e["at_ns"] >= started_ns]
    begins = [counter for counter in (first, min(keyframes, default=None)) if counter is not None]
    if not begins:
        return []
    return sorted({e["counter"] for e in delivered if e["counter"] >= min(begins)})


def connections(entries: Sequence[Entry], started_ns: int) -> int:
    """Over how many connections frames came during the recording."""
    frames = (e for e in entries if e["event"] == "frame" and e["at_ns"] >= started_ns)
    return len({frame["client"] for frame in frames})


def judge(filmed: Filmed, files: Sequence[Path], started_ns: int, stopped_ns: int) -> Result:
    """Hold the files against the ledger."""
    behaviour = filmed.behaviour
    result = Result(behaviour)
    shown: list[DecodedPicture] = []
    for path in files:
        try:
            shown += pictures(path, rates=RATES, name=_name(behaviour), drawn=behaviour.drawn)
        except OSError as error:
            result.faults.append(f"{path.name} cannot be read: {error}")
    found = [one.counter for one in shown if one.counter is not None]
    intact = {one.counter for one in shown if one.intact}
    wanted = expected(filmed, started_ns, stopped_ns, min(found, default=None))
    result.delivered = len(wanted)
    result.missing = [c for c in wanted if c not in set(found)]
    result.damaged = [c for c in wanted if c in set(found) and c not in intact]
    if not behaviour.damages:
        result.garbage = sum(one.counter is None for one in shown)
    result.twice = len(found) - len(set(found))
    if not wanted and behaviour.plays:
        result.faults.append("the camera delivered nothing that can be decoded")
    again = connections(filmed.ledger(), started_ns) - 1
    if again > 0 and not behaviour.ends():
        result.faults.append(f"connected again {again} times, though the camera never left")
    wrong, foreign = filmed.sign_ins()
    if behaviour.most_sign_ins is not None and wrong > behaviour.most_sign_ins:
        result.faults.append(f"{wrong} wrong sign-ins")
    if foreign:
        result.faults.append("credentials were sent to another host")
    return result


def _name(behaviour: Behaviour) -> str:
    return "SIMULATED" if behaviour.track == 0 else "SIMULATED 2"


def record(work: Path, behaviours: Sequence[Behaviour], seconds: float) -> list[Result]:
    """Record the cameras of some behaviours together."""
    with ExitStack() as stack:
        filmed = [Filmed(behaviour, stack) for behaviour in behaviours]
        settings = {n: one.settings for n, one in enumerate(filmed)}
        touchline = Server(work, settings, require_all_cameras=False)
        stack.callback(touchline.close)
        touchline.start()
        _wait_for_cameras(touchline, len(filmed))
        refused = ""
        try:
            touchline.record(MATCH)
        except Refused as error:
            refused = f"the start was refused: {str(error)[:200]}"
        started_ns = time.monotonic_ns()
        for one in filmed:
            one.misbehave()
        memory, faults = watch(touchline, seconds)
        stopped_ns = time.monotonic_ns()
        try:
            touchline.end_recording(strict=False)
        except (Refused, OSError) as error:
            faults.append(f"the stop failed: {error!s:.200}")
        results = [
            judge(one, touchline.segments(MATCH, n), started_ns, stopped_ns)
            for n, one in enumerate(filmed)
        ]
        for n, result in enumerate(results):
            result.faults += faults
            if refused and result.behaviour.plays:
                result.faults.append(refused)
            if memory.get(n, 0) > MOST_MEMORY:
                result.faults.append(f"its worker used {memory[n] / 2**20:.0f} MB")
        return results


def attempt(work: Path, behaviours: Sequence[Behaviour], seconds: float) -> list[Result]:
    """Record them together; what stops the whole recording is a fault of all of them."""
    try:
        return record(work, behaviours, seconds)
    except (NotInTime, Refused, OSError, http.client.HTTPException) as error:
        told = " ".join(str(error).split())[:300]
        return [
            Result(behaviour, faults=[f"nothing was measured: {told}"]) for behaviour in behaviours
        ]


def _wait_for_cameras(touchline: Server, count: int) -> None:
    """Give every camera the time to deliver; some never do."""

    def running() -> bool:
        return len([c for c in touchline.cameras() if c["state"] == "running"]) == count

    try:
        wait_for("cameras that run", running, within_s=BEFORE_SIGNAL_S, every_s=0.05)
    except NotInTime:
        return


def watch(touchline: Server, seconds: float) -> tuple[dict[int, int], list[str]]:
    """Record for so long; the most memory of each camera's worker, and what went wrong."""
    most: dict[int, int] = {}
    faults: list[str] = []
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        began_s = time.monotonic()
        try:
            cameras: list[dict[str, Any]] = touchline.cameras()
        except (OSError, Refused) as error:
            faults.append(f"the server did not respond: {error!s:.200}")
            break
        if time.monotonic() - began_s > 2:
            faults.append(f"the server needed {time.monotonic() - began_s:.1f} s for an answer")
        for camera in cameras:
            pid = camera["worker"].get("pid")
            try:
                used = psutil.Process(pid).memory_info().rss if pid else 0
            except psutil.NoSuchProcess:
                used = 0
            most[camera["id"]] = max(most.get(camera["id"], 0), used)
        time.sleep(0.1)
    return most, faults


def main() -> None:
    options = _options.parser(__doc__, rounds=1)
    options.add_size("seconds", 6.0, quick=2.0, what="how long each camera is recorded")
    options.add_size("together", 4, quick=3, what="cameras that are recorded together")
    options.add_argument("--only", metavar="TEXT", help="behaviours with this in their name")
    options.add_argument("--list", action="store_true", help="list the behaviours")
    given = options.parse_args()
    chosen = [
        b
        for b in BEHAVIOURS
        if (given.only is None or given.only in b.name) and (not given.quick or b.name in QUICK)
    ]
    if given.list:
        print("\n".join(b.name for b in chosen))
        return
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        for n in range(given.rounds):
            for at in range(0, len(chosen), given.together):
                work = Path(folder, f"{n}-{at}")
                work.mkdir()
                results += attempt(work, chosen[at : at + given.together], given.seconds)
                for result in results[-given.together :]:
                    print(f"{result.behaviour.name}: {result.told()}", file=sys.stderr, flush=True)
    rows = [
        Row("C21", result.behaviour.name, result.told(), "0", result.good) for result in results
    ]
    lost = sum(result.lost for result in results)
    faulty = sum(not result.good for result in results)
    what = f"all: frames missing or damaged; cameras with faults of {len(results)}"
    rows.append(Row("C21", what, f"{lost}; {faulty}", "0; 0", not lost and not faulty))
    report(rows)


if __name__ == "__main__":
    main()
