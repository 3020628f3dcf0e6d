"""WebRTC: each viewer of a camera has a separate connection that sends the camera's encoded frames.

ICE and DTLS are aiortc's; sending is implemented here (`sender.py`). Nothing is encoded here: a
camera that reorders its pictures is transcoded by a separate process (`transcode.py`).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiortc import (
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceServer,
    RTCIceTransport,
)
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp

from touchline.ipc import wire
from touchline.ipc.control import Problem
from touchline.live.transcoding.pool import Transcodes
from touchline.live.transcoding.transcode import CameraTranscode
from touchline.live.webrtc import sdp
from touchline.live.webrtc.certificate import Certificate
from touchline.live.webrtc.rtp import Packetizer
from touchline.live.webrtc.sender import ViewerSender

log = logging.getLogger(__name__)

MAX_SESSIONS = 64
CONNECT_WITHIN_S = 20.0
"""Time limit for a session to connect; browsers wait about as long."""
GATHER_WITHIN_S = 0.5
"""Time limit for a STUN or TURN server, after which it is not used."""
SILENT_FOR_S = 60.0
"""Time during which a server that did not respond is not used."""
_CERTIFICATE_FOR_S = 86_400.0
_CLOSE_WITHIN_S = 2.0
_MAX_CANDIDATES = 64

Notify = Callable[[dict[str, Any]], None]


class IceServers:
    """Gathers the server's own addresses, using STUN and TURN servers while they respond."""

    def __init__(self) -> None:
        self._silent_until_s: dict[str, float] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def gather(self, configured: Sequence[Mapping[str, Any]]) -> RTCIceGatherer:
        """Return a finished gatherer; silent servers cost half a second, once a minute."""
        now_s = time.monotonic()
        servers = [s for s in configured if self._silent_until_s.get(str(s), 0.0) < now_s]
        if servers:
            gatherer = await self._gather_with(servers)
            if gatherer is not None:
                return gatherer
            log.warning("continuing without %s for %g s", _format_urls(servers), SILENT_FOR_S)
            for server in servers:
                self._silent_until_s[str(server)] = time.monotonic() + SILENT_FOR_S
        gatherer = RTCIceGatherer([])
        await gatherer.gather()
        return gatherer

    async def _gather_with(self, servers: Sequence[Mapping[str, Any]]) -> RTCIceGatherer | None:
        """Gather with these servers; None if they do not respond in time or have invalid URLs."""
        named = [
            RTCIceServer(
                urls=list(server["urls"]),
                username=server.get("username"),
                credential=server.get("credential"),
            )
            for server in servers
        ]
        try:
            gatherer = RTCIceGatherer(named)
        except ValueError as error:
            log.warning("%s: %s", _format_urls(servers), error)
            return None
        gathering = asyncio.create_task(gatherer.gather())
        await asyncio.wait({gathering}, timeout=GATHER_WITHIN_S)
        if gathering.done() and gathering.exception() is None:
            return gatherer
        # Not cancelled: its requests would be repeated over closed sockets.
        ending = asyncio.create_task(_end(gatherer, gathering))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return None


async def _end(gatherer: RTCIceGatherer, gathering: asyncio.Task[None]) -> None:
    """Close the gatherer once it has finished, after five seconds at most."""
    await asyncio.wait({gathering})
    if (error := gathering.exception()) is not None:
        log.warning("a STUN or TURN server is unusable: %s", error)
    await RTCIceTransport(gatherer).stop()


def _format_urls(servers: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(url) for server in servers for url in server["urls"])


