"""The calls to a Docker daemon: each takes bounded time, and aiodocker's exceptions end here.

What leaves it is `RuntimeUnavailable`, where nothing was answered, or `DaemonError`, where the
daemon said no.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

import aiohttp
import anyio
from aiodocker import Docker, DockerError
from aiohttp.http_exceptions import HttpProcessingError

from touchline.core import patience
from touchline.core.errors import Failed
from touchline.engines.http.answers import MOST_COUNTER_DIGITS, foreign_session
from touchline.engines.model.model import Executed
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.docker.address import Address
from touchline.foreign.json import parse_foreign
from touchline.foreign.text import shown

EVENTS = ("start", "die", "died", "destroy", "remove", "pause", "unpause", "health_status")
"""Podman tells the same kinds, and wants two of them asked for by names of its own."""
LOG_LINES = 10
MOST_LOG_CHARS = 4000
MOST_OUTPUT_BYTES = 64 << 10
LARGEST_ANSWER_BYTES = 8 << 20
"""A list of two thousand containers, which is the longest answer."""

MOST_MESSAGE_CHARS = 2000

_NO_CONNECTION = 900
"""The status that aiodocker gives where there was no answer."""

_REFERENCE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_FRAME_HEAD_BYTES = 8
_EXIT_CODE_WAIT_S = 0.02


class DaemonError(Failed):
    """The daemon said no; the message is in its own words."""

    default_code = "daemon_error"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message, status=status)
        self.status = status


class Shown(Protocol):
    """What the daemon shows of a container, as its API names it."""

    def __getitem__(self, key: str) -> Any: ...


class DockerApi:
    """One daemon. A short call may take `timeout_s`; a call by id takes an id, a name or a prefix.

    Connections are kept; nothing is retried. Without a daemon every call fails at once.
    """

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        # Without a time limit of its own: streams are endless, and every call here has its own.
        self._docker = Docker(url=address.url, ssl_context=address.tls)
        # The session that it made reads whatever comes, and follows a redirect to anywhere.
        self._docker.session.detach()
        self._docker.session = foreign_session(
            self._docker.connector, most_bytes=LARGEST_ANSWER_BYTES
        )
        self._where = address.url
        self.timeout_s = timeout_s

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._docker.close()

    async def ping(self) -> None:
        """Return if it answers."""
        with self._named(may_refuse=False):
            async with self._docker.session.get(f"{self._docker.docker_host}/_ping") as response:
                await response.read()
                if response.status != 200:
                    raise DockerError(
                        response.status, f"it responded with status {response.status}"
                    )

    async def version(self) -> str:
        """What release it is."""
        with self._named(may_refuse=False):
            return shown(str(_object(await self._docker.version())["Version"]), 64)

    async def containers(self, label: str) -> Sequence[Shown]:
        """Those that carry `name=value`, in whatever state: one call, however many there are."""
        with self._named(may_refuse=False):
            return await self._docker.containers.list(
                all="1", filters=json.dumps({"label": [label]})
            )

    async def inspect(self, container: str) -> Mapping[str, Any]:
        """Everything about one of them."""
        with self._named():
            return _object(await self._docker.containers.container(_part(container)).show())

    async def processes(self, container: str) -> Sequence[str]:
        """The command lines that run in it, the first process's first.

        Raises DaemonError where the daemon cannot tell, too: Podman answers nothing at times.
        """
        with self._named():
            sent = self._send("GET", f"containers/{_part(container)}/top", params={"stream": "0"})
            async with await sent as response:
                told = await response.json(content_type=None)
            rows = told.get("Processes") if isinstance(told, dict) else None
            if not rows:
                raise DockerError(501, "the daemon does not list the processes of containers")
            return [str(row[-1]) for row in rows]

    async def network(self, name: str) -> Mapping[str, Any]:
        """Everything about a network, by its name or id."""
        with self._named():
            async with await self._send("GET", f"networks/{_part(name)}") as response:
                return _object(await response.json(content_type=None))

    async def create(self, name: str, config: Mapping[str, Any]) -> str:
        """The id of a new container, which does not run yet."""
        with self._named():
            return (await self._docker.containers.create(dict(config), name=name)).id

    async def start(self, container: str) -> None:
        """Return when it runs. The caller says how long that may take."""
        with self._named(within_s=math.inf):
            await self._docker.containers.container(_part(container)).start()

    async def stop(self, container: str, *, grace_s: float) -> None:
        """Return when its program has ended: by itself, or killed after `grace_s`."""
        with self._named(within_s=grace_s + self.timeout_s):
            await self._docker.containers.container(_part(container)).stop(t=math.ceil(grace_s))

    async def restart(self, container: str, *, grace_s: float) -> None:
        """Return when its program runs anew."""
        with self._named(within_s=grace_s + self.timeout_s):
            await self._docker.containers.container(_part(container)).restart(t=math.ceil(grace_s))

    async def remove(self, container: str) -> None:
        """Kill it where it runs, and remove it with its volumes."""
        with self._named():
            await self._docker.containers.container(_part(container)).delete(force=True, v=True)

    async def last_words(self, container: str) -> str:
        """The end of what it wrote to its log."""
        # Not by aiodocker's function, which reads as much as the daemon says that there is.
        query = {"stdout": "1", "stderr": "1", "tail": str(LOG_LINES)}
        with self._named():
            sent = self._send("GET", f"containers/{_part(container)}/logs", params=query)
            async with await sent as response:
                words = _unframed(await _beginning(response.content, drains=False))
        return words.decode(errors="replace").strip()[-MOST_LOG_CHARS:]

    async def statistics(self, container: str) -> Mapping[str, Any]:
        """What it takes of the machine, read once."""
        # aiodocker does not know `one-shot`, without which the daemon takes two seconds.
        query = {"stream": "0", "one-shot": "1"}
        with self._named():
            sent = self._send("GET", f"containers/{_part(container)}/stats", params=query)
            async with await sent as response:
                # Podman says of nothing but lists what it is.
                return _object(await response.json(content_type=None))

    async def execute(self, container: str, command: Sequence[str]) -> Executed:
        """Run it inside the container. The caller says how long that may take."""
        with self._named():
            made = await self._docker.containers.container(_part(container)).exec(list(command))
        # Not by aiodocker's stream, which takes a connection over and fails when that is lost.
        with self._named(within_s=math.inf):
            asked = {"Detach": False, "Tty": False}
            sent = self._send("POST", f"exec/{made.id}/start", json=asked)
            async with await sent as response:
                output = _unframed(await _beginning(response.content))
        while True:
            with self._named():
                seen = _object(await made.inspect())
                if seen["ExitCode"] is not None and not seen["Running"]:
                    return Executed(status=int(seen["ExitCode"]), output=output)
            # The output ends with the program; its status is known a moment later.
            await anyio.sleep(_EXIT_CODE_WAIT_S)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Mapping[str, Any]]]:
        """What happens to containers from the moment this is entered; it ends with the stream."""
        # The daemon answers a moment before it listens: `since` makes it tell that moment, too.
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
            # Released, the connection would be read to its end, which never comes.
            response.close()

    async def pull(
        self, image: str, *, login: str | None
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        """How pulling it goes on, as the daemon tells; it ends when the image is there.

        `login` is passed on to the registry, encoded as the daemon wants it.
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

    async def _lines(self, response: aiohttp.ClientResponse) -> AsyncIterator[Mapping[str, Any]]:
        with self._named(within_s=math.inf):
            async for line in response.content:
                yield _object(parse_foreign(line, most_digits=MOST_COUNTER_DIGITS))

    async def _send(self, method: str, path: str, **options: Any) -> aiohttp.ClientResponse:
        """The answer to a call that aiodocker has no function for, as far as its head has come."""
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
        """Ends the call after so long (`timeout_s` where nothing is said), and names its errors.

        What nobody `may_refuse` is refused only by a daemon, or another server, in trouble.
        """
        within_s = self.timeout_s if within_s is None else within_s
        try:
            if math.isinf(within_s):
                yield
            else:
                with patience.fail_after(within_s):
                    yield
        except DockerError as error:
            said = shown(str(error.message), MOST_MESSAGE_CHARS)
            exchanged = error.status == 400 and "client version" in said
            if exchanged:
                # Another daemon stands there now: its version is asked for again.
                self._docker.api_version = "auto"
            if exchanged or error.status == _NO_CONNECTION or not may_refuse:
                raise self._unavailable(said) from error
            raise DaemonError(said, status=error.status) from error
        except TimeoutError as error:
            raise self._unavailable(f"it did not respond within {within_s:g} s") from error
        except (aiohttp.ClientError, HttpProcessingError, OSError, EOFError) as error:
            said = shown(str(error)[:MOST_MESSAGE_CHARS]) or type(error).__name__
            raise self._unavailable(said) from error
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            # Some other server stands there, or only the beginning of an answer came.
            said = shown(repr(error)[:MOST_MESSAGE_CHARS])
            raise self._unavailable(f"its response is invalid: {said}") from error

    def _unavailable(self, reason: str) -> RuntimeUnavailable:
        return RuntimeUnavailable(f"Docker at {self._where}: {reason}")


