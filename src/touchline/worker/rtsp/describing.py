"""Description of a camera's tracks without recording, for checks before a match."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

from touchline.worker.rtsp.authentication import Credentials
from touchline.worker.rtsp.description import choose_track
from touchline.worker.rtsp.errors import RtspError, Stopped
from touchline.worker.rtsp.link import Waker
from touchline.worker.rtsp.opening import Target, open_camera


@dataclass(frozen=True)
class OfferedTracks:
    """The track that would be recorded, and all available tracks.

    `width` and `height` are None if the description does not contain them.
    """

    track: str
    codec: str
    width: int | None
    height: int | None
    tracks: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the offer as plain JSON values."""
        return asdict(self)


def describe(
    url: str,
    user: str | None = None,
    password: str | None = None,
    *,
    verify_tls: bool = True,
    track: str | int | None = None,
    timeout_s: float = 20.0,
) -> OfferedTracks:
    """Log in to a camera and read its description. Blocks for at most `timeout_s`.

    Raises RtspError, whose message describes the problem and whose `refusal` is set if the camera
    refused.
    """
    credentials = None if user is None else Credentials(user, password or "")
    waker = Waker()
    limit = threading.Timer(timeout_s, waker.stop)
    limit.daemon = True
    limit.start()
    try:
        opened = open_camera(Target(url, credentials, verify_tls), waker)
        opened.conversation.link.close()
    except Stopped:
        raise RtspError(f"the camera sent no description within {timeout_s:g} s") from None
    finally:
        limit.cancel()
        limit.join()
        waker.close()
    tracks = opened.description.tracks
    chosen = choose_track(tracks, track)
    if chosen.format is None:
        raise RtspError("the camera offers no video that can be recorded")
    width, height = chosen.size or (None, None)
    labels = tuple(each.label for each in tracks)
    return OfferedTracks(chosen.label, chosen.format.codec, width, height, labels)
