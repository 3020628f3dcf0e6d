"""Uploaded files of the matches, with URLs that are publicly readable for an hour.

The earlier system's name of the storage is R2, and its dashboard uses that name in requests.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from anyio import CapacityLimiter, to_thread

from touchline.capture.jobkinds.settings import UploadSettings
from touchline.capture.library.library import Library
from touchline.capture.processing.answers import CloudArchives, CloudFiles, CloudMatch
from touchline.capture.processing.presigned import BucketAccess, presign_url
from touchline.capture.processing.uploadstates import UPLOADS, Uploaded, list_uploaded
from touchline.core.errors import Blocked
from touchline.foreign.text import file_name

VALID_S = 3600
"""Validity of a URL in seconds.

The earlier dashboard states this value to its users.
"""
MAX_MATCHES = 500
"""Maximum number of matches in the list, the newest ones."""
MIB = 1 << 20


class Cloud:
    """Uploaded files of matches."""

    def __init__(self, settings: UploadSettings, library: Library) -> None:
        self._settings = settings
        self._library = library
        self._threads = CapacityLimiter(1)

    async def of_match(self, match_id: str) -> CloudFiles:
        """Return the files of one match.

        Raises NotFound, and Blocked if no storage is configured.
        """
        storage = self._storage()
        folder = await self._library.folder(match_id)
        files = await to_thread.run_sync(list_uploaded, folder, limiter=self._threads)
        return {"success": True, "expires_in": VALID_S, **_match(storage, match_id, files)}

    async def all(self) -> CloudArchives:
        """Return every match with an uploaded file, the newest upload first.

        Raises Blocked.
        """
        storage = self._storage()
        folders = await self._library.folders()
        found = await to_thread.run_sync(_all_uploaded, folders, limiter=self._threads)
        matches = [_match(storage, match_id, files) for match_id, files in found]
        return {
            "success": True,
            "expires_in": VALID_S,
            "matches": [match for match in matches if match["files"]],
        }

    def _storage(self) -> BucketAccess:
        settings = self._settings
        secret = settings.secret_access_key
        if settings.bucket is None or settings.access_key_id is None or secret is None:
            raise Blocked(
                "No storage is configured (capture.processing.upload.bucket)",
                code="no_storage",
                can_retry=False,
                should_wait=False,
            )
        return BucketAccess(
            bucket=settings.bucket,
            access_key_id=settings.access_key_id,
            secret_access_key=secret.get_secret_value(),
            endpoint_url=settings.endpoint_url,
            region=settings.region,
        )


def _all_uploaded(folders: Sequence[Path]) -> list[tuple[str, tuple[Uploaded, ...]]]:
    """Return the uploaded files of each of these matches, the newest upload first."""
    dated = []
    for folder in folders:
        with contextlib.suppress(OSError):  # most were never uploaded
            dated.append(((folder / UPLOADS).lstat().st_mtime_ns, folder))
    dated.sort(reverse=True)
    return [(folder.name, list_uploaded(folder)) for _, folder in dated[:MAX_MATCHES]]


def _match(storage: BucketAccess, match_id: str, files: Sequence[Uploaded]) -> CloudMatch:
    """Return a match in the form that the earlier dashboard reads.

    Files in another bucket cannot be signed for.
    """
    now = datetime.now(UTC)
    shown = [file for file in files if file.bucket in {None, storage.bucket}]
    return {
        "match_id": file_name(match_id),
        "files": [
            {
                "name": file.name,
                "key": file.key,
                "size_mb": round(file.size_bytes / MIB, 2),
                "url": presign_url(storage, file.key, now=now, valid_s=VALID_S),
            }
            for file in shown
        ],
        "total_size_mb": round(sum(file.size_bytes for file in shown) / MIB, 2),
    }
