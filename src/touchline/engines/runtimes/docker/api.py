"""Calls to a Docker daemon in bounded time, with all exceptions of aiodocker converted.

The exceptions raised are `RuntimeUnavailable`, where nothing was answered, or `DaemonError`, where
the daemon refused.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

import anyio
from aiodocker import Docker, DockerError

from touchline.core import patience
from touchline.core.errors import Failed
from touchline.engines.http.answers import (
    MOST_COUNTER_DIGITS,
    HttpResponse,
    foreign_session,
    http_errors,
)
from touchline.engines.http.errors import HttpFailed
from touchline.engines.model.model import Executed
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.docker.address import DaemonAddress
from touchline.foreign.json import parse_foreign
from touchline.foreign.text import shown

EVENTS = ("start", "die", "died", "destroy", "remove", "pause", "unpause", "health_status")
"""Event types requested from the daemon.

Podman sends the same ones, but requires its own names for two of them in a request.
"""
LOG_LINES = 10
MOST_LOG_CHARS = 4000
MOST_OUTPUT_BYTES = 64 << 10
LARGEST_ANSWER_BYTES = 8 << 20
"""Maximum size of an answer; the longest one is a list of two thousand containers."""

MOST_MESSAGE_CHARS = 2000

_NO_CONNECTION = 900
"""Status that aiodocker reports where there was no answer."""

_REFERENCE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_FRAME_HEAD_BYTES = 8
_EXIT_CODE_WAIT_S = 0.02


class DaemonError(Failed):
    """Refusal by the daemon, with its own message."""

    default_code = "daemon_error"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message, status=status)
        self.status = status


class ContainerView(Protocol):
    """Container as reported by the daemon, with its API's names."""

    def __getitem__(self, key: str) -> Any: ...


