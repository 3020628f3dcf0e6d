"""WebRTC sessions of viewers, one per viewer until it is stopped or breaks off.

The connection itself belongs to the live process; this module keeps its owner and the preview it
keeps alive.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio

from touchline.capture.cameras.lease import CameraLease
from touchline.capture.live.panorama import STREAM as PANORAMA
from touchline.capture.live.panorama import PanoramaPreview
from touchline.capture.live.preview import Preview
from touchline.capture.settings.answers import IceServer
from touchline.core.errors import Blocked, Failed, NotFound, Refused
from touchline.core.supervision import Tasks

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 8.0
"""Time limit in seconds for an answer.

Clients wait 12 s for an answer and should get the reason, not their own timeout.
"""

VIEWERS_RETRY_S = 10.0
"""Delay in seconds after which a viewer may try again when the maximum is reached."""

_GONE_KEPT = 256


@dataclass(eq=False)
class WebRtcSession:
    """Session of one viewer of one stream, `camN` or `panorama`.

    `owner` is the connection that started it. `leave` releases the viewer's right to see it.
    `ended` is called with the reason if it ends without being stopped.
    """

    session_id: str
    owner: str
    stream: str
    leave: Callable[[], Coroutine[Any, Any, None]]
    ended: Ended
    ice_username: str = ""
    """ICE user name of the viewer's side in the offer; empty before the offer."""

    @property
    def stream_kind(self) -> str:
        """Contract name of the stream's kind."""
        return self.stream if self.stream == PANORAMA else f"main_{self.stream}"

    @property
    def camera_id(self) -> int | None:
        """Number of the camera; None for the panorama."""
        return None if self.stream == PANORAMA else int(self.stream.removeprefix("cam"))


Ended = Callable[[WebRtcSession, str], None]


def ignore_end(_session: WebRtcSession, _reason: str) -> None:
    """Do nothing at the end of a session, whose viewer notices it on the connection."""


class WebRtcSessions:
    """Registry of all sessions."""

    def __init__(
        self,
        preview: Preview,
        panorama: PanoramaPreview,
        lease: CameraLease,
        camera_ids: Collection[int],
        tasks: Tasks,
    ) -> None:
        """Create the registry; viewers of sessions that break off leave as tasks of `tasks`."""
        self._preview = preview
        self._panorama = panorama
        self._lease = lease
        self._camera_ids = frozenset(camera_ids)
        self._by_id: dict[str, WebRtcSession] = {}
        self._gone: deque[str] = deque(maxlen=_GONE_KEPT)
        self._tasks = tasks
        preview.live.on_event(self._live_event)

    @property
    def count(self) -> int:
        """Number of sessions."""
        return len(self._by_id)

    def has_camera(self, camera_id: int) -> bool:
        """Return whether the camera exists."""
        return camera_id in self._camera_ids

    def ice_servers(self) -> list[IceServer]:
        """Return the STUN and TURN servers a viewer may use, with credentials."""
        return self._preview.ice_servers()

    async def start(self, owner: str, camera_id: int, ended: Ended = ignore_end) -> WebRtcSession:
        """Start a session that waits for its offer; the camera is shown if it is not yet.

        Raises NotFound for a camera that does not exist, Refused while a recording has exclusive
        use of it, Blocked if it is in use, and Failed if it sends no picture.
        """
        self._must_be_supported()
        viewer = await self._preview.join(camera_id, "webrtc")
        leave = partial(self._preview.leave, viewer)
        return await self._begin(owner, f"cam{camera_id}", leave, ended)

    async def start_panorama(self, owner: str, ended: Ended = ignore_end) -> WebRtcSession:
        """Start a session for the panorama, which is shown if it is not yet.

        Raises Blocked while the cameras are not calibrated, and what its start raises.
        """
        self._must_be_supported()
        await self._panorama.join(owner)
        return await self._begin(owner, PANORAMA, partial(self._panorama.leave, owner), ended)

    def _must_be_supported(self) -> None:
        if not self._preview.webrtc_supported:
            raise Failed("WebRTC runtime is not available", code="webrtc_unavailable")

    async def _begin(
        self,
        owner: str,
        stream: str,
        leave: Callable[[], Coroutine[Any, Any, None]],
        ended: Ended,
    ) -> WebRtcSession:
        try:
            reply = await self._preview.live.ask(
                "webrtc_start", camera=stream, viewer=owner, ice_servers=self.ice_servers()
            )
            session = WebRtcSession(str(reply["session"]), owner, stream, leave, ended)
            if session.session_id in self._gone:  # between the reply and this line
                raise Blocked("The preview was stopped in the meantime.", code="preview_stopped")
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await leave()
            if isinstance(error, Failed) and error.code == "too_many_viewers":
                raise Blocked(error.message, code=error.code, eta_s=VIEWERS_RETRY_S) from error
            raise
        self._by_id[session.session_id] = session
        return session

    def find(self, session_id: object, owner: str) -> WebRtcSession:
        """Return the owner's session. Raises NotFound or Refused in the contract's words."""
        session = self._by_id.get(session_id) if isinstance(session_id, str) else None
        if session is None:
            raise NotFound("Unknown session_id", code="unknown_session")
        if session.owner != owner:
            raise Refused("Session does not belong to this connection", code="foreign_session")
        return session

    async def answer(self, session: WebRtcSession, sdp: str) -> str:
        """Return the answer to the viewer's offer.

        Raises Failed with the reason where there is none.
        """
        reply = await self._preview.live.ask(
            "webrtc_offer", timeout_s=ANSWER_WITHIN_S, session=session.session_id, sdp=sdp
        )
        session.ice_username = str(reply["ice_username"])
        return str(reply["sdp"])

    async def candidate(self, session: WebRtcSession, candidate: str, index: int) -> None:
        """Forward an ICE candidate of the viewer. Raises Failed for an invalid one."""
        await self._preview.live.ask(
            "webrtc_candidate",
            session=session.session_id,
            candidate=candidate,
            sdpMLineIndex=index,
        )

    async def stop(self, session: WebRtcSession) -> None:
        """End a session; one that has ended already is not an error."""
        if self._by_id.pop(session.session_id, None) is None:
            return
        # Set here: a client that stops and requests another picture must not be refused.
        with self._lease.letting_go():
            try:
                await self._preview.live.ask("webrtc_stop", session=session.session_id)
            except (Blocked, Failed) as error:
                # The session, or the whole live process, has already ended.
                log.info("WebRTC session %s: %s", session.session_id, error.message)
            await session.leave()

    async def stop_all_of(self, owner: str) -> None:
        """End every session of a closed connection."""
        with self._lease.letting_go():
            for session in [s for s in self._by_id.values() if s.owner == owner]:
                await self.stop(session)

    def _live_event(self, event: Mapping[str, Any]) -> None:
        kind = event.get("event")
        if kind == "lost":
            for session_id in list(self._by_id):
                self._end_session(session_id, "the live process was restarted")
        elif kind == "webrtc_state" and event.get("state") == "closed":
            session_id = str(event.get("session"))
            self._gone.append(session_id)
            self._end_session(session_id, str(event.get("reason", "")))

    def _end_session(self, session_id: str, reason: str) -> None:
        session = self._by_id.pop(session_id, None)
        if session is None:
            return
        session.ended(session, reason)
        going = ExitStack()
        going.enter_context(self._lease.letting_go())
        self._tasks.start_soon(_leave, session, going, name="leaving a stream")


async def _leave(session: WebRtcSession, going: ExitStack) -> None:
    with going:
        await session.leave()
