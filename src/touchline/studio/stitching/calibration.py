"""Estimation of the geometry of two cameras from frames of the same instants.

Matches of all frames are pooled; MAGSAC (D. Barath et al., "MAGSAC++, a fast, reliable and accurate
robust estimator", 2020) finds the consistent ones; then lenses and rotation are fitted to all of
them at once, using prior knowledge of such cameras (see `_PRIORS`): the views share a narrow strip,
which alone does not distinguish a long lens from a distorting one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from touchline.studio.errors import StudioError
from touchline.studio.stitching.geometry import Floats, Lens, Pair
from touchline.studio.stitching.matching import Matches, remove_overlays

LEAST_MATCHES = 24
WORST_ERROR_PX = 4.0
LEAST_OVERLAP, MOST_OVERLAP = 0.08, 0.60
WIDTH_PX = 1920
"""Errors are in pixels of a picture this wide, regardless of the cameras' size."""

_MANUAL_WEIGHT = 6.0
_FIELDS_OF_VIEW_DEG = (50.0, 70.0, 90.0, 110.0)
_LIKELY_FIELD_DEG = 75.0
_GATES_PX = (10.0, 5.0, 3.0)
_PRIORS = np.array([0.4, 0.03, 0.15, 0.03, 0.03])
"""Standard deviations: log of the focal length, log of the ratio of both, k1, its difference, k2.
Clubs mount two cameras of a kind; lenses of a kind differ by a few percent."""

ADVICE_MATCHES = (
    "The views must overlap by 15 to 40 % of the picture, and the overlap must"
    " have detail: lines, people, a fence, houses. Turn the cameras towards each"
    " other, wait for better light and capture again."
)
ADVICE_ERROR = (
    "The cameras may have moved between captures, or a nearby object was in the"
    " overlap. Fix the cameras, capture again while no one stands close, or mark"
    " points by hand."
)


@dataclass(frozen=True)
class FitQuality:
    """Quality of the fit with respect to the matches.

    Errors are in pixels of a picture 1,920 wide. `coverage` is the fraction of the common strip's
    cells that contain a match, `overlap` the fraction of camera 0's columns that both see. `score`
    is 0 to 1; from 0.7 on a panorama looks right.
    """

    reprojection_error_px: float
    error_p95_px: float
    inlier_ratio: float
    inliers: int
    matches: int
    coverage: float
    overlap: float
    score: float

    @property
    def words(self) -> str:
        """The quality in words for people."""
        if self.score >= 0.85:
            return "excellent"
        return "good" if self.score >= 0.7 else "poor"


@dataclass(frozen=True)
class Fit:
    """A calibration: the pair, its quality, and the consistent matches."""

    pair: Pair
    quality: FitQuality
    inliers: Matches


def calibrate(
    matches: Matches,
    size0: tuple[int, int],
    size1: tuple[int, int],
    *,
    manual: Matches | None = None,
) -> Fit:
    """Estimate the cameras from the matches of all frames; sizes are width and height.

    `manual` are points marked by a person: they count as correct, and several times. Raises
    StudioError with advice if the matches are not sufficient.
    """
    matches = remove_overlays(matches, size0, size1)
    by_hand = manual if manual is not None else Matches(np.empty((0, 2)), np.empty((0, 2)))
    if len(matches) + len(by_hand) < LEAST_MATCHES and len(by_hand) < 6:
        raise StudioError(
            "too_few_matches",
            f"Only {len(matches)} points were found in both views; at least {LEAST_MATCHES} are"
            " needed",
            advice=ADVICE_MATCHES,
        )
    unit0, unit1 = size0[0] / WIDTH_PX, size1[0] / WIDTH_PX
    fit = _Fitting(matches, by_hand, size0, size1, (unit0, unit1))
    agreeing = fit.first_agreement()
    pair = fit.first_guess(agreeing)
    for gate_px in _GATES_PX:
        pair = fit.refine_fit(pair, agreeing)
        agreeing = fit.errors_px(pair, matches) < gate_px
    if int(agreeing.sum()) + len(by_hand) < LEAST_MATCHES and len(by_hand) < 6:
        raise StudioError(
            "no_agreement",
            f"{len(matches)} points were matched, but only {int(agreeing.sum())} are"
            " consistent with one geometry of the cameras",
            advice=ADVICE_MATCHES,
        )
    pair = fit.refine_fit(pair, agreeing)
    agreeing = fit.errors_px(pair, matches) < _GATES_PX[-1]
    quality = fit.quality(pair, agreeing)
    _check_usable(quality)
    return Fit(pair, quality, matches.only(agreeing))


