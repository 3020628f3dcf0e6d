"""C15: a match of two 1080p30 cameras becomes a 3360x1080 panorama, beside what else can stitch.

Ours is the whole job: two decoders, both views warped, matched in brightness, feathered and paired
by time, one encoder (x264 ultrafast, as the others). Peers do less: OpenCV's stitcher composes
pictures that are decoded already, ffmpeg warps one view alone. Hugin's nona and the `stitching`
package take part where they are installed (`STITCHING_PYTHON` names a Python that has the latter).
Cameras are simulated.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path

import _options
import _pitch
import cv2
import numpy as np
from _report import Row, report, times

from touchline.studio.pictures.encoder import Encoder, EncoderQuality
from touchline.studio.pictures.footage import segment_files_in, shots, usable_files
from touchline.studio.pictures.planes import new_frame, planes_of
from touchline.studio.stitching.geometry import Pair, canvas_for
from touchline.studio.stitching.stitcher import Stitcher
from touchline.studio.verbs import panorama

WIDTH, HEIGHT = 3360, 1080
FILMED_S, GOAL_SEAM_PX = 8, 1.0
PEER_FRAMES, PEER_ROUNDS = 6, 3


def main() -> None:
    parser = _options.parser(__doc__, rounds=3)
    parser.add_size("seconds", FILMED_S, quick=2, what="of the match")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        folder = _pitch.film_pitch(Path(name) / "m", seconds=options.seconds)
        pair = _pitch.pitch_pair()
        ours, ffmpeg, opencv, cpu_ms = [], [], [], []
        for _ in range(options.rounds):
            fps, cpu = whole_job(folder, pair)
            ours.append(fps)
            cpu_ms.append(cpu)
            ffmpeg.append(one_view(folder, options.seconds))
            opencv.append(composed())
        others = {"Hugin's nona": hugin(Path(name)), "stitching": package(Path(name))}
        seam_px, found = _pitch.calibrated_seam_px(folder)
        parts = where_time_goes(folder, pair, min(90, 15 * options.seconds))
    fps = statistics.median(ours)
    report(
        [
            Row(
                "C15",
                f"two 1080p30 to {WIDTH}x{HEIGHT} H.264, both views, paired by time",
                f"{fps:.1f} fps, {statistics.median(cpu_ms):.0f} ms CPU a frame",
                "≥ 1.0x ffmpeg on one view",
                fps >= statistics.median(ffmpeg),
                f"ffmpeg, one view {statistics.median(ffmpeg):.1f} fps; cv2.Stitcher,"
                f" composing alone {statistics.median(opencv):.1f} fps"
                + "".join(f"; {who} {f:.2g} fps" for who, f in others.items() if f is not None),
                times(1 / fps, 1 / statistics.median(opencv)),
            ),
            Row(
                "C15",
                "where the time of a frame goes",
                ", ".join(f"{what} {ms:.1f} ms" for what, ms in parts.items()),
                "",
                True,
            ),
            Row(
                "C15",
                f"seam of a calibration from that recording ({found} points), p95",
                f"{seam_px:.2f} px",
                f"≤ {GOAL_SEAM_PX} px",
                seam_px <= GOAL_SEAM_PX,
            ),
        ]
    )


def whole_job(folder: Path, pair: Pair) -> tuple[float, float]:
    """Frames a second of the job, its start included, and processor time a frame."""
    (folder / panorama.ARCHIVE).unlink(missing_ok=True)
    spec = {
        "folder": str(folder),
        "calibration": {"version": 1, "pair": pair.to_json()},
        "width": WIDTH,
        "height": HEIGHT,
        "preset": "ultrafast",
    }
    began_s, cpu_s = time.perf_counter(), time.process_time()
    frames = panorama.run(spec, lambda _: None, threading.Event())["frames"]
    taken_s = time.perf_counter() - began_s
    return frames / taken_s, (time.process_time() - cpu_s) / frames * 1e3


def one_view(folder: Path, seconds: int) -> float:
    """Frames a second of ffmpeg that makes a cylinder of that size of one camera's picture."""
    (source,) = (folder / "segments").glob("cam0_*.mp4")
    warp = f"v360=flat:cylindrical:ih_fov=75:iv_fov=47:h_fov=140:v_fov=60:w={WIDTH}:h={HEIGHT}"
    command = [
        *("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), "-vf", warp),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", str(folder / "one.mp4")),
    ]
    began_s = time.perf_counter()
    subprocess.run(command, check=True)
    return seconds * 30 / (time.perf_counter() - began_s)


