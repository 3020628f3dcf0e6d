"""Commands that run beside an engine."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from support.engineprocesses import DEADLINE_S, sleeper, start, until, with_mark
from support.runtimes import pid_of
from touchline.engines.model.runtime import StartTimeout
from touchline.engines.runtimes.process.runtime import ProcessRuntime

pytestmark = pytest.mark.anyio


async def test_a_command_is_told_with_both_outputs_its_status_and_its_place(
    runtime: ProcessRuntime, directory: Path
) -> None:
    instance = await start(runtime, sleeper(env={"A": "b"}))

    async def run(script: str) -> tuple[int, bytes]:
        command = ("/bin/sh", "-c", script)
        done = await runtime.execute(instance.id, command, within_s=DEADLINE_S)
        return done.status, done.output

    home = str(directory / instance.id).encode()
    assert await run('pwd; echo "$A" >&2; exit 3') == (3, home + b"\nb\n")
    assert await run("head -c 1000000 /dev/zero | tr '\\0' x") == (0, b"x" * (64 << 10))
    assert await run("kill -9 $$") == (137, b"")
    done = await runtime.execute(instance.id, ["/no/such"], within_s=DEADLINE_S)
    assert done.status == 127
    assert b"/no/such" in done.output


async def test_nothing_is_left_of_a_command(runtime: ProcessRuntime) -> None:
    instance = await start(runtime, sleeper())
    # Its child keeps the output open: that is no reason to wait for it.
    left = ("/bin/sh", "-c", "sleep 600 & echo done")
    with anyio.fail_after(DEADLINE_S):
        done = await runtime.execute(instance.id, left, within_s=10 * DEADLINE_S)
    assert (done.status, done.output) == (0, b"done\n")
    with pytest.raises(StartTimeout):
        await runtime.execute(instance.id, ("/bin/sh", "-c", "sleep 600 & wait"), within_s=0.2)
    with anyio.move_on_after(0.1):
        await runtime.execute(instance.id, ("/bin/sleep", "600"), within_s=DEADLINE_S)
    await until(lambda: with_mark(instance.id) == [pid_of(instance.id)])
