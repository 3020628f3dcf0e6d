"""Interface of all runtimes, with edge cases specified in the docstrings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Protocol, runtime_checkable

from touchline.core.errors import Blocked, Failed, NotFound, Refused
from touchline.engines.model.addresses import Deployment
from touchline.engines.model.model import EngineSpec, Executed, Instance, RuntimeEvent, Usage


class RuntimeUnavailable(Blocked):
    """Runtime that does not answer.

    Nothing is known to have happened, and nothing is decided.
    """

    default_code = "runtime_unavailable"

    def __init__(self, message: str, *, eta_s: float = 5.0) -> None:
        super().__init__(message, eta_s=eta_s)


class ImageNotFound(NotFound):
    """Image that is not available here and could not be pulled.

    The message says why.
    """

    default_code = "image_not_found"


class InstanceNotFound(NotFound):
    """Instance that is unknown to the runtime."""

    default_code = "instance_not_found"


class PortInUse(Refused):
    """Host port of the spec that is already in use.

    `details["port"]` is the port, where it is known.
    """

    default_code = "port_in_use"


class NameInUse(Refused):
    """Instance name that is already in use."""

    default_code = "name_in_use"


class StartFailed(Failed):
    """Start that the runtime refused, or whose instance ended at once.

    The message contains the runtime's own. Nothing is left of it.
    """

    default_code = "start_failed"


class StartTimeout(Failed):
    """Instance that was not running, or whose API did not answer, in the time given.

    Nothing is left of it.
    """

    default_code = "start_timeout"


class Runtime(Protocol):
    """Runtime of engines; it keeps nothing that a restart would lose: labels are the record.

    Every call may raise `RuntimeUnavailable`, in bounded time. It lists and watches the instances
    that carry the management label it was created with; only `inspect` sees others.
    """

    kind: ClassVar[str]
    publishes_ports: ClassVar[bool]
    """Whether a port of the instance can differ from the port of the host that leads to it."""
    shares_machine: ClassVar[bool]
    """Whether engines use the files and addresses of this server's machine."""

    @property
    def deployment(self) -> Deployment:
        """Location of the runtime, seen from this server.

        Docker determines it with the first list.
        """

    async def start(self, spec: EngineSpec, *, within_s: float) -> Instance:
        """Start an instance, and return it once it is running, not merely requested.

        On any error nothing is left behind. The management label is added to the spec's labels. A
        missing image is pulled first, which `within_s` does not bound. Cancelling it leaves nothing
        behind either. Raises ImageNotFound, PortInUse, NameInUse, StartFailed, StartTimeout,
        RuntimeUnavailable.
        """

    async def stop(self, instance_id: str, *, grace_s: float) -> None:
        """Stop and remove an instance, by force after `grace_s`; it is gone on return.

        An instance that no longer exists is not an error, and two concurrent calls are one.
        """

    async def list(self) -> Sequence[Instance]:
        """Return every managed instance in any state.

        Those started by a server that died are included.
        """

    async def inspect(self, reference: str) -> Instance:
        """Return an instance, managed or not, by its id, a prefix of it, or its name.

        Raises InstanceNotFound, also for an ambiguous prefix.
        """

    async def usage(self) -> Mapping[str, Usage]:
        """Return the resource usage of each running managed instance by id.

        Instances that end meanwhile are left out.
        """

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[RuntimeEvent]]:
        """Return a context with the events from the moment it is entered; enter, then `list`.

        The iteration ends or raises RuntimeUnavailable when events may have been lost: the reader
        then enters again and lists again.
        """

    async def execute(
        self, instance_id: str, command: Sequence[str], *, within_s: float
    ) -> Executed:
        """Run a command inside the instance and return its result, with at most 64 KiB of output.

        Raises InstanceNotFound where the instance does not run, StartTimeout after `within_s`.
        """

    async def close(self) -> None:
        """Close connections and tasks of this server; instances run on."""


@runtime_checkable
class Restarts(Protocol):
    """Runtime that can restart any instance.

    It is required to restart a failed VPN container.
    """

    async def restart(self, reference: str, *, grace_s: float) -> None:
        """Stop an instance, managed or not, and start it again; it is running on return.

        Raises InstanceNotFound, RuntimeUnavailable.
        """