class DockerApi:
    """Client of one daemon.

    A short call may take `timeout_s`; a container is given by its id, name or a prefix of the id.
    Connections are kept; nothing is retried. Without a daemon every call fails at once.
    """

    def __init__(self, address: DaemonAddress, *, timeout_s: float) -> None:
        # No time limit of its own: streams are endless, and every call here has a limit.
        self._docker = Docker(url=address.url, ssl_context=address.tls)
        # aiodocker's own session reads answers of any size and follows any redirect.
        self._docker.session.detach()
        self._docker.session = foreign_session(
            self._docker.connector, most_bytes=LARGEST_ANSWER_BYTES
        )
        self._where = address.url
        self.timeout_s = timeout_s

    async def aclose(self) -> None:
        """Close the connections."""
        await self._docker.close()

    async def ping(self) -> None:
        """Check that the daemon answers."""
        with self._named(may_refuse=False):
            async with self._docker.session.get(f"{self._docker.docker_host}/_ping") as response:
                await response.read()
                if response.status != 200:
                    raise DockerError(
                        response.status, f"it responded with status {response.status}"
                    )

    async def version(self) -> str:
        """Return the daemon's release."""
        with self._named(may_refuse=False):
            return shown(str(_object(await self._docker.version())["Version"]), 64)

    async def containers(self, label: str) -> Sequence[ContainerView]:
        """Return the containers with the label `name=value`, in any state.

        It is a single call, however many there are.
        """
        with self._named(may_refuse=False):
            return await self._docker.containers.list(
                all="1", filters=json.dumps({"label": [label]})
            )

    async def inspect(self, container: str) -> Mapping[str, Any]:
        """Return the full description of a container."""
        with self._named():
            return _object(await self._docker.containers.container(_part(container)).show())

    async def processes(self, container: str) -> Sequence[str]:
        """Return the command lines that run in a container, the first process's first.

        Raises DaemonError also if the daemon cannot report them: Podman sometimes returns nothing.
        """
        with self._named():
            sent = self._send("GET", f"containers/{_part(container)}/top", params={"stream": "0"})
            async with await sent as response:
                answer = await response.json(content_type=None)
            rows = answer.get("Processes") if isinstance(answer, dict) else None
            if not rows:
                raise DockerError(501, "the daemon does not list the processes of containers")
            return [str(row[-1]) for row in rows]

    async def network(self, name: str) -> Mapping[str, Any]:
        """Return the full description of a network, by its name or id."""
        with self._named():
            async with await self._send("GET", f"networks/{_part(name)}") as response:
                return _object(await response.json(content_type=None))

    async def create(self, name: str, config: Mapping[str, Any]) -> str:
        """Create a container, which does not run yet, and return its id."""
        with self._named():
            return (await self._docker.containers.create(dict(config), name=name)).id

    async def start(self, container: str) -> None:
        """Start a container, and return when it is running.

        The caller sets the time limit.
        """
        with self._named(within_s=math.inf):
            await self._docker.containers.container(_part(container)).start()

    async def stop(self, container: str, *, grace_s: float) -> None:
        """Stop a container, killed after `grace_s`, and return when its program has ended."""
        with self._named(within_s=grace_s + self.timeout_s):
            await self._docker.containers.container(_part(container)).stop(t=math.ceil(grace_s))

    async def restart(self, container: str, *, grace_s: float) -> None:
        """Restart a container, and return when its program runs again."""
        with self._named(within_s=grace_s + self.timeout_s):
            await self._docker.containers.container(_part(container)).restart(t=math.ceil(grace_s))

    async def remove(self, container: str) -> None:
        """Kill a container if it runs, and remove it with its volumes."""
        with self._named():
            await self._docker.containers.container(_part(container)).delete(force=True, v=True)

    async def last_words(self, container: str) -> str:
        """Return the last lines of a container's log."""
        # aiodocker's function is not used: it reads as much as the daemon announces.
        query = {"stdout": "1", "stderr": "1", "tail": str(LOG_LINES)}
        with self._named():
            sent = self._send("GET", f"containers/{_part(container)}/logs", params=query)
            async with await sent as response:
                words = _unframed(await _beginning(response.content.iter_any(), drains=False))
        return words.decode(errors="replace").strip()[-MOST_LOG_CHARS:]

    async def statistics(self, container: str) -> Mapping[str, Any]:
        """Return the resource usage of a container, read once."""
        # aiodocker does not know `one-shot`, without which the daemon takes two seconds.
        query = {"stream": "0", "one-shot": "1"}
        with self._named():
            sent = self._send("GET", f"containers/{_part(container)}/stats", params=query)
            async with await sent as response:
                # Podman declares the content type of lists only.
                return _object(await response.json(content_type=None))

    async def execute(self, container: str, command: Sequence[str]) -> Executed:
        """Run a command inside a container.

        The caller sets the time limit.
        """
        with self._named():
            made = await self._docker.containers.container(_part(container)).exec(list(command))
        # aiodocker's stream is not used: it takes over a connection and fails if that is lost.
        with self._named(within_s=math.inf):
            asked = {"Detach": False, "Tty": False}
            sent = self._send("POST", f"exec/{made.id}/start", json=asked)
            async with await sent as response:
                output = _unframed(await _beginning(response.content.iter_any()))
        while True:
            with self._named():
                seen = _object(await made.inspect())
                if seen["ExitCode"] is not None and not seen["Running"]:
                    return Executed(status=int(seen["ExitCode"]), output=output)
            # The output ends with the program; its status is known a moment later.
            await anyio.sleep(_EXIT_CODE_WAIT_S)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Mapping[str, Any]]]:
        """Open the stream of container events, from the moment of entering.

        The iteration ends with the stream.
        """
        # The daemon answers before it subscribes: `since` includes the events in between.
        since_s, rest_ns = divmod(time.time_ns(), 1_000_000_000)
        query = {
            "since": f"{since_s}.{rest_ns:09}",
            "filters": json.dumps({"type": ["container"], "event": list(EVENTS)}),
        }
        with self._named(may_refuse=False):
            response = await self._send("GET", "events", params=query)
        try:
            yield self._lines(response)
        finally:
            # Releasing the connection would read it to its end, which never comes.
            response.close()

    async def pull(
        self, image: str, *, login: str | None
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        """Pull an image and yield the daemon's progress; it ends when the image is available.

        `login` is passed on to the registry, encoded as the daemon requires.
        """
        # aiodocker's own pull takes no login for an image without a registry in its name.
        query = {"fromImage": image} if _is_tagged(image) else {"fromImage": image, "tag": "latest"}
        headers = {} if login is None else {"X-Registry-Auth": login}
        with self._named(within_s=math.inf):
            response = await self._send("POST", "images/create", params=query, headers=headers)
            try:
                async for line in self._lines(response):
                    if "error" in line or "errorDetail" in line:
                        raise DockerError(500, _stream_error(line))
                    yield line
            finally:
                response.close()

    async def _lines(self, response: HttpResponse) -> AsyncIterator[Mapping[str, Any]]:
        with self._named(within_s=math.inf):
            async for line in response.content:
                yield _object(parse_foreign(line, most_digits=MOST_COUNTER_DIGITS))

    async def _send(self, method: str, path: str, **options: Any) -> HttpResponse:
        """Return the response to a call without a function in aiodocker.

        Only its headers have been read.
        """
        if self._docker.api_version == "auto":
            await self._docker.version()
        url = f"{self._docker.docker_host}/{self._docker.api_version}/{path}"
        response = await self._docker.session.request(method, url, **options)
        if response.status >= 400:
            async with response:
                said = _object(await response.json(content_type=None))
            raise DockerError(response.status, str(said["message"]))
        return response

    @contextmanager
    def _named(self, *, within_s: float | None = None, may_refuse: bool = True) -> Iterator[None]:
        """Limit the duration of a call (`timeout_s` by default), and convert its errors.

        Without `may_refuse`, a refusal counts as a failure of the daemon, or of the server in its
        place.
        """
        within_s = self.timeout_s if within_s is None else within_s
        try:
            with http_errors(most_chars=MOST_MESSAGE_CHARS):
                if math.isinf(within_s):
                    yield
                else:
                    with patience.fail_after(within_s):
                        yield
        except DockerError as error:
            said = shown(str(error.message), MOST_MESSAGE_CHARS)
            exchanged = error.status == 400 and "client version" in said
            if exchanged:
                # Another daemon has taken its place: negotiate the version again.
                self._docker.api_version = "auto"
            if exchanged or error.status == _NO_CONNECTION or not may_refuse:
                raise self._unavailable(said) from error
            raise DaemonError(said, status=error.status) from error
        except TimeoutError as error:
            raise self._unavailable(f"it did not respond within {within_s:g} s") from error
        except HttpFailed as error:
            raise self._unavailable(error.message) from error
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            # The answer is incomplete, or from a server that is not a daemon.
            said = shown(repr(error)[:MOST_MESSAGE_CHARS])
            raise self._unavailable(f"its response is invalid: {said}") from error

    def _unavailable(self, reason: str) -> RuntimeUnavailable:
        return RuntimeUnavailable(f"Docker at {self._where}: {reason}")


def _part(container: str) -> str:
    """Return the container as part of a path.

    Invalid names are rejected: `../json` would be a path.
    """
    if _REFERENCE.fullmatch(container) is None:
        raise DaemonError(f"No such container: {container}", status=404)
    return container


def _is_tagged(image: str) -> bool:
    """Return whether the image names a tag or a digest.

    Without one all tags would be pulled.
    """
    last = image.rpartition("/")[2]
    return ":" in last or "@" in last


def _stream_error(line: Mapping[str, Any]) -> str:
    """Return the error in the registry's words."""
    detail = line.get("errorDetail")
    said = detail.get("message") if isinstance(detail, dict) else None
    return str(said or line.get("error") or "unknown error")


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


async def _beginning(stream: AsyncIterator[bytes], *, drains: bool = True) -> bytes:
    """Return the beginning of a stream, as far as it is relevant.

    With `drains` the rest is read and dropped, because a program blocks until its output is read.
    """
    kept = bytearray()
    async for piece in stream:
        # Allows for frame headers, of which small frames need more.
        if len(kept) < 4 * MOST_OUTPUT_BYTES:
            kept += piece
        elif not drains:
            break
    return bytes(kept)


def _unframed(framed: bytes) -> bytes:
    """Return the output, of both kinds in order.

    The daemon sends it in frames with their lengths.
    """
    output = bytearray()
    at = 0
    while at + _FRAME_HEAD_BYTES <= len(framed) and len(output) < MOST_OUTPUT_BYTES:
        length = int.from_bytes(framed[at + 4 : at + _FRAME_HEAD_BYTES], "big")
        output += framed[at + _FRAME_HEAD_BYTES : at + _FRAME_HEAD_BYTES + length]
        at += _FRAME_HEAD_BYTES + length
    return bytes(output[:MOST_OUTPUT_BYTES])
