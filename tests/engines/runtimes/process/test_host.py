"""Logs and records on the disk of the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.engineprocesses import runs_in, shell, start, until
from support.runtimes import LABEL
from touchline.engines.model.model import EngineSpec
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.process.host import ProcessHost
from touchline.engines.runtimes.process.kernel import procfs
from touchline.engines.runtimes.process.records import ProcessRecord, Records
from touchline.engines.runtimes.process.runtime import ProcessRuntime
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings

pytestmark = pytest.mark.anyio


async def test_a_log_is_cut_while_the_process_goes_on_writing(
    runtime: ProcessRuntime, directory: Path
) -> None:
    script = "head -c 11000000 /dev/zero; echo END; while :; do echo tick; sleep 0.02; done"
    instance = await start(runtime, shell(script))
    log = directory / instance.id / "engine.log"
    await until(lambda: log.stat().st_size > 11_000_000)
    await runtime.list()
    await until(lambda: b"tick" in log.read_bytes())
    assert log.stat().st_size < 10_000
    assert not log.read_bytes().startswith(b"\0")
    old = (directory / instance.id / "engine.log.1").read_bytes()
    assert len(old) == 1 << 20
    assert b"END" in old


class FullDisk(Records):
    """Takes the first record, and no other."""

    def write(self, record: ProcessRecord) -> None:
        if record.process is not None:
            raise OSError(28, "No space left on device")
        super().write(record)


async def test_a_full_disk_is_said_and_leaves_no_process(directory: Path) -> None:
    host = ProcessHost(directory, records=FullDisk(directory))
    settings = ProcessRuntimeSettings(kind="process", command=["/bin/sleep", "600"])
    runtime = ProcessRuntime(host, settings, label=LABEL, bind_address="127.0.0.1")
    await runtime.open()
    with pytest.raises(RuntimeUnavailable, match="No space left"):
        await start(runtime, EngineSpec("one", "any"))
    assert list(directory.iterdir()) == []
    assert not [each for each in procfs.all_stats() if runs_in(each.pid, directory)]
    assert list(await runtime.list()) == []
    await runtime.close()
