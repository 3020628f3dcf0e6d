"""Access to a camera's description: connection, redirects and authentication."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from touchline.worker.rtsp.address import CameraAddress, parse_address, redirect_target, usable_base
from touchline.worker.rtsp.authentication import Credentials, RequestSigner
from touchline.worker.rtsp.conversation import Conversation, failure
from touchline.worker.rtsp.description import Description, parse_description
from touchline.worker.rtsp.errors import CameraRefusal, ConnectionLost, NoAnswer, RtspError
from touchline.worker.rtsp.link import Link, Waker
from touchline.worker.rtsp.messages import Response

MAX_REDIRECTS = 5
CONNECT_S = 5.0
_OPTIONS_S = 0.7
"""Short, because a camera that does not answer OPTIONS is usable nevertheless."""


@dataclass(frozen=True)
class Target:
    """The address to reach and the conditions for it."""

    url: str
    credentials: Credentials | None = None
    verify_tls: bool = True


@dataclass(frozen=True)
class Opened:
    """The description of a camera and the connection to it."""

    conversation: Conversation
    address: CameraAddress
    description: Description
    base: str
    methods: frozenset[str]
    """Methods that the camera lists; empty if it lists none."""


def open_camera(
    target: Target,
    waker: Waker,
    *,
    on_packet: Callable[[int, bytes], None] = lambda *_: None,
    methods: frozenset[str] | None = None,
) -> Opened:
    """Connect to a camera and request its description; the caller closes the connection.

    Credentials are for the configured host, port and scheme. Up to five redirects are followed; to
    another host or from `rtsps` to `rtsp` without credentials. `methods` are those that the camera
    supports, if known. Raises RtspError and Stopped.
    """
    configured = address = parse_address(target.url)
    for _ in range(MAX_REDIRECTS + 1):
        own = address.origin == configured.origin
        signer = RequestSigner(target.credentials if own else None)
        try:
            describer = _Describer(target, waker, on_packet, methods)
            conversation, answer = describer.enter(address, signer)
        except RtspError as error:
            if own or target.credentials is None or error.refusal is not CameraRefusal.CREDENTIALS:
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
                return Opened(conversation, address, description, base, describer.methods)
            location = answer.headers.get("location")
            if not 300 <= answer.status < 400 or location is None:
                raise failure("DESCRIBE", answer)
            address = redirect_target(address, location)
        except RtspError:
            conversation.link.close()
            raise
        conversation.link.close()
    raise RtspError(f"the camera redirects more than {MAX_REDIRECTS} times")


class _Describer:
    """A DESCRIBE exchange that uses a second connection if the camera closes the first.

    Some cameras close the connection with their challenge, others when asked for their OPTIONS.
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

    def enter(self, address: CameraAddress, signer: RequestSigner) -> tuple[Conversation, Response]:
        """Connect and send the request. Raises RtspError."""
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
                refusal=CameraRefusal.CREDENTIALS,
            ) from error

    def _once(self, address: CameraAddress, signer: RequestSigner) -> tuple[Conversation, Response]:
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


def _methods(conversation: Conversation, address: CameraAddress) -> frozenset[str]:
    """Return the methods that the camera lists; an empty set rules out no request."""
    try:
        answer = conversation.ask("OPTIONS", address.uri, timeout_s=_OPTIONS_S)
    except NoAnswer:
        return frozenset()
    listed = ",".join(answer.headers.all("public")) if answer.ok else ""
    return frozenset(word.strip().upper() for word in listed.split(",")[:64] if word.strip())


def _base(answer: Response, address: CameraAddress) -> str:
    """Return the base of the description's relative control URLs."""
    for name in ("content-base", "content-location"):
        base = usable_base(answer.headers.get(name))
        if base is not None:
            return base
    return address.uri
