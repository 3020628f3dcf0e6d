"""Upload: the archives of a match, to the configured storage."""

from __future__ import annotations

from typing import Any

from touchline.capture.jobkinds.kind import JobContext, JobKind, Params
from touchline.core.errors import Refused


async def _order(context: JobContext, match_id: str, _params: Params) -> dict[str, Any]:
    upload = context.settings.upload
    if upload.bucket is None:
        raise Refused(
            "No storage is configured (capture.processing.upload.bucket)", code="no_storage"
        )
    return upload.to_spec(match_id, await context.library.cameras(match_id))


UPLOAD = JobKind("upload", _order)
