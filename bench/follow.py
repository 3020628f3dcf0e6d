"""The cut that follows the play, against the ball of a simulated match whose path is known."""

from __future__ import annotations

import json
import tempfile
import threading
from pathlib import Path

import _options
import _pitch
import numpy as np
from _report import Row, report

from touchline.media.picture import pitchplay
from touchline.studio.stitching.geometry import canvas_for
from touchline.studio.verbs import follow, panorama

SIZE, FPS, FILMED_S, BEGIN_S = (960, 540), 10, 120, 60.0
TAUGHT_S = 3.0
QUICK = {"preset": "ultrafast", "crf": 30, "threads": 2}


def main() -> None:
    options = _options.parser(__doc__, rounds=1)
    options.add_size("seconds", FILMED_S, quick=5, what="of the match")
    seconds = options.parse_args().seconds
    pitches = _pitch.pitches
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        shooting = pitches.Shooting(seconds=seconds, fps=FPS, size=SIZE, begin_s=BEGIN_S)
        folder = pitches.film_pitch(Path(name) / "m", shooting)
        pair = pitches.pitch_pair(*SIZE)
        calibration = {"version": 1, "pair": pair.to_json()}
        spec = {"folder": str(folder), "calibration": calibration, **QUICK}
        panorama.run(spec, lambda _: None, threading.Event())
        follow.run({"folder": str(folder), **QUICK}, lambda _: None, threading.Event())
        track = json.loads((folder / follow.TRACK).read_text())
    canvas = canvas_for(pair)
    times_s = np.arange(len(track["x"])) / track["rate_hz"]
    balls = np.array(
        [
            pitches.place_of(canvas, pitchplay.ball_m(BEGIN_S + t), *SIZE) / canvas.width
            for t in times_s
        ]
    )
    half = canvas.height * 16 / 9 / canvas.width / 2
    taught = times_s >= TAUGHT_S
    away = np.abs(np.array(track["x"]) - balls)[taught]
    middle = np.abs(0.5 - balls)[taught]
    report(
        [
            Row(
                "follow",
                f"{seconds} s of a simulated match: ball in view / away from the middle, mean",
                f"{np.mean(away <= half):.0%} / {np.mean(away):.3f} of the width",
                "≥ 95 % / none",
                bool(np.mean(away <= half) >= 0.95),
                f"a camera that never moves: {np.mean(middle <= half):.0%} / {np.mean(middle):.3f}",
            )
        ]
    )


if __name__ == "__main__":
    main()