def _check_usable(quality: FitQuality) -> None:
    if not LEAST_OVERLAP <= quality.overlap <= MOST_OVERLAP:
        raise StudioError(
            "overlap",
            f"The views share {quality.overlap:.0%} of a picture; 15 to 40 % are needed",
            advice="Turn one camera until the views share about a quarter of a picture.",
        )
    if quality.reprojection_error_px > WORST_ERROR_PX:
        raise StudioError(
            "poor_fit",
            f"The best fit is {quality.reprojection_error_px:.1f} pixels off; at most"
            f" {WORST_ERROR_PX:.0f} can be used",
            advice=ADVICE_ERROR,
        )


@dataclass(frozen=True)
class _Fitting:
    matches: Matches
    manual: Matches
    size0: tuple[int, int]
    size1: tuple[int, int]
    units: tuple[float, float]

    def first_agreement(self) -> npt.NDArray[np.bool_]:
        """Return the matches consistent with one homography, allowing for lens distortion."""
        if len(self.matches) < 4:
            return np.zeros(len(self.matches), dtype=bool)
        _, mask = cv2.findHomography(
            self.matches.points1,
            self.matches.points0,
            cv2.USAC_MAGSAC,
            _GATES_PX[0] * self.units[0],
            maxIters=20_000,
            confidence=0.9999,
        )
        return np.asarray(mask).reshape(-1).astype(bool)

    def first_guess(self, agreeing: npt.NDArray[np.bool_]) -> Pair:
        """Return the best of several fields of view, each with its best rotation."""
        chosen = self._with_manual(agreeing)
        if len(chosen) < 4:
            raise StudioError(
                "no_agreement",
                "The points found in both views are not consistent",
                advice=ADVICE_MATCHES,
            )
        guesses = []
        for field_deg in _FIELDS_OF_VIEW_DEG:
            focal = _focal(self.size0[0], field_deg)
            lens0 = Lens(*self.size0, focal)
            lens1 = Lens(*self.size1, focal * self.size1[0] / self.size0[0])
            turn = _turn_between(lens0.directions(chosen.points0), lens1.directions(chosen.points1))
            pair = Pair(lens0, lens1, turn)
            guesses.append((float(np.median(self.errors_px(pair, chosen))), pair))
        return min(guesses, key=lambda guess: guess[0])[1]

    def refine_fit(self, pair: Pair, agreeing: npt.NDArray[np.bool_]) -> Pair:
        """Fit lenses and rotation to the consistent and the manual matches."""
        chosen = self.matches.only(agreeing)
        likely = np.log(_focal(self.size0[0], _LIKELY_FIELD_DEG))
        ratio = np.log(self.size1[0] / self.size0[0])

        def residuals(values: Floats) -> Floats:
            candidate = self._pair(values)
            errors = [self._residuals(candidate, chosen)]
            if len(self.manual):
                errors.append(_MANUAL_WEIGHT * self._residuals(candidate, self.manual))
            known = np.array([values[0] - likely, values[1] - ratio, *values[2:5]]) / _PRIORS
            return np.concatenate([*errors, known])

        start = np.array(
            [
                np.log(pair.lens0.focal_px),
                np.log(pair.lens1.focal_px / pair.lens0.focal_px),
                pair.lens0.k1,
                pair.lens1.k1 - pair.lens0.k1,
                pair.lens0.k2,
                *pair.turn,
            ]
        )
        found = least_squares(residuals, start, loss="soft_l1", f_scale=1.0, x_scale="jac")
        return self._pair(found.x)

    def _pair(self, values: Floats) -> Pair:
        focal, ratio, k1, k1_more, k2 = (float(v) for v in values[:5])
        lens0 = Lens(*self.size0, float(np.exp(focal)), k1, k2)
        lens1 = Lens(*self.size1, float(np.exp(focal + ratio)), k1 + k1_more, k2)
        x, y, z = (float(v) for v in values[5:8])
        return Pair(lens0, lens1, (x, y, z))

    def _residuals(self, pair: Pair, matches: Matches) -> Floats:
        """Return errors both ways in pixels of the standard width; unseen points count high."""
        there = (pair.cam0_to_cam1(matches.points0) - matches.points1) / self.units[1]
        back = (pair.cam1_to_cam0(matches.points1) - matches.points0) / self.units[0]
        both = np.concatenate([there, back]).reshape(-1) / np.sqrt(2)
        return np.asarray(np.nan_to_num(both, nan=1e3))

    def errors_px(self, pair: Pair, matches: Matches) -> Floats:
        """Return the error of each match in pixels of the standard width."""
        there = np.linalg.norm(pair.cam0_to_cam1(matches.points0) - matches.points1, axis=1)
        back = np.linalg.norm(pair.cam1_to_cam0(matches.points1) - matches.points0, axis=1)
        both = (there / self.units[1] + back / self.units[0]) / 2
        return np.asarray(np.nan_to_num(both, nan=1e3))

    def quality(self, pair: Pair, agreeing: npt.NDArray[np.bool_]) -> FitQuality:
        """Return the quality of the fit."""
        good = self._with_manual(agreeing)
        errors = self.errors_px(pair, good)
        rms = float(np.sqrt(np.mean(errors**2)))
        overlap, coverage = _overlap(pair, good)
        ratio = float(agreeing.mean()) if len(self.matches) else 1.0
        return FitQuality(
            reprojection_error_px=rms,
            error_p95_px=float(np.quantile(errors, 0.95)),
            inlier_ratio=ratio,
            inliers=len(good),
            matches=len(self.matches) + len(self.manual),
            coverage=coverage,
            overlap=overlap,
            score=_score(rms, coverage, len(good)),
        )

    def _with_manual(self, agreeing: npt.NDArray[np.bool_]) -> Matches:
        chosen = self.matches.only(agreeing)
        return Matches(
            np.concatenate([chosen.points0, self.manual.points0]),
            np.concatenate([chosen.points1, self.manual.points1]),
        )


