"""Matching of two pictures: distinct points, paired by their appearance.

SIFT with Lowe's ratio test and a mutual check (D. Lowe, "Distinctive Image Features from
Scale-Invariant Keypoints", 2004; the square root of the descriptors is R. Arandjelović and A.
Zisserman's RootSIFT, 2012). The position in the pictures is not used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from touchline.studio.stitching.geometry import Floats

Grey = npt.NDArray[np.uint8]

FEATURES = 6000
RATIO = 0.8
CELL_PX = 24
"""Side of the cells in which pooled matches are limited, for each pair of cells.

Otherwise stationary points, which match in every pair of frames, would outweigh all others.
"""
_PER_CELL = 3
_OVERLAY_SHARE = 0.03


@dataclass(frozen=True)
class Matches:
    """Pixels of camera 0 and camera 1 (nx2 each) that seem to show the same."""

    points0: Floats
    points1: Floats

    def __len__(self) -> int:
        return len(self.points0)

    def only(self, chosen: npt.NDArray[np.bool_]) -> Matches:
        """Return the selected matches."""
        return Matches(self.points0[chosen], self.points1[chosen])


NONE = Matches(np.empty((0, 2)), np.empty((0, 2)))


def match(picture0: Grey, picture1: Grey) -> Matches:
    """Return the matches of two pictures, including wrong ones."""
    points0, words0 = _features(picture0)
    points1, words1 = _features(picture1)
    if len(points0) < 2 or len(points1) < 2:
        return NONE
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    there = _nearest(matcher, words0, words1)
    back = _nearest(matcher, words1, words0)
    kept = [(a, b) for a, b in there.items() if back.get(b) == a]
    if not kept:
        return NONE
    first, second = (list(side) for side in zip(*kept, strict=True))
    return Matches(points0[first], points1[second])


def pool_matches(several: Iterable[Matches]) -> Matches:
    """Combine the matches of all pairs of frames, limiting the number for each spot."""
    all_of_them = list(several)
    if not all_of_them:
        return NONE
    points0 = np.concatenate([m.points0 for m in all_of_them])
    points1 = np.concatenate([m.points1 for m in all_of_them])
    cells = np.concatenate([points0 // CELL_PX, points1 // CELL_PX], axis=1).astype(np.int64)
    _, which = np.unique(cells, axis=0, return_inverse=True)
    which = which.reshape(-1)
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], which[order])
    kept = np.zeros(len(points0), dtype=bool)
    kept[order[np.arange(len(order)) - starts < _PER_CELL]] = True
    return Matches(points0[kept], points1[kept])


def remove_overlays(matches: Matches, size0: tuple[int, int], size1: tuple[int, int]) -> Matches:
    """Remove matches at the same place in both pictures: clocks and names drawn by cameras.

    Cameras that point in different directions see nothing at the same place of their pictures.
    """
    away = matches.points0 / np.array(size0) - matches.points1 / np.array(size1)
    return matches.only(np.linalg.norm(away, axis=1) > _OVERLAY_SHARE)


def sharpness(picture: Grey) -> float:
    """Return the amount of fine detail: the variance of the Laplacian; below 10 is blurred."""
    return float(cv2.Laplacian(picture, cv2.CV_64F).var())


def _features(picture: Grey) -> tuple[Floats, npt.NDArray[np.float32]]:
    finder = cv2.SIFT_create(nfeatures=FEATURES, contrastThreshold=0.02)  # type: ignore[attr-defined]
    found, words = finder.detectAndCompute(picture, None)
    if words is None or not found:
        return np.empty((0, 2)), np.empty((0, 128), np.float32)
    words = np.sqrt(words / np.maximum(words.sum(axis=1, keepdims=True), 1e-9))
    return np.array([point.pt for point in found], dtype=np.float64), words.astype(np.float32)


def _nearest(
    matcher: cv2.BFMatcher, words: npt.NDArray[np.float32], others: npt.NDArray[np.float32]
) -> dict[int, int]:
    """Return for each descriptor the other one that is clearly nearest."""
    return {
        best.queryIdx: best.trainIdx
        for best, second in (p for p in matcher.knnMatch(words, others, k=2) if len(p) == 2)
        if best.distance < RATIO * second.distance
    }
