"""The sockets of the WebSocket: admission, and text in and out of a hub's session."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from anyio import CancelScope
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from touchline.core.supervision import Supervisor
from touchline.web.auth.auth import Authenticator
from touchline.web.auth.sessions import BrowserSession as SignedIn
from touchline.web.http.errors import Unauthorized, refusal
from touchline.web.websocket.actions import actions_of
from touchline.web.websocket.channels import channels_of, engine_channels
from touchline.web.websocket.hub import Hub, HubSession

if TYPE_CHECKING:
    from touchline.system import System

SIGNED_OUT = 1008
TRY_AGAIN_LATER = 1013

LONGEST_CLIENT = 64

router = APIRouter(tags=["live"])


def make_hub(system: System) -> Hub:
    """Create the hub of this system, not open yet."""
    capture = system.capture
    hub = Hub(
        (*channels_of(capture), *engine_channels(system.engines, system.events)),
        actions_of(capture),
        signalling=capture.signalling,
        supervisor=Supervisor(system.events.record, system.metrics, half="web"),
        news=capture.news(),
        max_sessions=system.settings.websocket.max_connections,
    )
    metrics = system.metrics
    metrics.gauge("touchline_websocket_sessions", "Open WebSocket sessions").set_function(
        lambda: hub.sessions
    )
    return hub


@router.websocket("/ws", name="websocket")
async def websocket(socket: WebSocket) -> None:
    """Serve one client, from its handshake until either side disconnects."""
    hub: Hub = socket.app.state.hub
    gate: Authenticator = socket.app.state.gate
    try:
        grant = gate.admit(socket.scope)
    except Unauthorized as error:
        await socket.send_denial_response(refusal(error))
        return
    try:
        await socket.accept()
        if hub.is_full or not hub.is_open:
            reason = "Too many connections" if hub.is_open else "The server is shutting down"
            await socket.close(TRY_AGAIN_LATER, reason)
            return
    except WebSocketDisconnect:
        return
    session = hub.join(owner_of(socket))
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_write, socket, session, tasks.cancel_scope)
            if grant.session is not None:
                tasks.start_soon(_end_with, grant.session, socket, tasks.cancel_scope)
            await _read(socket, hub, session)
            tasks.cancel_scope.cancel()
    finally:
        hub.leave(session)


def owner_of(socket: WebSocket) -> str:
    """Return the client's identity on all its connections: its chosen name, or its address.

    Behind a proxy the address is the one that the proxy passes on.
    """
    name = socket.query_params.get("client", "")
    if 0 < len(name) <= LONGEST_CLIENT:
        return f"client {name}"
    return f"address {socket.client.host if socket.client is not None else ''}"


async def _end_with(signed_in: SignedIn, socket: WebSocket, scope: CancelScope) -> None:
    """Close the socket together with the session that it was opened with."""
    await signed_in.ended.wait()
    with suppress(WebSocketDisconnect, RuntimeError, OSError):
        await socket.close(SIGNED_OUT, "Signed out")
    scope.cancel()


async def _read(socket: WebSocket, hub: Hub, session: HubSession) -> None:
    while True:
        # Reading from a client pauses while it does not read its replies, until it is cut off.
        await session.outbox.room()
        frame = await socket.receive()
        if frame["type"] == "websocket.disconnect":
            return
        text = frame.get("text")
        hub.received(session, frame["bytes"] if text is None else text)


async def _write(socket: WebSocket, session: HubSession, scope: CancelScope) -> None:
    while True:
        text = await session.outbox.take()
        try:
            await socket.send_text(text)
        except (WebSocketDisconnect, OSError):
            scope.cancel()
            return
