"""Sprites: small pictures of the match for the timeline of the player."""

from __future__ import annotations

from touchline.capture.jobkinds.kind import JobKind

SPRITES = JobKind("sprites")