class Peer:
    """One viewer. `ended` is called once when the session is over, whatever the reason."""

    def __init__(
        self,
        shown: CameraTranscode,
        viewer: str,
        gatherer: RTCIceGatherer,
        certificate: Certificate,
        packetizer: Packetizer,
        notify: Notify,
        ended: Callable[[Peer], None],
        connect_within_s: float,
    ) -> None:
        self.session = str(uuid.uuid4())
        self.viewer = viewer
        self.shown = shown
        self.state = "new"
        self.started_at_s = time.monotonic()
        self._notify = notify
        self._ended = ended
        self._connect_within_s = connect_within_s
        self._gatherer = gatherer
        self._ice = RTCIceTransport(gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [certificate])
        self._sender = ViewerSender(shown, packetizer, cname=secrets.token_hex(8))
        self._offer: sdp.Offer | None = None
        self._chosen: sdp.OfferedFormat | None = None
        self._offered = asyncio.Event()
        self._candidates = 0
        shown.join()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: shown.leave())

    def to_json(self) -> dict[str, Any]:
        """Return what the viewer watches and the state of its connection."""
        return {
            "session": self.session,
            "camera": self.shown.name,
            "viewer": self.viewer,
            "state": self.state,
            "age_s": round(time.monotonic() - self.started_at_s, 3),
            **self._sender.to_json(),
        }

    @property
    def ice_username(self) -> str:
        """ICE user name of the viewer's side in the offer; empty before it."""
        return self._offer.ice_username if self._offer is not None else ""

    async def answer(self, text: str) -> str:
        """Return the answer to the viewer's offer. Raises Problem."""
        if self._offer is not None:
            raise Problem(
                "already_answered", "This session already received an offer; start a new one"
            )
        try:
            offer = sdp.parse_offer(text)
        except sdp.BadOffer as error:
            refused = isinstance(error, sdp.NotAcceptable)
            raise Problem("offer_not_acceptable" if refused else "bad_offer", str(error)) from error
        # Request a keyframe now, so that there is a recent one when the viewer is connected.
        self.shown.current.request_keyframe()
        for candidate in offer.candidates:
            await self.add_candidate(candidate)
        profile = self.shown.profile
        self._offer, self._chosen = offer, offer.choose(profile)
        parameters = self._gatherer.getLocalParameters()
        local = sdp.Local(
            ice_username=parameters.usernameFragment or "",
            ice_password=parameters.password or "",
            fingerprints=tuple(
                (print_.algorithm, print_.value)
                for print_ in self._dtls.getLocalParameters().fingerprints
                if print_.algorithm == "sha-256"
            ),
            candidates=tuple(candidate_to_sdp(c) for c in self._gatherer.getLocalCandidates()),
            ssrc=self._sender.ssrc,
            rtx_ssrc=self._sender.rtx_ssrc,
            cname=self._sender.cname,
            stream=self.shown.name,
        )
        self._offered.set()
        return sdp.render_answer(
            offer, self._chosen, local, profile=profile, session=secrets.randbits(62)
        )

    async def add_candidate(self, text: str) -> None:
        """Add an address of the viewer. Raises Problem for an invalid candidate.

        Unusable candidates (`sdp.is_reachable`) and an empty line ("no more") are ignored.
        """
        text = text.strip().removeprefix("a=").removeprefix("candidate:")
        if not text:
            return
        try:
            is_reachable = sdp.is_reachable(text)
        except sdp.BadOffer as error:
            raise Problem("bad_candidate", str(error)) from error
        if not is_reachable:
            return
        self._candidates += 1
        if self._candidates <= _MAX_CANDIDATES:
            await self._ice.addRemoteCandidate(candidate_from_sdp(text))

    async def close(self) -> None:
        """Close the session; return when it has ended completely."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        """Connect, send until the viewer has gone, and clean up."""
        reason = "it was closed"
        try:
            chosen = await asyncio.wait_for(self._connect(), self._connect_within_s)
            self._set_state("connected")
            await self.shown.settled()
            await self._send(chosen)
            reason = "the viewer hung up"
        except TimeoutError:
            reason = f"no connection within {self._connect_within_s:g} s"
        except ConnectionError as error:
            reason = str(error)
        finally:
            await self._close()
            self._ended(self)
            self._set_state("closed", reason)

    async def _connect(self) -> sdp.OfferedFormat:
        await self._offered.wait()
        offer, chosen = self._offer, self._chosen
        if offer is None or chosen is None:
            raise ConnectionError("there was no offer")
        self._set_state("connecting")
        await self._ice.start(RTCIceParameters(offer.ice_username, offer.ice_password))
        if self._ice.state != "completed":
            raise ConnectionError("no connection to the viewer was found (ICE)")
        # aiortc's own peer connection sets the negotiated role in the same way.
        self._dtls._set_role("client" if offer.dtls_client else "server")  # noqa: SLF001
        prints = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in offer.fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints=prints))
        if self._dtls.state != "connected":
            raise ConnectionError("the encrypted connection could not be established (DTLS)")
        return chosen

    async def _send(self, chosen: sdp.OfferedFormat) -> None:
        """Send until the viewer is gone. Raises ConnectionError if sending detects it first."""
        gone = asyncio.Event()

        def look() -> None:
            if self._ice.state == "failed" or self._dtls.state in {"closed", "failed"}:
                gone.set()

        self._ice.on("statechange", look)
        self._dtls.on("statechange", look)
        look()
        sending = asyncio.create_task(self._sender.run(self._dtls, chosen))
        leaving = asyncio.create_task(gone.wait())
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _close(self) -> None:
        async def stop_in_order() -> None:
            if self._dtls.state == "connected":
                await self._sender.send_bye()
            await self._dtls.stop()
            await self._ice.stop()

        try:
            await asyncio.wait_for(stop_in_order(), _CLOSE_WITHIN_S)
        except TimeoutError:
            log.warning("a session of %s could not be closed in time", self.shown.name)

    def announce(self) -> None:
        """Report the session for the first time."""
        self._set_state("new")

    def _set_state(self, state: str, reason: str = "") -> None:
        self.state = state
        log.info("viewer %s of %s: %s %s", self.session[:8], self.shown.name, state, reason)
        self._notify(
            wire.event(
                "webrtc_state",
                session=self.session,
                camera=self.shown.name,
                state=state,
                reason=reason,
            )
        )


class Peers:
    """All viewers over WebRTC. Sessions are identified by the result of `start`."""

    def __init__(
        self, transcodes: Transcodes, notify: Notify, *, connect_within_s: float = CONNECT_WITHIN_S
    ) -> None:
        self._transcodes = transcodes
        self._notify = notify
        self._connect_within_s = connect_within_s
        self._peers: dict[str, Peer] = {}
        self._starting = 0
        self._packetizers: dict[str, Packetizer] = {}
        self._ice_servers = IceServers()
        self._certificate: Certificate | None = None
        self._certificate_until_s = 0.0

    def sessions(self) -> list[dict[str, Any]]:
        """Return the current viewers."""
        return [peer.to_json() for peer in self._peers.values()]

    async def start(
        self, camera: str, viewer: str, *, ice_servers: Sequence[Mapping[str, Any]] = ()
    ) -> str:
        """Create a session for a camera; it waits for its offer. Raises Problem."""
        if len(self._peers) + self._starting >= MAX_SESSIONS:
            raise Problem("too_many_viewers", f"The maximum of {MAX_SESSIONS} viewers is reached")
        self._starting += 1
        try:
            gatherer = await self._ice_servers.gather(ice_servers)
        finally:
            self._starting -= 1
        peer = Peer(
            self._transcodes.of(camera),
            viewer,
            gatherer,
            self._current_certificate(),
            self._packetizers.setdefault(camera, Packetizer()),
            self._notify,
            self._forget,
            self._connect_within_s,
        )
        self._peers[peer.session] = peer
        peer.announce()
        return peer.session

    async def offer(self, session: str, text: str) -> dict[str, Any]:
        """Return the answer to a session's offer, and the viewer's ICE name. Raises Problem."""
        peer = self._find(session)
        return {"sdp": await peer.answer(text), "ice_username": peer.ice_username}

    async def candidate(self, session: str, text: str, index: int) -> None:
        """Add an address of the viewer. Raises Problem.

        `index` is the section of the offer that it belongs to. It has no effect, because one
        connection carries everything that is sent.
        """
        del index
        await self._find(session).add_candidate(text)

    async def stop(self, session: str) -> None:
        """End a session. Raises Problem if there is none."""
        await self._find(session).close()

    async def clear(self, camera: str) -> None:
        """End the sessions of one camera."""
        watching = [peer for peer in self._peers.values() if peer.shown.name == camera]
        await asyncio.gather(*(peer.close() for peer in watching))

    async def close(self) -> None:
        """End all sessions."""
        await asyncio.gather(*(peer.close() for peer in list(self._peers.values())))

    def _find(self, session: str) -> Peer:
        peer = self._peers.get(session)
        if peer is None:
            raise Problem("unknown_session", "Unknown session_id")
        return peer

    def _forget(self, peer: Peer) -> None:
        self._peers.pop(peer.session, None)

    def _current_certificate(self) -> Certificate:
        """Return the certificate of the day: creating one dominates the start of a session."""
        now_s = time.monotonic()
        if self._certificate is None or now_s > self._certificate_until_s:
            self._certificate = Certificate.generateCertificate()
            self._certificate_until_s = now_s + _CERTIFICATE_FOR_S
        return self._certificate