def _part(container: str) -> str:
    """The container as part of a path. What cannot be one is not asked for: `../json` is a path."""
    if _REFERENCE.fullmatch(container) is None:
        raise DaemonError(f"No such container: {container}", status=404)
    return container


def _is_tagged(image: str) -> bool:
    """Whether it names a tag or a digest: without one all tags would be pulled."""
    last = image.rpartition("/")[2]
    return ":" in last or "@" in last


def _stream_error(line: Mapping[str, Any]) -> str:
    """What went wrong, in the registry's words."""
    detail = line.get("errorDetail")
    said = detail.get("message") if isinstance(detail, dict) else None
    return str(said or line.get("error") or "unknown error")


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


async def _beginning(stream: aiohttp.StreamReader, *, drains: bool = True) -> bytes:
    """What came until the stream's end, as far as it can matter.

    The rest is read and dropped where it `drains`: a program waits until its output is taken.
    """
    kept = bytearray()
    async for piece in stream.iter_any():
        # Heads of frames come on top, and small frames have more of them.
        if len(kept) < 4 * MOST_OUTPUT_BYTES:
            kept += piece
        elif not drains:
            break
    return bytes(kept)


def _unframed(framed: bytes) -> bytes:
    """The output, of both kinds in order; the daemon sends it in frames with their lengths."""
    output = bytearray()
    at = 0
    while at + _FRAME_HEAD_BYTES <= len(framed) and len(output) < MOST_OUTPUT_BYTES:
        length = int.from_bytes(framed[at + 4 : at + _FRAME_HEAD_BYTES], "big")
        output += framed[at + _FRAME_HEAD_BYTES : at + _FRAME_HEAD_BYTES + length]
        at += _FRAME_HEAD_BYTES + length
    return bytes(output[:MOST_OUTPUT_BYTES])
