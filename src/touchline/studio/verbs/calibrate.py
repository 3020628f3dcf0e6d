"""The verb `calibrate`: compute a calibration from pictures of both cameras.

`spec` has `pairs` (a list of two picture files each, taken at one instant), or `folder` and
`instants` to take them from a recorded match, and optionally `manual` (points marked by hand) and
`keep` (a folder for storing the pictures taken from a match).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from touchline.studio.errors import StudioError
from touchline.studio.pictures.footage import (
    SegmentFile,
    period_ns_of,
    segment_files_in,
    shots,
    usable_files,
)
from touchline.studio.pictures.pairing import pair_by_time
from touchline.studio.pictures.planes import planes_of
from touchline.studio.stitching.calibration import Fit, calibrate, matches_from_json
from touchline.studio.stitching.matching import Grey, Matches, match, pool_matches
from touchline.studio.verbs import Tell

SHOWN_POINTS = 300
"""Number of matched points kept for drawing on both pictures."""
_LOOK_NS = 3_000_000_000


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Return the calibration as plain values; raises StudioError if the pictures do not suffice."""
    pictures = _read_recorded_pairs(spec) if "folder" in spec else _read(spec)
    found: list[Matches] = []
    for done, (first, second) in enumerate(pictures):
        if stopping.is_set():
            raise StudioError("stopped", "The calibration was stopped")
        found.append(match(first, second))
        tell({"done": done + 1, "total": len(pictures) + 1})
    (height0, width0), (height1, width1) = (picture.shape for picture in pictures[0])
    fit = calibrate(
        pool_matches(found),
        (width0, height0),
        (width1, height1),
        manual=matches_from_json(spec.get("manual", ())),
    )
    tell({"done": len(pictures) + 1, "total": len(pictures) + 1})
    return _summarise_fit(fit, len(pictures))


def _summarise_fit(fit: Fit, pairs: int) -> dict[str, Any]:
    step = max(1, len(fit.inliers) // SHOWN_POINTS)
    shown = zip(fit.inliers.points0[::step], fit.inliers.points1[::step], strict=True)
    return {
        "pair": fit.pair.to_json(),
        "quality": {**asdict(fit.quality), "words": fit.quality.words},
        "homography_matrix": fit.pair.homography.tolist(),
        "pairs": pairs,
        "points": [
            {"cam0": [round(v, 1) for v in a.tolist()], "cam1": [round(v, 1) for v in b.tolist()]}
            for a, b in shown
        ],
    }


def _read(spec: Mapping[str, Any]) -> list[tuple[Grey, Grey]]:
    pairs = []
    for first, second in spec["pairs"]:
        pictures = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in (first, second)]
        if pictures[0] is None or pictures[1] is None:
            raise StudioError("picture_unreadable", f"A captured picture cannot be read: {first}")
        pairs.append((np.asarray(pictures[0], np.uint8), np.asarray(pictures[1], np.uint8)))
    return _of_one_size(pairs)


def _of_one_size(pairs: list[tuple[Grey, Grey]]) -> list[tuple[Grey, Grey]]:
    if not pairs:
        raise StudioError("no_pictures", "No pictures to calibrate from")
    shapes = {(first.shape, second.shape) for first, second in pairs}
    if len(shapes) > 1:
        raise StudioError(
            "other_shape",
            "The pictures have different sizes",
            advice="Start the calibration again after a camera's size or crop was changed.",
        )
    return pairs


def _read_recorded_pairs(spec: Mapping[str, Any]) -> list[tuple[Grey, Grey]]:
    """Return pairs of a recorded match, spread over the period that both cameras recorded."""
    folder, wanted = Path(spec["folder"]), int(spec.get("instants", 12))
    files = [usable_files(folder, camera) for camera in ("cam0", "cam1")]
    reels = [segment_files_in(found) for found in files]
    if not all(reels):
        reasons = [found.reason for found in files if not found.usable and found.reason]
        raise StudioError(
            "no_footage",
            "Both cameras need usable footage at that time, but one has none: " + "; ".join(reasons)
            if reasons
            else "Both cameras need footage at that time, but one has none",
        )
    start = max(each[0].start_ns for each in reels)
    end = min(each[-1].end_ns for each in reels)
    if end <= start:
        raise StudioError("no_footage", "The two cameras have no footage of the same time")
    period_ns = period_ns_of(reels[0])
    pairs = []
    for number in range(wanted):
        at_ns = start + (end - start) * (2 * number + 1) // (2 * wanted)
        pair = _read_pair_at(reels, at_ns, period_ns)
        if pair is not None:
            pairs.append(pair)
    if not pairs:
        raise StudioError(
            "no_footage", "The match has no pictures of both cameras at the same instant"
        )
    if keep := spec.get("keep"):
        for number, (first, second) in enumerate(pairs):
            cv2.imwrite(str(Path(keep, f"{number:02d}-cam0.png")), first)
            cv2.imwrite(str(Path(keep, f"{number:02d}-cam1.png")), second)
    return _of_one_size(pairs)


def _read_pair_at(
    reels: list[list[SegmentFile]], at_ns: int, period_ns: int
) -> tuple[Grey, Grey] | None:
    views = [islice(shots(each, from_ns=at_ns, to_ns=at_ns + _LOOK_NS), 30) for each in reels]
    for pairing in pair_by_time(views[0], views[1], period_ns=period_ns):
        if pairing.cam0 is not None and pairing.cam1 is not None:
            first, second = (planes_of(s.picture).y for s in (pairing.cam0, pairing.cam1))
            return first.copy(), second.copy()
    return None
