"""A server that starts processes as engines and is killed: `dyingserver.py DIRECTORY WHEN NAME…`.

It tells the ids of what it started, a line each. WHEN is `later` (it waits to be killed), or the
moment of the first start at which it kills itself: `before the process`, `before its number`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio

from touchline.engines.model.model import EngineSpec
from touchline.engines.runtimes.process.host import ProcessHost
from touchline.engines.runtimes.process.records import ProcessRecord, Records
from touchline.engines.runtimes.process.runtime import ProcessRuntime
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings


class DyingRecords(Records):
    def __init__(self, directory: Path, when: str) -> None:
        super().__init__(directory)
        self._when = when

    def log(self, record_id: str) -> Path:
        if self._when == "before the process":
            die()
        return super().log(record_id)

    def write(self, record: ProcessRecord) -> None:
        if self._when == "before its number" and record.process is not None:
            die()
        super().write(record)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    directory, when, *names = Path(sys.argv[1]), *sys.argv[2:]
    host = ProcessHost(directory, records=DyingRecords(directory, when))
    settings = ProcessRuntimeSettings(kind="process", command=["/bin/sleep"])
    label = ("touchline.test", "conformance")
    runtime = ProcessRuntime(host, settings, label=label, bind_address="127.0.0.1")
    await runtime.open()
    for name in names:
        spec = EngineSpec(name=name, image="any", command=("600",), labels={"a": name})
        instance = await runtime.start(spec, within_s=10)
        sys.stdout.write(f"{instance.id}\n")
        sys.stdout.flush()
    await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(main)