def _focal(width: int, field_deg: float) -> float:
    return width / 2 / float(np.tan(np.radians(field_deg) / 2))


def _turn_between(rays0: Floats, rays1: Floats) -> tuple[float, float, float]:
    """Return the rotation that best maps `rays0` to `rays1`, tolerating wrong pairs.

    W. Kabsch, "A solution for the best rotation to relate two sets of vectors", 1976; repeated
    without the worse half.
    """
    kept = np.ones(len(rays0), dtype=bool)
    rotation = np.eye(3)
    for _ in range(5):
        u, _, vt = np.linalg.svd(rays1[kept].T @ rays0[kept])
        rotation = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
        away = np.linalg.norm(rays0 @ rotation.T - rays1, axis=1)
        kept = away <= np.median(away) * 1.5 + 1e-12
    x, y, z = (float(v) for v in np.asarray(cv2.Rodrigues(rotation)[0]).reshape(-1))
    return x, y, z


def _overlap(pair: Pair, matches: Matches) -> tuple[float, float]:
    """Return the fraction of camera 0 that camera 1 sees too, and of its cells with a match."""
    width, height = pair.lens0.width, pair.lens0.height
    step = max(1, width // 64)
    columns, rows = np.meshgrid(
        np.arange(step / 2, width, step), np.arange(step / 2, height, step), indexing="xy"
    )
    seen = pair.cam0_to_cam1(np.stack([columns, rows], axis=-1))
    inside = (
        (seen[..., 0] >= 0)
        & (seen[..., 0] < pair.lens1.width)
        & (seen[..., 1] >= 0)
        & (seen[..., 1] < pair.lens1.height)
    )
    overlap = float(inside.any(axis=0).mean())
    # Cells are eight rows high and as wide, so that a strip has some dozens of them.
    coarse = step * 4
    cells = {
        (int(x // coarse), int(y // coarse))
        for x, y in zip(columns[inside], rows[inside], strict=True)
    }
    filled = {(int(x // coarse), int(y // coarse)) for x, y in matches.points0}
    return overlap, len(cells & filled) / len(cells) if cells else 0.0


def _score(error_px: float, coverage: float, inliers: int) -> float:
    """Return a score of 0 to 1, from the error first and then the checked part of the strip."""
    exact = float(np.clip(1 - (error_px - 0.5) / (WORST_ERROR_PX - 0.5), 0, 1))
    spread = float(np.clip(coverage / 0.35, 0, 1))
    many = float(np.clip(inliers / 150, 0, 1))
    return round(exact * (0.6 + 0.25 * spread + 0.15 * many), 3)


def matches_from_json(rows: Sequence[Mapping[str, Any]]) -> Matches:
    """Parse points marked by hand: `cam0` and `cam1`, two numbers each; KeyError or ValueError."""
    if not rows:
        return Matches(np.empty((0, 2)), np.empty((0, 2)))
    points0 = np.array([row["cam0"] for row in rows], dtype=np.float64).reshape(-1, 2)
    points1 = np.array([row["cam1"] for row in rows], dtype=np.float64).reshape(-1, 2)
    return Matches(points0, points1)
