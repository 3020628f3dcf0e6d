"""The program `python -m touchline.worker`: one camera, one Unix socket, one recording at a time.

The server starts it in a session of its own, and it outlives the server. Without a server, a
recording continues up to its maximum duration or the free-space reserve of the disk and is then
finalised; an idle worker exits after a minute. SIGTERM finalises the recording first; SIGINT is
left to the server.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

from touchline.ipc.stderrlog import open_log
from touchline.worker import place
from touchline.worker.worker import EXIT_WEDGED, Worker

log = logging.getLogger("touchline.worker")

PRIORITY = -5
"""A nice value. An unprivileged user needs `LimitNICE=` in the systemd unit for it."""
EXIT_TAKEN = 75  # another worker serves this camera


async def _main(directory: Path, name: str, *, idle_leave_s: float) -> int:
    worker = Worker(name, idle_leave_s=idle_leave_s)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, worker.leave.set)
    server = await worker.control.listen(directory, name)
    telling = asyncio.create_task(worker.send_status())
    minding = asyncio.create_task(worker.monitor_recorder())
    leaving = asyncio.create_task(worker.leave.wait())
    await asyncio.wait({telling, minding, leaving}, return_when=asyncio.FIRST_COMPLETED)
    status = await worker.finish()
    server.close()
    if status == EXIT_WEDGED:
        # A thread hangs in the pipeline, and a regular exit would wait for it forever.
        logging.shutdown()
        os._exit(status)
    for task in (telling, minding):
        if task.done():
            task.result()
        task.cancel()
    return status


def _raise_priority() -> None:
    """Raise the priority of the process where permitted; threads created later inherit it."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)


def main() -> int:
    """Run the worker and return its exit status."""
    parser = argparse.ArgumentParser(prog="touchline.worker", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="directory of the socket")
    parser.add_argument("--name", required=True, help="name of the camera, such as cam0")
    parser.add_argument(
        "--idle-leave-s",
        type=float,
        default=60.0,
        metavar="S",
        help="exit after this many seconds without a server or a recording (default 60)",
    )
    parser.add_argument(
        "--standby",
        action="store_true",
        help="wait until the camera's worker has exited and take its place; exit when"
        " standard input ends",
    )
    arguments = parser.parse_args()
    open_log(arguments.name)
    _raise_priority()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = arguments.directory / f"{arguments.name}.lock"
    if arguments.standby:
        Gst.init(None)
        place.wait_for(lock)
        log.info("the previous worker has exited: taking its place")
    else:
        try:
            place.take(lock)
        except place.Taken:
            log.error("another worker serves this camera")
            return EXIT_TAKEN
        Gst.init(None)
    return asyncio.run(
        _main(arguments.directory, arguments.name, idle_leave_s=arguments.idle_leave_s)
    )


if __name__ == "__main__":
    sys.exit(main())
