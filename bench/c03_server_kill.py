"""C3: the server is killed with -9 while it records, and started again on the same data.

Frames are counted by their burnt-in counters, over the whole match. Beside it: an ordinary MP4
recorder that is killed at the same age, which is how a recorder inside a server ends.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

import _options
import _processes
from _footage import counters, missing, plays
from _processes import wait_for
from _report import Row, median, report
from _server import TEST_CAMERAS, Server, server


def kill_and_return(touchline: Server, match_id: str) -> tuple[float, float]:
    """Seconds from the new server's start until it answers, and until it shows the recording."""
    touchline.kill()
    time.sleep(random.uniform(0.1, 2))
    began_s = time.monotonic()
    answers_s = touchline.start()

    def shown() -> bool:
        status = touchline.status()
        return bool(status["recording"]) and status["match_id"] == match_id

    wait_for("recording in the new server's status", shown)
    return answers_s, time.monotonic() - began_s


def killed_mp4_plays(work: Path, age_s: float) -> bool:
    path = work / "plain.mp4"
    path.unlink(missing_ok=True)
    command = [
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi"),
        *("-i", "testsrc2=size=640x360:rate=30", "-c:v", "libx264", "-preset", "ultrafast"),
        str(path),
    ]
    with _processes.running(command) as process:
        time.sleep(age_s)
        process.kill()
    return plays(path)


def main() -> None:
    rounds = _options.parser(__doc__, rounds=7).parse_args().rounds
    answers, shows, readable = [], [], []
    with (
        tempfile.TemporaryDirectory(prefix="touchline-bench-") as name,
        server(Path(name), TEST_CAMERAS) as touchline,
    ):
        work = Path(name)
        touchline.record("match")
        for _ in range(rounds):
            time.sleep(random.uniform(1.5, 3))
            answer_s, shown_s = kill_and_return(touchline, "match")
            answers.append(answer_s)
            shows.append(shown_s)
            readable.append(killed_mp4_plays(work, 3))
        left_out = touchline.left_out_by_camera()
        whole = bool(touchline.end_recording()["integrity"]["all_ok"])
        lost = frames = 0
        for camera in (0, 1):
            found = [c for path in touchline.segments("match", camera) for c in counters(path)]
            frames += len(found)
            lost += missing(found)
    report(
        [
            Row(
                "C3",
                f"kill -9 of the server, {rounds} times in a match: frames lost of {frames}"
                " (two simulated 720p30 cameras, x264)",
                f"{max(0, lost - sum(left_out))} ({sum(left_out)} the saturated machine's cameras"
                f" left out), integrity at stop {'ok' if whole else 'NOT ok'}",
                "0",
                lost <= sum(left_out) and whole,
                f"ordinary MP4 recorder killed with its server: {sum(readable)} of {len(readable)}"
                " files can be read; earlier system: the whole open segment",
            ),
            Row(
                "C3",
                f"the new server's start until its status shows the recording, worst of {rounds}",
                f"{max(shows):.2f} s (median {median(shows):.2f})",
                "<= 0.6 s",
                max(shows) <= 0.6,
                f"until it answers at all: median {median(answers):.2f} s",
            ),
        ]
    )


if __name__ == "__main__":
    main()
