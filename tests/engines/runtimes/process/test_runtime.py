"""What is started as a process, and what cannot be."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from support.engineprocesses import DEADLINE_S, free_port, runs_in, sleeper, start, until
from support.runtimes import LABEL, pid_of
from touchline.engines.model.model import EngineSpec, PortMapping
from touchline.engines.model.runtime import ImageNotFound, StartFailed, StartTimeout
from touchline.engines.runtimes.process.kernel import procfs
from touchline.engines.runtimes.process.runtime import ProcessRuntime, open_process_runtime
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings

pytestmark = pytest.mark.anyio


async def test_arguments_arrive_as_they_are_and_the_engine_answers(runtime: ProcessRuntime) -> None:
    port = free_port()
    odd = ("a b", "$(touch x)", "", "é;'\"")
    spec = EngineSpec("engine", "tiny", command=(str(port), *odd), ports=(PortMapping(port, port),))
    instance = await start(runtime, spec)
    command = Path(f"/proc/{pid_of(instance.id)}/cmdline").read_bytes().split(b"\0")[:-1]
    assert command[-4:] == [each.encode() for each in odd]
    (bound,) = instance.ports[f"{port}/tcp"]
    answer = b""
    with anyio.fail_after(DEADLINE_S):
        while not answer:
            with suppress(OSError):
                async with await anyio.connect_tcp(bound.host_ip, bound.host_port) as stream:
                    await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    answer = await stream.receive()
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_process_gets_nothing_of_this_server_but_what_is_said(
    runtime: ProcessRuntime, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHLINE_AUTH__KEY", "secret")
    monkeypatch.setenv("TZ", "UTC")
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.set_inheritable(server.fileno(), True)
        instance = await start(runtime, sleeper(env={"CONF": "--a\n--b", "PATH": "/bin"}))
    pid = pid_of(instance.id)
    pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")[:-1]
    environ = dict(pair.decode().split("=", 1) for pair in pairs)
    assert environ.pop("TOUCHLINE_INSTANCE") == instance.id
    home = directory / instance.id
    assert (environ.pop("CONF"), environ.pop("TZ")) == ("--a\n--b", "UTC")
    # What decides about programs and files is nobody's to give.
    assert (environ.pop("PATH"), environ.pop("HOME")) == (os.environ["PATH"], str(home))
    assert set(environ) <= {"LANG", "PYTHONPATH"}
    open_files = {each.name: str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    log = str(home / "engine.log")
    assert open_files == {"0": "/dev/null", "1": log, "2": log}
    assert Path(f"/proc/{pid}/cwd").readlink() == home
    seen = procfs.stat_of(pid)
    assert seen is not None
    assert seen.session == pid


async def test_nobody_else_may_read_records_and_logs(
    runtime: ProcessRuntime, directory: Path
) -> None:
    instance = await start(runtime, sleeper(env={"TOKEN": "secret"}))
    home = directory / instance.id
    assert [stat.S_IMODE(each.stat().st_mode) for each in (directory, home)] == [0o700, 0o700]
    assert stat.S_IMODE((home / "record.json").stat().st_mode) == 0o600


async def test_without_a_program_the_message_says_what_to_set(directory: Path) -> None:
    nothing = ProcessRuntimeSettings(kind="process")
    async with open_process_runtime(
        nothing, directory=directory, label=LABEL, bind_address="127.0.0.1"
    ) as runtime:
        with pytest.raises(ImageNotFound, match=r"engines\.runtime\.programs"):
            await start(runtime, sleeper())
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize(
    ("image", "command", "expected", "words"),
    [
        ("missing", (), ImageNotFound, "/no/such/program cannot be run: No such file"),
        ("ends", (), StartFailed, "exit code 2.*/no/such/file"),
        ("shell", ("echo some reason; exit 3",), StartFailed, "exit code 3.*some reason"),
        ("shell", ("kill -9 $$",), StartFailed, "exit code 137"),
        ("sleeps", ("600\0",), StartFailed, "null byte"),
    ],
)
@pytest.mark.parametrize("restarts", [False, True])
async def test_what_cannot_start_says_why_and_leaves_nothing(
    runtime: ProcessRuntime,
    directory: Path,
    image: str,
    command: tuple[str, ...],
    expected: type[Exception],
    words: str,
    *,
    restarts: bool,
) -> None:
    spec = EngineSpec("wrong", image, command=command, restarts=restarts)
    async with runtime.watch() as events:
        with pytest.raises(expected, match=f"(?s){words}"):
            await start(runtime, spec)
        instance = await start(runtime, sleeper("wrong"))
        # It was told of nothing but the one that runs.
        assert (await anext(aiter(events))).instance_id == instance.id
    assert [each.name for each in directory.iterdir()] == [instance.id]


async def test_a_script_without_a_shebang_and_a_file_that_is_no_program_are_no_programs(
    directory: Path, tmp_path: Path
) -> None:
    plain, script = tmp_path / "plain", tmp_path / "script"
    plain.write_text("x")
    script.write_text("sleep 1\n")
    script.chmod(0o755)
    settings = ProcessRuntimeSettings(
        kind="process", programs={"plain": [str(plain)], "script": [str(script)]}
    )
    async with open_process_runtime(
        settings, directory=directory, label=LABEL, bind_address="127.0.0.1"
    ) as runtime:
        for image in settings.programs:
            with pytest.raises(ImageNotFound, match="cannot be run"):
                await start(runtime, EngineSpec(image, image))


async def test_a_start_that_takes_too_long_leaves_nothing(
    runtime: ProcessRuntime, directory: Path
) -> None:
    with pytest.raises(StartTimeout):
        await runtime.start(sleeper(), within_s=0)
    assert list(directory.iterdir()) == []
    await start(runtime, sleeper())


async def test_a_start_whose_task_is_cancelled_at_any_moment_leaves_nothing(
    runtime: ProcessRuntime, directory: Path
) -> None:
    for step in range(40):
        task = asyncio.create_task(start(runtime, sleeper(f"cancelled-{step}")))
        await anyio.sleep(step * 0.0002)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task  # it was done before it could be cancelled
            await runtime.stop(task.result().id, grace_s=0)
    await until(lambda: not list(directory.iterdir()))
    assert list(await runtime.list()) == []
    assert not [each for each in procfs.all_stats() if runs_in(each.pid, directory)]
