"""A Python client for a touchline server: HTTP for requests, a WebSocket for updates.

async with Client("http://127.0.0.1:8000") as client:
    await client.start_recording("final")
    async with client.live("status") as live:
        async for update in live.updates():
            print(update.data["recording"]["duration"])
"""

from touchline.client.errors import (
    ClientError,
    CommandFailed,
    Rejected,
    Unanswered,
    Unreachable,
)
from touchline.client.live import Live, Update
from touchline.client.models import (
    PipelineState,
    PreviewStatus,
    RecordingStatus,
    StartReport,
    Status,
    StopReport,
)
from touchline.client.rest import Client

__all__ = [
    "Client",
    "ClientError",
    "CommandFailed",
    "Live",
    "PipelineState",
    "PreviewStatus",
    "RecordingStatus",
    "Rejected",
    "StartReport",
    "Status",
    "StopReport",
    "Unanswered",
    "Unreachable",
    "Update",
]
