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

    The outcome of the call is unknown, and nothing is concluded from it.
    """

    default_code = "runtime_unavailable"

    def __init__(self, message: str, *, eta_s: float = 5.0) -> None:
        super().__init__(message, eta_s=eta_s)


class ImageNotFound(NotFound):
    """Image that is not available locally and could not be pulled.

    The message gives the reason.
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
    """Start that the runtime refused, or whose instance ended immediately.

    The message includes the runtime's own. Nothing is left behind.
    """

    default_code = "start_failed"


class StartTimeout(Failed):
    """Instance that was not running, or whose API did not answer, in the given time.

    Nothing is left behind.
    """

    default_code = "start_timeout"


class Runtime(Protocol):
    """Runtime of engines. Its only state is in the instances and their labels.

    Every call may raise `RuntimeUnavailable`, in bounded time. It lists and watches the instances
    that carry the management label it was created with; only `inspect` sees others.
    """

    kind: ClassVar[str]
    publishes_ports: ClassVar[bool]
    """Whether a port of the instance can be published at a different host port."""
    shares_machine: ClassVar[bool]
    """Whether engines use the files and addresses of this server's machine."""

    @property
    def deployment(self) -> Deployment:
        """Location of the runtime, seen from this server.

        Docker determines it with the first list.
        """

    async def start(self, spec: EngineSpec, *, within_s: float) -> Instance:
        """Start an instance, and return it once it is running.

        After an error or a cancellation nothing is left behind. The management label is added to
        the spec's labels. A missing image is pulled first, which `within_s` does not limit. Raises
        ImageNotFound, PortInUse, NameInUse, StartFailed, StartTimeout, RuntimeUnavailable.
        """

    async def stop(self, instance_id: str, *, grace_s: float) -> None:
        """Stop and remove an instance, by force after `grace_s`, and return when it is gone.

        An instance that no longer exists is not an error, and two concurrent calls are one.
        """

    async def list(self) -> Sequence[Instance]:
        """Return every managed instance in any state.

        Those started by a server that crashed are included.
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
        """Return a context with the events since it was entered; enter it before calling `list`.

        The iteration ends or raises RuntimeUnavailable when events may have been lost: enter and
        list again.
        """

    async def execute(
        self, instance_id: str, command: Sequence[str], *, within_s: float
    ) -> Executed:
        """Run a command inside the instance and return its result, with at most 64 KiB of output.

        Raises InstanceNotFound if the instance is not running, StartTimeout after `within_s`.
        """

    async def close(self) -> None:
        """Close connections and tasks of this server; instances keep running."""


@runtime_checkable
class Restarts(Protocol):
    """Runtime that can restart any instance.

    It is required to restart a failed VPN container.
    """

    async def restart(self, reference: str, *, grace_s: float) -> None:
        """Restart an instance, managed or not, and return when it is running.

        Raises InstanceNotFound, RuntimeUnavailable.
        """
