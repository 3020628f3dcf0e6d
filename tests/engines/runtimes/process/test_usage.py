"""What processes use, and the limit of their memory."""

from __future__ import annotations

import sys

import anyio
import pytest

from support.engineprocesses import log_of, next_of, shell, sleeper, start, until
from touchline.engines.runtimes.process.kernel.memorylimit import MemoryLimits
from touchline.engines.runtimes.process.runtime import ProcessRuntime

pytestmark = pytest.mark.anyio


async def test_a_memory_limit_ends_what_exceeds_it(runtime: ProcessRuntime) -> None:
    greedy = f"read -r _ < go; exec {sys.executable} -c 'x = bytearray(200 << 20)'"
    spec = shell(f"mkfifo go; echo ready; {greedy}", memory_limit_bytes=64 << 20)
    instance = await start(runtime, spec)
    await until(lambda: b"ready" in log_of(runtime, instance))
    usage = (await runtime.usage())[instance.id]
    if usage.memory_limit_bytes is None:
        pytest.skip("this user may not limit memory here")
    assert usage.memory_limit_bytes == 64 << 20
    assert 0 < usage.memory_bytes < 64 << 20
    async with runtime.watch() as events:
        fifo = runtime._host.directory / instance.id / "go"
        await anyio.to_thread.run_sync(fifo.write_text, "\n")
        assert (await next_of(events, "died")).exit_code == 137
    await runtime.stop(instance.id, grace_s=0)
    assert MemoryLimits().limit_of(instance.id) is None


async def test_usage_counts_what_children_compute(runtime: ProcessRuntime) -> None:
    busy = await start(runtime, shell("(while :; do :; done) & wait", "busy"))
    lazy = await start(runtime, sleeper("lazy"))
    await runtime.usage()
    await anyio.sleep(0.3)  # what is measured is the time in between
    usage = await runtime.usage()
    assert usage[busy.id].cpu_percent > 10 > usage[lazy.id].cpu_percent
    assert usage[busy.id].memory_bytes > 100_000
    assert usage[lazy.id].memory_limit_bytes is None
    assert usage[lazy.id].network_rx_bytes is None
    assert usage[lazy.id].block_read_bytes is not None
