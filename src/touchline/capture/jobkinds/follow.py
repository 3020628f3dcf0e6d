"""Follow cut: a picture that follows the play, cut from the panorama."""

from __future__ import annotations

from touchline.capture.jobkinds.kind import JobKind

FOLLOW = JobKind("follow", is_large=True)