def composed() -> float:
    """What cv2.Stitcher composes a second of pictures of that size; its transform is known by then.

    It is given a world without burnt-in clocks: those of the simulated cameras mislead it.
    """
    cv2.setNumThreads(2)
    views = [cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) for picture in _pitch.painted_views()]
    stitcher = cv2.Stitcher.create(cv2.Stitcher_PANORAMA)
    if stitcher.estimateTransform(views) != cv2.Stitcher_OK:
        raise RuntimeError("cv2.Stitcher finds no transform")
    began_s = time.perf_counter()
    for _ in range(PEER_FRAMES):
        status, made = stitcher.composePanorama(views)
        if status != cv2.Stitcher_OK or made.shape[1] < WIDTH // 2:
            raise RuntimeError("cv2.Stitcher makes no panorama")
    return PEER_FRAMES / (time.perf_counter() - began_s)


def hugin(work: Path) -> float | None:
    """Frames a second of Hugin's nona, which warps both pictures without mixing them."""
    if shutil.which("nona") is None:
        return None
    for number, picture in enumerate(_pitch.painted_views()):
        cv2.imwrite(str(work / f"{number}.png"), picture)
    lines = [f'p f1 w{WIDTH} h{HEIGHT} v140 n"TIFF_m"']
    for number, yaw in enumerate((-25, 25)):
        lines.append(f'i w1920 h1080 f0 v75 y{yaw} p-12 r0 n"{number}.png"')
    (work / "two.pto").write_text("\n".join([*lines, "m", ""]))
    began_s = time.perf_counter()
    for _ in range(PEER_ROUNDS):
        subprocess.run(["nona", "-o", "out", "two.pto"], cwd=work, check=True, capture_output=True)
    return PEER_ROUNDS / (time.perf_counter() - began_s)


def package(work: Path) -> float | None:
    """Panoramas a second of the `stitching` package, which estimates each one anew."""
    python = os.environ.get("STITCHING_PYTHON", sys.executable)
    known = subprocess.run([python, "-c", "import stitching"], check=False, capture_output=True)
    if known.returncode != 0:
        return None
    for number, picture in enumerate(_pitch.painted_views()):
        cv2.imwrite(str(work / f"{number}.png"), picture)
    program = (
        "import time, stitching\n"
        "maker = stitching.Stitcher()\n"
        "began = time.perf_counter()\n"
        f"for _ in range({PEER_ROUNDS}): maker.stitch(['0.png', '1.png'])\n"
        f"print({PEER_ROUNDS} / (time.perf_counter() - began))\n"
    )
    done = subprocess.run(
        [python, "-c", program], check=False, cwd=work, capture_output=True, text=True
    )
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def where_time_goes(folder: Path, pair: Pair, frames: int) -> dict[str, float]:
    """Processor milliseconds a frame of each stage by itself."""
    cv2.setNumThreads(1)
    found: dict[str, float] = {}
    began_s = time.process_time()
    views = [
        [s.picture for s in islice(shots(segment_files_in(usable_files(folder, camera))), frames)]
        for camera in ("cam0", "cam1")
    ]
    found["both decoders"] = (time.process_time() - began_s) / frames * 1e3
    stitcher = Stitcher(pair, canvas_for(pair, width=WIDTH, height=HEIGHT))
    pool = [new_frame(WIDTH, HEIGHT) for _ in range(frames)]
    began_s = time.process_time()
    for (_, into), first, second in zip(pool, *views, strict=True):
        stitcher.stitch(planes_of(first), planes_of(second), into)
    found["stitching"] = (time.process_time() - began_s) / frames * 1e3
    encoder = Encoder(WIDTH, HEIGHT, Fraction(30), EncoderQuality("ultrafast", 23, 1), None)
    began_s = time.process_time()
    for number, (frame, _) in enumerate(pool):
        list(encoder.encode(frame, number * 33_333_333))
    found["encoder"] = (time.process_time() - began_s) / frames * 1e3
    return found


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
