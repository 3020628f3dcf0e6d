"""RTSP requests and responses over one connection, with interleaved packets between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from touchline import __version__
from touchline.worker.rtsp.authentication import ChallengeVerdict, RequestSigner
from touchline.worker.rtsp.errors import CameraRefusal, NoAnswer, RtspError
from touchline.worker.rtsp.link import Link
from touchline.worker.rtsp.messages import (
    CameraRequest,
    Message,
    Reader,
    Response,
    encode_request,
    encode_response,
    printable,
)

SEND_S = 2.0
ANSWER_S = 5.0
_AGENT = ("User-Agent", f"touchline/{__version__}")
_SUPPORTED = {"OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"}
_REFUSALS = {
    ChallengeVerdict.NO_CREDENTIALS: (
        "the camera requires a user name and password (401); set user and password of this camera"
    ),
    ChallengeVerdict.NO_COMMON_METHOD: (
        "the camera requires an unsupported authentication scheme (401)"
    ),
    ChallengeVerdict.WRONG: (
        "the camera refuses the user name or the password (401); correct user and"
        " password of this camera"
    ),
}


class Asked:
    """A pending request."""

    def __init__(self, method: str, uri: str, headers: Sequence[tuple[str, str]]) -> None:
        self.method, self.uri, self.headers = method, uri, headers
        self.answer: Response | None = None


class Conversation:
    """Exchange of requests, responses and packets with the camera. Belongs to one thread.

    If the camera itself ended the session, `ended` is set to the reason.
    """

    def __init__(
        self, link: Link, signer: RequestSigner, on_packet: Callable[[int, bytes], None]
    ) -> None:
        self.link = link
        self.signer = signer
        self.reader = Reader(on_packet)
        self.session: str | None = None
        self.ended: str | None = None
        self._number = 0
        self._waiting: dict[int, Asked] = {}

    def begin_session(self, session: str | None) -> None:
        """Name the session in all further requests; None: the camera has given it no name."""
        self.session = session

    def ask(
        self,
        method: str,
        uri: str,
        headers: Sequence[tuple[str, str]] = (),
        *,
        timeout_s: float = ANSWER_S,
    ) -> Response:
        """Send a request and return its response, signing the request when the camera demands it.

        Raises RtspError without a response, or if the camera refuses the login.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            asked = self.post(method, uri, headers)
            while asked.answer is None:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    self._forget(asked)
                    raise NoAnswer(f"the camera did not answer {method} within {timeout_s:g} s")
                self.take(self.link.wait(left_s))
            if asked.answer.status != 401:
                self.signer.accepted()
                return asked.answer
            verdict = self.sign(asked.answer)
            if verdict is not ChallengeVerdict.SIGN:
                raise RtspError(_REFUSALS[verdict], refusal=CameraRefusal.CREDENTIALS)

    def sign(self, answer: Response) -> ChallengeVerdict:
        """Process the challenge of a 401."""
        return self.signer.challenged(answer.headers.all("www-authenticate"))

    def post(self, method: str, uri: str, headers: Sequence[tuple[str, str]] = ()) -> Asked:
        """Send a request without waiting; its response is recorded when it arrives."""
        self._number += 1
        sent = [*headers, _AGENT]
        if self.session is not None:
            sent.append(("Session", self.session))
        signature = self.signer.authorization(method, uri)
        if signature is not None:
            sent.append(("Authorization", signature))
        asked = self._waiting[self._number] = Asked(method, uri, headers)
        if len(self._waiting) > 8:  # requests not answered by now will not be answered
            del self._waiting[min(self._waiting)]
        self.link.send(encode_request(method, uri, self._number, sent), SEND_S)
        return asked

    def take(self, ready: frozenset[int]) -> None:
        """Read available data if the connection is among the ready descriptors."""
        if self.link.fileno() not in ready:
            return
        for message in self.reader.feed(self.link.receive()):
            self._note(message)

    def part(self, uri: str) -> None:
        """Send a TEARDOWN without waiting for a response."""
        self._number += 1
        headers = [_AGENT, *([("Session", self.session)] if self.session else [])]
        signature = self.signer.authorization("TEARDOWN", uri)
        if signature is not None:
            headers.append(("Authorization", signature))
        self.link.send_now(encode_request("TEARDOWN", uri, self._number, headers))

    def send_packet(self, channel: int, packet: bytes) -> None:
        """Send an interleaved packet, such as RTCP, to the camera. Raises ConnectionLost."""
        head = bytes([0x24, channel]) + len(packet).to_bytes(2, "big")
        self.link.send(head + packet, SEND_S)

    def _forget(self, asked: Asked) -> None:
        self._waiting = {n: each for n, each in self._waiting.items() if each is not asked}

    def _note(self, message: Message) -> None:
        if isinstance(message, CameraRequest):
            self._answer_request(message)
        elif message.status >= 200:
            number = message.headers.number("cseq")
            if number is None or not 0 < number <= self._number:
                # Some cameras send no or wrong sequence numbers: their responses come in order.
                number = min(self._waiting, default=0)
            asked = self._waiting.pop(number, None)
            if asked is not None:
                asked.answer = message

    def _answer_request(self, request: CameraRequest) -> None:
        """Answer a request of the camera."""
        number = request.headers.get("cseq") or "0"
        if request.method in {"REDIRECT", "TEARDOWN", "BYE"}:
            self.ended = f"the camera ended the session ({printable(request.method)})"
        known = request.method in _SUPPORTED or self.ended is not None
        status, reason = (200, "OK") if known else (501, "Not Implemented")
        self.link.send(encode_response(status, reason, number), SEND_S)


def failure(method: str, answer: Response) -> RtspError:
    """Return the error for a refused request."""
    refusals = {403: CameraRefusal.CREDENTIALS, 453: CameraRefusal.BUSY, 503: CameraRefusal.BUSY}
    meanings = {
        403: "the camera forbids this stream to the user (403); check the user's rights",
        404: "the camera has no stream at this path (404); check the URL",
        453: "the camera has no connection left (453 Not Enough Bandwidth); end other viewers",
        503: "the camera serves no more viewers at the moment (503)",
    }
    text = meanings.get(answer.status, f"the camera refuses {method}: {answer.line}")
    return RtspError(text, refusal=refusals.get(answer.status))
