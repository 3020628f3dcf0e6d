"""Reaching a camera's description: connection, redirects, sign-in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from touchline.worker.rtsp.address import Address, parse_address, redirect_target, usable_base
from touchline.worker.rtsp.authentication import Credentials, Signer
from touchline.worker.rtsp.conversation import Conversation, failure
from touchline.worker.rtsp.description import Description, parse_description
from touchline.worker.rtsp.errors import ConnectionLost, NoAnswer, Refusal, RtspError
from touchline.worker.rtsp.link import Link, Waker
from touchline.worker.rtsp.messages import Response

MAX_REDIRECTS = 5
CONNECT_S = 5.0
_OPTIONS_S = 0.7
"""Not to be told is no fault, so a camera that keeps silent is not waited for."""


@dataclass(frozen=True)
class Target:
    """What is to be reached, and how."""

    url: str
    credentials: Credentials | None = None
    verify_tls: bool = True


@dataclass(frozen=True)
class Opened:
    """A camera that has described itself, and the connection to it."""

    conversation: Conversation
    address: Address
    description: Description
    base: str
    methods: frozenset[str]
    """What it says that it understands; empty where it does not say."""


def open_camera(
    target: Target,
    waker: Waker,
    *,
    on_packet: Callable[[int, bytes], None] = lambda *_: None,
    methods: frozenset[str] | None = None,
) -> Opened:
    """Connect to a camera and ask for its description; the caller closes the connection.

    Credentials are for the configured host, port and scheme. A redirect is followed up to five
    times, to another host or from `rtsps` to `rtsp` without them. `methods` are what the camera
    understands, where that is known. Raises RtspError and Stopped.
    """
    configured = address = parse_address(target.url)
    for _ in range(MAX_REDIRECTS + 1):
        own = address.origin == configured.origin
        signer = Signer(target.credentials if own else None)
        try:
            door = _Door(target, waker, on_packet, methods)
            conversation, answer = door.enter(address, signer)
        except RtspError as error:
            if own or target.credentials is None or error.refusal is not Refusal.CREDENTIALS:
                raise
            raise RtspError(
                f"the camera redirects to {address.scheme}://{address.where}, where its user name"
                " and password are not sent; configure that address as its URL",
                refusal=error.refusal,
            ) from error
        try:
            if answer.ok:
                base = _base(answer, address)
                description = parse_description(answer.body)
                return Opened(conversation, address, description, base, door.methods)
            location = answer.headers.get("location")
            if not 300 <= answer.status < 400 or location is None:
                raise failure("DESCRIBE", answer)
            address = redirect_target(address, location)
        except RtspError:
            conversation.link.close()
            raise
        conversation.link.close()
    raise RtspError(f"the camera redirects more than {MAX_REDIRECTS} times")


class _Door:
    """Gets a camera's answer to DESCRIBE, over a second connection where it closes the first.

    Some close the connection with their challenge, others when they are asked for their OPTIONS.
    """

    def __init__(
        self,
        target: Target,
        waker: Waker,
        on_packet: Callable[[int, bytes], None],
        methods: frozenset[str] | None,
    ) -> None:
        self.methods = methods or frozenset()
        self._ask_options = methods is None
        self._target, self._waker, self._on_packet = target, waker, on_packet

    def enter(self, address: Address, signer: Signer) -> tuple[Conversation, Response]:
        """Connect and ask. Raises RtspError."""
        try:
            return self._once(address, signer)
        except ConnectionLost:
            if not self._ask_options and not signer.signing:
                raise
        self._ask_options = False
        signer.start_again()
        try:
            return self._once(address, signer)
        except ConnectionLost as error:
            if not signer.signing:
                raise
            raise RtspError(
                "the camera closed the connection when the user name and password were sent;"
                " check user and password of this camera",
                refusal=Refusal.CREDENTIALS,
            ) from error

    def _once(self, address: Address, signer: Signer) -> tuple[Conversation, Response]:
        link = Link.connect(
            address, self._waker, verify_tls=self._target.verify_tls, timeout_s=CONNECT_S
        )
        conversation = Conversation(link, signer, self._on_packet)
        try:
            if self._ask_options:
                self.methods = _methods(conversation, address)
            accept = [("Accept", "application/sdp")]
            return conversation, conversation.ask("DESCRIBE", address.uri, accept)
        except BaseException:
            link.close()
            raise


def _methods(conversation: Conversation, address: Address) -> frozenset[str]:
    """What the camera understands; a camera that does not say so is asked for the rest anyway."""
    try:
        answer = conversation.ask("OPTIONS", address.uri, timeout_s=_OPTIONS_S)
    except NoAnswer:
        return frozenset()
    listed = ",".join(answer.headers.all("public")) if answer.ok else ""
    return frozenset(word.strip().upper() for word in listed.split(",")[:64] if word.strip())


def _base(answer: Response, address: Address) -> str:
    """What the description's control URLs are relative to."""
    for name in ("content-base", "content-location"):
        base = usable_base(answer.headers.get(name))
        if base is not None:
            return base
    return address.uri
