"""Archive: one file of each camera's segments."""

from __future__ import annotations

from typing import Any

from touchline.capture.jobkinds.kind import JobContext, JobKind, Params


async def _order(context: JobContext, match_id: str, _params: Params) -> dict[str, Any]:
    cameras = await context.library.cameras(match_id)
    return {"cameras": cameras, **context.settings.archive.to_spec()}


ARCHIVE = JobKind("archive", _order, is_large=True)
