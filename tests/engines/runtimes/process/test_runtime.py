"""Engines as processes: what the suite of all runtimes does not ask, with real processes."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.runtimes import pid_of, process_runtime
from touchline.core.errors import Invalid
from touchline.engines.model.model import EngineSpec, Instance, PortMapping, RuntimeEvent
from touchline.engines.model.runtime import (
    ImageNotFound,
    NameInUse,
    PortInUse,
    RuntimeUnavailable,
    StartFailed,
    StartTimeout,
)
from touchline.engines.runtimes.process import procfs
from touchline.engines.runtimes.process.host import ProcessHost
from touchline.engines.runtimes.process.memorylimit import MemoryLimits
from touchline.engines.runtimes.process.records import Record, Records
from touchline.engines.runtimes.process.runtime import ProcessRuntime, open_process_runtime
from touchline.engines.settings.runtimes import ProcessRuntimeSettings

pytestmark = pytest.mark.anyio

DEADLINE_S = 20.0
LABEL = ("touchline.test", "conformance")
DYING_SERVER = Path(__file__).parents[3] / "support" / "dyingserver.py"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where records are; a test that fails leaves no process either."""
    directory = tmp_path / "engines"
    yield directory
    for each in procfs.all_stats():
        if runs_in(each.pid, directory):
            os.kill(each.pid, signal.SIGKILL)


@pytest.fixture
async def runtime(directory: Path) -> AsyncIterator[ProcessRuntime]:
    async with process_runtime(directory) as opened:
        yield opened
        await stop_all(opened)


async def stop_all(runtime: ProcessRuntime) -> None:
    for instance in await runtime.list():
        await runtime.stop(instance.id, grace_s=0)


def sleeper(name: str = "one", **changes: Any) -> EngineSpec:
    return EngineSpec(**{"name": name, "image": "sleeps", "command": ("600",), **changes})


def shell(script: str, name: str = "one", **changes: Any) -> EngineSpec:
    return EngineSpec(name=name, image="shell", command=(script,), **changes)


async def start(runtime: ProcessRuntime, spec: EngineSpec) -> Instance:
    return await runtime.start(spec, within_s=DEADLINE_S)


async def until(holds: Callable[[], object]) -> None:
    with anyio.fail_after(DEADLINE_S):
        while not holds():
            await anyio.sleep(0.01)


async def next_of(events: AsyncIterator[RuntimeEvent], kind: str) -> RuntimeEvent:
    with anyio.fail_after(DEADLINE_S):
        async for event in events:
            if event.kind == kind:
                return event
    raise AssertionError(f"the events ended without {kind}")


def is_alive(pid: int) -> bool:
    seen = procfs.stat_of(pid)
    return seen is not None and seen.state not in "ZX"


def with_mark(instance_id: str) -> list[int]:
    """All that an instance has started, itself included."""
    mark = f"TOUCHLINE_INSTANCE={instance_id}".encode()
    return [each.pid for each in procfs.all_stats() if procfs.has_mark(each.pid, [mark])]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# ---------------------------------------------------------------------- what is started


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


async def test_a_process_has_limits_of_its_own_and_gives_way_to_this_server(
    runtime: ProcessRuntime,
) -> None:
    pid = pid_of((await start(runtime, sleeper())).id)
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert 0 < most <= 4096
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
    assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == 500


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


def runs_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(directory)
    except OSError:
        return False


# ---------------------------------------------------------------------- names and ports


async def test_a_port_is_an_instances_before_it_listens_and_until_it_ends(
    runtime: ProcessRuntime,
) -> None:
    ports = (PortMapping(free_port(), None), PortMapping(8000, free_port(), "udp"))
    first = await start(runtime, sleeper("first", ports=ports))
    assert {name: bound[0].host_port for name, bound in first.ports.items()} == {
        "8000/udp": ports[1].host_port
    }
    with pytest.raises(PortInUse, match="belongs to first") as caught:
        await start(runtime, sleeper("second", ports=ports))
    assert caught.value.details["port"] == ports[1].host_port
    async with runtime.watch() as events:
        os.kill(pid_of(first.id), signal.SIGKILL)
        await next_of(events, "died")
    await start(runtime, sleeper("second", ports=ports))


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
async def test_a_port_of_another_program_is_in_use(
    runtime: ProcessRuntime, directory: Path, protocol: Any
) -> None:
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("0.0.0.0", 0))
        if protocol == "tcp":
            other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            await start(runtime, sleeper(ports=(PortMapping(port, port, protocol),)))
        assert caught.value.details["port"] == port
        assert list(directory.iterdir()) == []


