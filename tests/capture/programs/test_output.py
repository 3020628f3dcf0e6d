"""The log of a program, which is not worth more than the program itself."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from support.recorders import until
from touchline.capture.logs.linelog import MAX_FILE_BYTES
from touchline.capture.programs import output
from touchline.capture.programs.output import open_output

pytestmark = pytest.mark.anyio


def is_null_device(descriptor: int) -> bool:
    return os.path.samestat(os.fstat(descriptor), Path(os.devnull).stat())


async def test_what_is_printed_is_appended_and_private(tmp_path: Path) -> None:
    path = tmp_path / "log" / "cam0.log"
    for text in (b"first\n", b"second\n"):
        descriptor = await open_output(path)
        os.write(descriptor, text)
        os.close(descriptor)
    assert path.read_bytes() == b"first\nsecond\n"
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_log_that_is_too_long_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "cam0.log"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    os.close(await open_output(path))
    assert path.stat().st_size == 0
    assert path.with_name("cam0.log.1").stat().st_size == MAX_FILE_BYTES + 1


@pytest.mark.parametrize("planted", ["folder is a file", "log is a folder", "log is a pipe"])
async def test_a_log_that_cannot_be_opened_prevents_no_start(tmp_path: Path, planted: str) -> None:
    path = tmp_path / "log" / "cam0.log"
    if planted == "folder is a file":
        path.parent.write_text("")
    else:
        path.parent.mkdir()
        os.mkfifo(path) if planted == "log is a pipe" else path.mkdir()
    descriptor = await open_output(path)
    assert is_null_device(descriptor)
    os.close(descriptor)


async def test_a_disk_that_stalls_prevents_no_start_and_keeps_no_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_open, opened = threading.Event(), []

    def stalls(path: Path) -> int:
        assert may_open.wait(60)
        opened.append(os.open(path, os.O_WRONLY | os.O_CREAT))
        return opened[0]

    monkeypatch.setattr(output, "_open", stalls)
    monkeypatch.setattr(output, "_WAIT_S", 0.05)
    descriptor = await open_output(tmp_path / "cam0.log")
    assert is_null_device(descriptor)
    may_open.set()

    def is_closed() -> bool:
        links = {os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()}
        return bool(opened) and str(tmp_path / "cam0.log") not in links

    await until(is_closed, "what was opened too late is closed")
    os.close(descriptor)
