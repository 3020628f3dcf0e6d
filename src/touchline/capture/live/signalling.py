"""WebRTC signalling as contract messages (`webrtc_…`), independent of any socket.

The fields of an incoming message may be at its top level or under `data`; outgoing fields are under
`data`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from touchline.capture.live.sessions import WebRtcSession, WebRtcSessions
from touchline.core.errors import TouchlineError

Message = dict[str, Any]
Send = Callable[[str, Message], None]
Handler = Callable[[str, Message], Awaitable[list[Message]]]

_CAMERA = re.compile(r"main_cam(0|[1-9]\d{0,3})", re.ASCII)
_CANDIDATE = "a=candidate:"


class Signalling:
    """Signalling for any number of connections; a session belongs to the one that started it."""

    def __init__(self, sessions: WebRtcSessions) -> None:
        self._sessions = sessions

    async def handle(
        self, connection_id: str, message: Mapping[str, Any], send: Send
    ) -> list[Message]:
        """Return the messages that answer this one, in order.

        Messages that are not replies follow through `send(connection_id, message)`. No client input
        makes it raise.
        """
        data = message.get("data")
        given: Message = {**message, **(data if isinstance(data, dict) else {})}
        handlers: dict[str, Handler] = {
            "webrtc_start": partial(self._start, send),
            "webrtc_offer": self._offer,
            "webrtc_ice_candidate": self._candidate,
            "webrtc_stop": self._stop,
        }
        kind = message.get("type")
        handler = handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            return [_error({}, f"Unsupported WebRTC message type: {kind}")]
        try:
            return await handler(connection_id, given)
        except TouchlineError as error:
            name = "stream_kind" if kind == "webrtc_start" else "session_id"
            return [_error(_echo(given, name), error.message)]

    async def closed(self, connection_id: str) -> None:
        """End the sessions of a closed connection."""
        await self._sessions.stop_all_of(connection_id)

    async def _start(self, send: Send, connection_id: str, given: Message) -> list[Message]:
        def ended(session: WebRtcSession, reason: str) -> None:
            send(session.owner, _state(session, "closed", reason=reason))

        kind = given.get("stream_kind")
        if kind == "panorama":
            return [self._ready(await self._sessions.start_panorama(connection_id, ended))]
        named = _CAMERA.fullmatch(kind) if isinstance(kind, str) else None
        if named is None or not self._sessions.has_camera(int(named[1])):
            return [_error(_echo(given, "stream_kind"), f"Unsupported stream_kind: {kind}")]
        return [self._ready(await self._sessions.start(connection_id, int(named[1]), ended))]

    def _ready(self, session: WebRtcSession) -> Message:
        camera = {} if session.camera_id is None else {"camera_id": session.camera_id}
        servers = self._sessions.ice_servers()
        ready = {"success": True, **_describe_session(session), **camera, "ice_servers": servers}
        return _message("webrtc_session_ready", ready)

    async def _offer(self, connection_id: str, given: Message) -> list[Message]:
        session = self._sessions.find(given.get("session_id"), connection_id)
        offer = given.get("sdp")
        if not isinstance(offer, str):
            return [_error({"session_id": session.session_id}, "An offer needs an sdp")]
        answer = await self._sessions.answer(session, offer)
        return [
            _message(
                "webrtc_answer", {"success": True, **_describe_session(session), "sdp": answer}
            ),
            *(
                _message("webrtc_ice_candidate", {**_describe_session(session), **candidate})
                for candidate in candidates_in(answer)
            ),
        ]

    async def _candidate(self, connection_id: str, given: Message) -> list[Message]:
        session = self._sessions.find(given.get("session_id"), connection_id)
        candidate = given.get("candidate")
        if isinstance(candidate, dict):  # the form of a browser's toJSON()
            given = {**given, **candidate}
            candidate = given.get("candidate")
        index = given.get("sdpMLineIndex")
        if not isinstance(candidate, str | None) or not isinstance(index, int | None):
            return [_error({"session_id": session.session_id}, "The candidate is not a string")]
        await self._sessions.candidate(session, candidate or "", index or 0)
        return [_state(session, "candidate_added")]

    async def _stop(self, connection_id: str, given: Message) -> list[Message]:
        session = self._sessions.find(given.get("session_id"), connection_id)
        await self._sessions.stop(session)
        return [_state(session, "stopped")]


def candidates_in(answer: str) -> list[Message]:
    """Return the answer's own candidates as messages, for clients that wait for them there."""
    found: list[Message] = []
    index = -1
    for line in answer.splitlines():
        if line.startswith("m="):
            index += 1
        elif line.startswith(_CANDIDATE):
            found.append({"candidate": line.removeprefix("a="), "sdpMLineIndex": index})
    return found


def _describe_session(session: WebRtcSession) -> Message:
    return {"session_id": session.session_id, "stream_kind": session.stream_kind}


def _echo(given: Mapping[str, Any], name: str) -> Message:
    """Return the name a client used, if it is a valid one."""
    value = given.get(name)
    return {name: value if isinstance(value, str | None) else str(value)}


def _message(kind: str, data: Message) -> Message:
    return {"type": kind, "data": data}


def _state(session: WebRtcSession, state: str, **more: Any) -> Message:
    return _message("webrtc_state", {"session_id": session.session_id, "state": state, **more})


def _error(names: Message, text: str) -> Message:
    return _message("webrtc_error", {**names, "error": text})
