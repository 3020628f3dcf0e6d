"""Opening a camera over RTSP."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from support.scriptedcamera import H264, Asked, ScriptedCamera, answer, description, scripted_camera
from touchline.worker.rtsp import CameraRefusal, RtspError, describe

SDP = description(H264)
DIGEST = 'Digest realm="cam", nonce="{}", algorithm=SHA-256'


def plain(_camera: ScriptedCamera, _connection: socket.socket, asked: Asked) -> bytes:
    if asked.method == "OPTIONS":
        return answer(asked, Public="OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER")
    return answer(asked, body=SDP)


def locked(_camera: ScriptedCamera, _connection: socket.socket, asked: Asked) -> bytes:
    if asked.method == "OPTIONS":
        return answer(asked)
    if 'username="right"' not in asked.headers.get("authorization", ""):
        return answer(asked, "401 Unauthorized", WWW_Authenticate=DIGEST.format("n"))
    return answer(asked, body=SDP)


def offered(asked: list[Asked]) -> int:
    return sum("authorization" in each.headers for each in asked)


def test_a_camera_says_what_it_offers() -> None:
    with scripted_camera(plain) as camera:
        offer = describe(camera.url)
    assert (offer.codec, offer.width, offer.track) == (
        "h264",
        None,
        "0 (trackID=0, h264, size unknown)",
    )


def test_a_camera_that_wants_sha_256_is_signed_in_to() -> None:
    with scripted_camera(locked) as camera:
        assert describe(camera.url, "right", "secret").codec == "h264"
        assert offered(camera.asked) == 1


def test_a_wrong_password_is_offered_once_and_said_to_be_refused() -> None:
    with scripted_camera(locked) as camera:
        with pytest.raises(RtspError, match=r"refuses the user name or the password \(401\)") as no:
            describe(camera.url, "wrong", "secret")
        assert no.value.refusal is CameraRefusal.CREDENTIALS
        assert offered(camera.asked) == 1


def test_a_camera_that_wants_credentials_where_there_are_none_says_so() -> None:
    with scripted_camera(locked) as camera, pytest.raises(RtspError, match="set user and password"):
        describe(camera.url)


@pytest.mark.parametrize("signing", [True, False])
def test_a_camera_may_close_the_connection_with_its_challenge(*, signing: bool) -> None:
    def closing_camera(
        camera: ScriptedCamera, connection: socket.socket, asked: Asked
    ) -> bytes | None:
        reply = locked(camera, connection, asked)
        if b"401" in reply:
            connection.sendall(reply)
            return None
        return reply if signing else None

    with scripted_camera(closing_camera) as camera:
        if signing:
            assert describe(camera.url, "right", "secret").codec == "h264"
        else:
            with pytest.raises(RtspError):
                describe(camera.url, "right", "secret")
        assert camera.connections == 2


def test_a_camera_that_closes_the_connection_at_options_is_asked_without() -> None:
    def shy(camera: ScriptedCamera, connection: socket.socket, asked: Asked) -> bytes | None:
        return None if asked.method == "OPTIONS" else plain(camera, connection, asked)

    with scripted_camera(shy) as camera:
        assert describe(camera.url).codec == "h264"


@pytest.mark.parametrize(
    ("status", "complaint", "refusal"),
    [
        ("403 Forbidden", "forbids this stream", CameraRefusal.CREDENTIALS),
        ("404 Not Found", "no stream at this path", None),
        ("453 Not Enough Bandwidth", "no connection left", CameraRefusal.BUSY),
        ("500 \x1b[31mOops", r"refuses DESCRIBE: 500 \?\[31mOops", None),
        ("302 Moved", "refuses DESCRIBE: 302", None),
    ],
)
def test_each_refusal_says_what_to_do(
    status: str, complaint: str, refusal: CameraRefusal | None
) -> None:
    def refusing(_: ScriptedCamera, _c: socket.socket, asked: Asked) -> bytes:
        return answer(asked, status if asked.method == "DESCRIBE" else "200 OK")

    with scripted_camera(refusing) as camera:
        with pytest.raises(RtspError, match=complaint) as no:
            describe(camera.url)
        assert no.value.refusal is refusal


@contextmanager
def redirecting(to: str, host: str = "127.0.0.1") -> Iterator[ScriptedCamera]:
    def script(camera: ScriptedCamera, _connection: socket.socket, asked: Asked) -> bytes:
        if asked.method == "OPTIONS":
            return answer(asked)
        if "authorization" not in asked.headers:
            return answer(asked, "401 Unauthorized", WWW_Authenticate='Basic realm="c"')
        return answer(asked, "302 Found", Location=to or camera.url)

    with scripted_camera(script, host=host) as camera:
        yield camera


def test_a_redirect_to_another_host_is_followed_without_credentials() -> None:
    with scripted_camera(plain) as other, redirecting(other.url) as camera:
        assert describe(camera.url, "right", "secret").codec == "h264"
        assert offered(other.asked) == 0


def test_another_host_that_asks_for_credentials_does_not_get_them() -> None:
    with scripted_camera(locked) as other, redirecting(other.url) as camera:
        with pytest.raises(RtspError, match="configure that address"):
            describe(camera.url, "right", "secret")
        assert offered(other.asked) == 0


def test_redirects_end_after_the_fifth() -> None:
    with redirecting("") as camera:
        with pytest.raises(RtspError, match="more than 5 times"):
            describe(camera.url, "right", "secret")
        assert camera.connections == 6


def test_a_camera_that_says_nothing_is_given_up_in_time() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        began = time.monotonic()
        with pytest.raises(RtspError, match=r"within 0\.5 s"):
            describe(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.5)
        assert time.monotonic() - began < 5


def test_nobody_there_is_told_from_a_name_that_is_unknown() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(RtspError, match="cannot be reached: Connection refused"):
        describe(f"rtsp://127.0.0.1:{port}/")
    with pytest.raises(RtspError, match="cannot be looked up"):
        describe("rtsp://no-such-host.invalid/", timeout_s=10)


def test_an_endless_answer_is_refused() -> None:
    def endless(_: ScriptedCamera, connection: socket.socket, asked: Asked) -> None:
        connection.sendall(b"RTSP/1.0 200 OK\r\n")
        while True:
            connection.sendall(b"X: y\r\n" * 1000)

    with (
        scripted_camera(endless) as camera,
        pytest.raises(RtspError, match="a header of more than"),
    ):
        describe(camera.url)


def test_late_and_preliminary_answers_are_not_taken_for_the_one_that_is_waited_for() -> None:
    def noisy(camera: ScriptedCamera, connection: socket.socket, asked: Asked) -> bytes:
        connection.sendall(b"RTSP/1.0 100 Continue\r\nCSeq: " + asked.cseq.encode() + b"\r\n\r\n")
        before = str(int(asked.cseq) - 1).encode()
        if asked.cseq != "1":
            connection.sendall(b"RTSP/1.0 404 Not Found\r\nCSeq: " + before + b"\r\n\r\n")
        connection.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        return plain(camera, connection, asked)

    with scripted_camera(noisy) as camera:
        assert describe(camera.url).codec == "h264"


@pytest.mark.parametrize("counted", [b"", b"CSeq: 4711\r\n", b"CSeq: 0\r\n", b"CSeq: x\r\n"])
def test_an_answer_that_does_not_count_is_the_answer(counted: bytes) -> None:
    def uncounted(camera: ScriptedCamera, connection: socket.socket, asked: Asked) -> bytes:
        line = f"CSeq: {asked.cseq}\r\n".encode()
        return plain(camera, connection, asked).replace(line, counted)

    with scripted_camera(uncounted) as camera:
        assert describe(camera.url).codec == "h264"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A camera's own certificate, which nobody else has signed."""
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=camera", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_a_cameras_own_certificate_is_accepted_only_on_request(tls: ssl.SSLContext) -> None:
    with scripted_camera(locked, tls=tls) as camera:
        with pytest.raises(RtspError, match=r"not trusted .* set verify_tls to false"):
            describe(camera.url, "right", "secret")
        assert camera.asked == []
        assert describe(camera.url, "right", "secret", verify_tls=False).codec == "h264"


def test_a_redirect_from_tls_to_plain_text_gets_no_credentials(tls: ssl.SSLContext) -> None:
    with scripted_camera(locked) as plain_text:

        def script(_camera: ScriptedCamera, _connection: socket.socket, asked: Asked) -> bytes:
            if asked.method == "OPTIONS":
                return answer(asked)
            if "authorization" not in asked.headers:
                return answer(asked, "401 Unauthorized", WWW_Authenticate='Basic realm="c"')
            return answer(asked, "302 Found", Location=plain_text.url)

        with scripted_camera(script, tls=tls) as camera:
            with pytest.raises(RtspError, match="configure that address"):
                describe(camera.url, "right", "secret", verify_tls=False)
            assert offered(plain_text.asked) == 0


def test_a_plain_server_behind_a_tls_address_is_refused() -> None:
    with scripted_camera(plain) as camera, pytest.raises(RtspError):
        describe(camera.url.replace("rtsp://", "rtsps://"), timeout_s=8)
