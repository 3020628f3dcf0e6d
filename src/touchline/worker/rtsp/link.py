"""One connection to a camera, plain or encrypted, on which every wait is bounded.

A thread that waits here can be woken from any other: every wait includes the waker.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Sequence

from touchline.ipc.threads import watched
from touchline.worker.rtsp.address import CameraAddress
from touchline.worker.rtsp.errors import ConnectionLost, RtspError, Stopped

_CHUNK_BYTES = 64 << 10
_RECEIVE_BUFFER_BYTES = 4 << 20
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 3))


class Waker:
    """Interruption of the waits of a session's thread, to stop it or to request something."""

    def __init__(self) -> None:
        self.stopping = False
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the waker is used."""
        return self._read.fileno()

    def stop(self) -> None:
        """End every wait, present and future; from any thread."""
        self.stopping = True
        self.wake()

    def wake(self) -> None:
        """End the present wait; from any thread."""
        try:
            self._write.send(b"w")
        except (BlockingIOError, OSError):
            return  # already woken, or closed

    def drain(self) -> None:
        """Reset the waker. Raises Stopped after a stop."""
        with contextlib.suppress(BlockingIOError):
            self._read.recv(4096)
        if self.stopping:
            raise Stopped

    def close(self) -> None:
        """Close the descriptors."""
        self._read.close()
        self._write.close()


class Link:
    """A connected socket. Belongs to one thread."""

    def __init__(self, connection: socket.socket, waker: Waker) -> None:
        self._socket = connection
        self._waker = waker
        self._poll = select.poll()
        self._poll.register(waker.fileno(), select.POLLIN)
        self._poll.register(connection.fileno(), select.POLLIN)
        self.peer_host: str = connection.getpeername()[0]
        self.own_host: str = connection.getsockname()[0]
        self.family = connection.family

    @classmethod
    def connect(
        cls, address: CameraAddress, waker: Waker, *, verify_tls: bool, timeout_s: float
    ) -> Link:
        """Connect to an address. Raises RtspError, or Stopped if the waker stops it."""
        deadline = time.monotonic() + timeout_s
        connection = _connect(address, waker, deadline)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEPALIVE:
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
            if address.tls:
                connection = _encrypt(connection, address, waker, deadline, verify=verify_tls)
            return cls(connection, waker)
        except OSError as error:
            connection.close()
            raise ConnectionLost(f"{address.where}: {_reason(error)}") from error
        except BaseException:
            connection.close()
            raise

    def watch(self, others: Sequence[socket.socket]) -> None:
        """Include these sockets in `wait`."""
        for other in others:
            self._poll.register(other.fileno(), select.POLLIN)

    def wait(self, timeout_s: float) -> frozenset[int]:
        """Wait for readable descriptors and return them. Raises Stopped."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return frozenset({self.fileno()})
        events = self._poll.poll(max(0.0, timeout_s) * 1000)
        ready = frozenset(descriptor for descriptor, _ in events)
        if self._waker.stopping or self._waker.fileno() in ready:
            self._waker.drain()
        return ready

    def fileno(self) -> int:
        """Return the descriptor of the connection."""
        return self._socket.fileno()

    def receive(self) -> bytes:
        """Return the data that has arrived, which may be empty. Raises ConnectionLost."""
        try:
            data = self._socket.recv(_CHUNK_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            raise ConnectionLost(f"the connection broke: {_reason(error)}") from error
        if not data:
            raise ConnectionLost("the camera closed the connection")
        return data

    def send(self, data: bytes, timeout_s: float) -> None:
        """Send all data. Raises ConnectionLost if the camera stops reading."""
        deadline = time.monotonic() + timeout_s
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                _await(self._socket, select.POLLOUT, self._waker, deadline, "take a request")
            except ssl.SSLWantReadError:
                _await(self._socket, select.POLLIN, self._waker, deadline, "take a request")
            except OSError as error:
                raise ConnectionLost(f"the connection broke: {_reason(error)}") from error

    def send_now(self, data: bytes) -> bool:
        """Send the data if that is possible without waiting."""
        try:
            return self._socket.send(data) == len(data)
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _connect(address: CameraAddress, waker: Waker, deadline: float) -> socket.socket:
    """Connect to the first of the host's addresses that accepts a connection."""
    problem = "it has no address"
    candidates = _resolve(address, waker, deadline)
    for number, (family, where) in enumerate(candidates):
        # An address that never answers must leave time for the others.
        share_s = (deadline - time.monotonic()) / (len(candidates) - number)
        until = time.monotonic() + share_s
        connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            code = connection.connect_ex(where)
            if code in {0, errno.EINPROGRESS}:
                _await(connection, select.POLLOUT, waker, until, "accept a connection")
                code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, "")
        except (OSError, ConnectionLost) as error:
            connection.close()
            problem = _reason(error) if isinstance(error, OSError) else str(error)
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise RtspError(f"{address.where} cannot be reached: {problem}")