async def test_a_port_whose_connections_are_still_closing_is_free(runtime: ProcessRuntime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # the one who closes first waits
            assert client.recv(1) == b""
    await start(runtime, sleeper(ports=(PortMapping(port, port),)))


async def test_an_address_that_is_not_this_machines_is_said(directory: Path) -> None:
    settings = ProcessRuntimeSettings(kind="process", command=["/bin/sleep", "600"])
    async with open_process_runtime(
        settings, directory=directory, label=LABEL, bind_address="203.0.113.1"
    ) as runtime:
        with pytest.raises(StartFailed, match=r"203\.0\.113\.1 cannot be used"):
            await start(runtime, EngineSpec("one", "any", ports=(PortMapping(1, 8000),)))


# ---------------------------------------------------------------------- adoption


def killed_server(directory: Path, when: str, *names: str) -> list[str]:
    """Let a server start these and be killed; the ids that it told."""
    command = [sys.executable, str(DYING_SERVER), str(directory), when, *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told = [server.stdout.readline().strip() for _ in names]
        server.kill()
    return [each for each in told if each]


async def test_what_a_killed_server_started_runs_on_and_is_adopted(directory: Path) -> None:
    ids = killed_server(directory, "later", "one", "two")
    pids = {each: pid_of(each) for each in ids}
    async with process_runtime(directory) as runtime:
        listed = {each.id: each for each in await runtime.list()}
        assert {each: listed[each].state for each in ids} == dict.fromkeys(ids, "running")
        assert dict(listed[ids[1]].labels) == {"a": "two", LABEL[0]: LABEL[1]}
        with pytest.raises(NameInUse):
            await start(runtime, sleeper("one"))
        async with runtime.watch() as events:
            os.kill(pids[ids[0]], signal.SIGKILL)
            died = await next_of(events, "died")
            # Only its parent could know how it ended.
            assert (died.instance_id, died.exit_code) == (ids[0], None)
        await stop_all(runtime)
    assert not any(map(is_alive, pids.values()))
    assert list(directory.iterdir()) == []


async def test_a_process_whose_number_the_killed_server_could_not_note_is_found(
    directory: Path,
) -> None:
    assert killed_server(directory, "before its number", "one") == []
    (home,) = directory.iterdir()
    await until(lambda: with_mark(home.name))
    assert json.loads((home / "record.json").read_text())["process"] is None
    async with process_runtime(directory) as runtime:
        (seen,) = await runtime.list()
        assert (seen.id, seen.name, seen.state) == (home.name, "one", "running")
        await runtime.stop(seen.id, grace_s=1)
    assert with_mark(home.name) == []


async def test_of_a_start_that_the_killed_server_only_meant_to_do_nothing_is_left(
    directory: Path,
) -> None:
    assert killed_server(directory, "before the process", "one") == []
    assert len(list(directory.iterdir())) == 1
    async with process_runtime(directory) as runtime:
        assert list(await runtime.list()) == []
        await start(runtime, sleeper("one"))
        await stop_all(runtime)
    assert list(directory.iterdir()) == []


async def test_what_died_while_no_server_ran_is_shown_as_ended_until_it_is_stopped(
    directory: Path,
) -> None:
    async with process_runtime(directory) as runtime:
        one = await start(runtime, shell("setsid sleep 600 & exec sleep 600"))
        await until(lambda: len(with_mark(one.id)) == 2)
    pid = min(with_mark(one.id))
    os.kill(pid, signal.SIGKILL)
    async with process_runtime(directory) as runtime:
        (seen,) = await runtime.list()
        assert (seen.id, seen.state, seen.exit_code) == (one.id, "exited", None)
        assert await runtime.usage() == {}
        with pytest.raises(NameInUse):
            await start(runtime, sleeper())
        await until(lambda: not with_mark(one.id))  # what it had started is not left either
        await runtime.stop(one.id, grace_s=1)
        assert list(await runtime.list()) == []


@contextmanager
def stranger() -> Iterator[int]:
    """The number of a process that is nobody's."""
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.mark.parametrize("changed", ["start_ticks", "boot_id"])
async def test_a_number_that_another_process_has_now_is_left_alone(
    directory: Path, changed: str
) -> None:
    directory.mkdir()
    with stranger() as other:
        identity = procfs.identify(other, procfs.boot_id())
        assert identity is not None
        process = {"pid": other, "start_ticks": identity.start_ticks, "boot_id": "x"}
        process["boot_id"] = identity.boot_id
        process[changed] = 4711 if changed == "start_ticks" else "another"
        home = directory / ("a" * 64)
        home.mkdir()
        record = {
            "id": home.name,
            "name": "old",
            "image": "any",
            "command": ["/bin/sleep"],
            "created_at": "2026-01-01T00:00:00Z",
            "bind_address": "127.0.0.1",
            "labels": dict([LABEL]),
            "process": process,
        }
        (home / "record.json").write_text(json.dumps(record))
        async with process_runtime(directory) as runtime:
            (seen,) = await runtime.list()
            assert (seen.name, seen.state) == ("old", "exited")
            await runtime.stop(seen.id, grace_s=1)
            assert list(await runtime.list()) == []
        assert is_alive(other)


async def test_a_directory_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Invalid, match=r"engines\.runtime\.directory"):
        async with process_runtime(tmp_path / "file"):
            pytest.fail("it was opened")


# ---------------------------------------------------------------------- ending


async def test_a_polite_stop_lets_a_program_tidy_up(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    bye = tmp_path / "bye"
    script = f"trap 'echo bye > {bye}; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    instance = await start(runtime, shell(script))
    await until(lambda: b"ready" in log_of(runtime, instance))
    async with runtime.watch() as events:
        await runtime.stop(instance.id, grace_s=DEADLINE_S)
        assert (await next_of(events, "died")).exit_code == 0
    assert bye.read_text() == "bye\n"


def log_of(runtime: ProcessRuntime, instance: Instance) -> bytes:
    return (runtime._host.directory / instance.id / "engine.log").read_bytes()


async def test_a_program_that_ignores_the_polite_stop_is_killed_with_all_it_has_started(
    runtime: ProcessRuntime,
) -> None:
    deaf = "trap '' TERM; setsid sleep 600 & (sleep 600 &) ; echo ready; while :; do sleep 1; done"
    instance = await start(runtime, shell(deaf))
    await until(lambda: len(with_mark(instance.id)) == 4)
    async with runtime.watch() as events:
        await runtime.stop(instance.id, grace_s=0.2)
        assert (await next_of(events, "died")).exit_code == 137
    assert with_mark(instance.id) == []


async def test_what_a_program_that_dies_has_started_dies_with_it(runtime: ProcessRuntime) -> None:
    instance = await start(runtime, shell("setsid sleep 600 & sleep 600 & exec sleep 600"))
    await until(lambda: len(with_mark(instance.id)) == 3)
    os.kill(min(with_mark(instance.id)), signal.SIGKILL)
    await until(lambda: not with_mark(instance.id))
    (seen,) = await runtime.list()
    assert (seen.state, seen.exit_code) == ("exited", 137)


async def test_a_frozen_process_is_shown_as_paused_and_hears_the_polite_stop(
    runtime: ProcessRuntime,
) -> None:
    instance = await start(runtime, sleeper())
    os.kill(pid := pid_of(instance.id), signal.SIGSTOP)
    await until(lambda: (now := procfs.stat_of(pid)) is not None and now.state == "T")
    (seen,) = await runtime.list()
    assert seen.state == "paused"
    async with runtime.watch() as events:
        await runtime.stop(instance.id, grace_s=2)
        assert (await next_of(events, "died")).exit_code == 128 + signal.SIGTERM
    assert list(await runtime.list()) == []


async def test_a_hundred_are_stopped_at_once(runtime: ProcessRuntime, directory: Path) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(start, runtime, sleeper(f"n{number}"))
    instances = await runtime.list()
    assert len(instances) == 100
    with anyio.fail_after(DEADLINE_S):
        async with anyio.create_task_group() as tasks:
            for instance in instances:
                tasks.start_soon(partial(runtime.stop, instance.id, grace_s=DEADLINE_S))
    assert list(directory.iterdir()) == []


async def test_events_end_when_the_runtime_is_closed(runtime: ProcessRuntime) -> None:
    async with runtime.watch() as events:
        await runtime.close()
        with pytest.raises(RuntimeUnavailable):
            await anext(aiter(events))


# ---------------------------------------------------------------------- restarts


async def test_what_restarts_is_started_again_until_it_is_stopped(
    runtime: ProcessRuntime, directory: Path
) -> None:
    instance = await start(runtime, sleeper(restarts=True))
    async with runtime.watch() as events:
        os.kill(first := pid_of(instance.id), signal.SIGKILL)
        assert (await next_of(events, "died")).exit_code == 137
        (seen,) = await runtime.list()
        assert seen.state == "exited"
        assert (await next_of(events, "started")).instance_id == instance.id
        assert (await runtime.inspect(instance.id)).state == "running"
        os.kill(second := pid_of(instance.id), signal.SIGKILL)
        await next_of(events, "died")
        life = runtime._lives[instance.id]
        await until(lambda: life.restarting is not None and not life.restarting.done())
        await runtime.stop(instance.id, grace_s=1)
        assert (await anext(aiter(events))).kind == "removed"
    assert first != second
    assert with_mark(instance.id) == []
    assert list(directory.iterdir()) == []


async def test_what_restarts_is_started_again_by_the_next_server(directory: Path) -> None:
    async with process_runtime(directory) as runtime:
        instance = await start(runtime, sleeper(restarts=True))
    os.kill(pid_of(instance.id), signal.SIGKILL)
    async with process_runtime(directory) as runtime:
        async with runtime.watch() as events:
            assert (await next_of(events, "started")).instance_id == instance.id
        await stop_all(runtime)


# ---------------------------------------------------------------------- logs, disks, limits


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

    def write(self, record: Record) -> None:
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


# ---------------------------------------------------------------------- commands beside


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
