"""What every runtime promises, with the awkward moments settled in the docstrings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Protocol, runtime_checkable

from touchline.core.errors import Blocked, Failed, NotFound, Refused
from touchline.engines.model.addresses import Deployment
from touchline.engines.model.model import EngineSpec, Executed, Instance, RuntimeEvent, Usage


class RuntimeUnavailable(Blocked):
    """The runtime does not answer: nothing is known to have happened, and nothing is decided."""

    default_code = "runtime_unavailable"

    def __init__(self, message: str, *, eta_s: float = 5.0) -> None:
        super().__init__(message, eta_s=eta_s)


class ImageNotFound(NotFound):
    """There is no such image here, and it could not be pulled either; the message says why."""

    default_code = "image_not_found"


class InstanceNotFound(NotFound):
    """The runtime knows no such instance."""

    default_code = "instance_not_found"


class PortInUse(Refused):
    """A host port of the spec is taken; `details["port"]` says which, where that is known."""

    default_code = "port_in_use"


class NameInUse(Refused):
    """Another instance has this name."""

    default_code = "name_in_use"


class StartFailed(Failed):
    """It was started and ended at once, or the runtime refused; its own words are in the message.

    Nothing is left of it.
    """

    default_code = "start_failed"


class StartTimeout(Failed):
    """It was not running, or its API did not answer, in the time given. Nothing is left of it."""

    default_code = "start_timeout"


class Runtime(Protocol):
    """Where engines run. It keeps nothing that a restart would lose: labels are the record.

    Every call may raise `RuntimeUnavailable`, in bounded time. What it shows and watches are the
    instances that carry the management label it was made with; only `inspect` sees others.
    """

    kind: ClassVar[str]
    publishes_ports: ClassVar[bool]
    """Whether a port of the instance can differ from the port of the host that leads to it."""
    shares_machine: ClassVar[bool]
    """Whether engines use the files and addresses of this server's machine."""

    @property
    def deployment(self) -> Deployment:
        """Where it is, seen from this server. Docker finds that out with the first list."""

    async def start(self, spec: EngineSpec, *, within_s: float) -> Instance:
        """Return once it is running, not merely requested. On any error nothing is left behind.

        The management label is added to the spec's labels. A missing image is pulled first, which
        `within_s` does not bound. Cancelling it leaves nothing behind either.
        Raises ImageNotFound, PortInUse, NameInUse, StartFailed, StartTimeout, RuntimeUnavailable.
        """

    async def stop(self, instance_id: str, *, grace_s: float) -> None:
        """Stop and remove: politely first, by force after `grace_s`; it is gone on return.

        What is already gone is not an error, and two calls at once are one.
        """

    async def list(self) -> Sequence[Instance]:
        """Every managed instance in whatever state, those that a dead server started included."""

    async def inspect(self, reference: str) -> Instance:
        """One instance, managed or not, by its id, the beginning of it, or its name.

        Raises InstanceNotFound, also for a beginning that several have.
        """

    async def usage(self) -> Mapping[str, Usage]:
        """What each running managed instance takes, by id. One that ends meanwhile is left out."""

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[RuntimeEvent]]:
        """Events as they happen, from the moment the context is entered, so: enter, then `list`.

        The iteration ends or raises RuntimeUnavailable when events may have been lost: whoever
        reads then enters again and lists again.
        """

    async def execute(
        self, instance_id: str, command: Sequence[str], *, within_s: float
    ) -> Executed:
        """Run a command inside the instance and return how it ended, at most 64 KiB of its output.

        Raises InstanceNotFound where it does not run, StartTimeout after `within_s`.
        """

    async def close(self) -> None:
        """Let go of connections and tasks of this server; instances run on."""


@runtime_checkable
class Restarts(Protocol):
    """A runtime that can restart any instance, as a VPN container that has gone bad needs it."""

    async def restart(self, reference: str, *, grace_s: float) -> None:
        """Stop an instance, managed or not, and start it again; it runs on return.

        Raises InstanceNotFound, RuntimeUnavailable.
        """