Found = list[tuple[socket.AddressFamily, tuple[object, ...]]]


def _resolve(address: CameraAddress, waker: Waker, deadline: float) -> Found:
    """Resolve the host name; an unresponsive name server takes no longer than the deadline."""
    try:
        return _look_up(address, socket.AI_NUMERICHOST)
    except OSError:
        pass  # a name, which has to be resolved
    found: Found = []
    problems: list[str] = []
    done = Waker()

    def ask() -> None:
        try:
            found.extend(_look_up(address, 0))
        except (OSError, UnicodeError) as error:
            problems.append(_reason(error) if isinstance(error, OSError) else "not a host name")
        done.wake()

    def died(error: BaseException) -> None:
        problems.append(repr(error))
        done.wake()

    watched(ask, name="resolver", died=died).start()
    try:
        while not (found or problems):
            if not _ready(done.fileno(), select.POLLIN, waker, deadline):
                problems.append("the name server did not answer")
    finally:
        done.close()
    if problems:
        raise RtspError(f"{address.where} cannot be looked up: {problems[0]}")
    return found


def _look_up(address: CameraAddress, flags: int) -> Found:
    answers = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, where) for family, _, _, _, where in answers[:8]]


def _encrypt(
    connection: socket.socket,
    address: CameraAddress,
    waker: Waker,
    deadline: float,
    *,
    verify: bool,
) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # Cameras with unverifiable certificates often have old software, too.
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    secured = context.wrap_socket(
        connection, server_hostname=address.host, do_handshake_on_connect=False
    )
    try:
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                _await(secured, select.POLLIN, waker, deadline, "complete a TLS handshake")
            except ssl.SSLWantWriteError:
                _await(secured, select.POLLOUT, waker, deadline, "complete a TLS handshake")
            else:
                return secured
    except ssl.SSLCertVerificationError as error:
        secured.close()
        raise RtspError(
            f"the certificate of {address.where} is not trusted ({error.verify_message}); if it is"
            " the camera's own, set verify_tls to false"
        ) from error
    except BaseException:
        secured.close()
        raise


def _await(connection: socket.socket, event: int, waker: Waker, deadline: float, what: str) -> None:
    """Wait until the socket can be read or written. Raises ConnectionLost past the deadline."""
    if not _ready(connection.fileno(), event, waker, deadline):
        raise ConnectionLost(f"the camera did not {what} in time")


def _ready(descriptor: int, event: int, waker: Waker, deadline: float) -> bool:
    """Wait until a descriptor is ready; False past the deadline. Raises Stopped."""
    poll = select.poll()
    poll.register(waker.fileno(), select.POLLIN)
    poll.register(descriptor, event)
    while True:
        left_s = deadline - time.monotonic()
        ready = {found for found, _ in poll.poll(max(0.0, left_s) * 1000)}
        if waker.fileno() in ready:
            waker.drain()
        if descriptor in ready:
            return True
        if left_s <= 0:
            return False


def _reason(error: OSError) -> str:
    if error.errno is not None and not isinstance(error, (ssl.SSLError, socket.gaierror)):
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
