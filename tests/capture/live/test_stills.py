from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.scriptedlinks import scripted_camera
from touchline.capture.live.stills import KEPT_S, Stills
from touchline.core.errors import Blocked, Failed, NotFound

pytestmark = pytest.mark.anyio


class Decoder:
    """Stands for ffmpeg: a picture is JPEG once it is numbered."""

    def __init__(self) -> None:
        self.decoded = 0
        self.returncode = 0
        self.said = b""
        self.error: Exception | None = None

    async def run(self, command: Sequence[str], **_options: Any) -> Any:
        self.decoded += 1
        assert tuple(command[:3]) == ("nice", "-n", "10"), "behind the recorder"
        path = Path(command[command.index("-i") + 1])
        assert path.read_bytes() == b"picture"
        if self.error is not None:
            raise self.error
        jpeg = b"" if self.returncode else b"JPEG %d" % self.decoded
        return subprocess.CompletedProcess(command, self.returncode, jpeg, self.said)


def writes_picture(*, path: str, wait_s: float) -> dict[str, Any]:
    assert wait_s > 0
    Path(path).write_bytes(b"picture")
    return {"age_s": 2.0}


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Decoder:
    made = Decoder()
    monkeypatch.setattr(anyio, "run_process", made.run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return made


async def test_a_still_says_when_it_was_captured(decoder: Decoder, tmp_path: Path) -> None:
    before_s = time.time()
    still = await Stills({0: scripted_camera(0, still=writes_picture)}, tmp_path).take(0)
    assert still.jpeg == b"JPEG 1"
    assert before_s - 2.0 <= still.captured_at_s <= time.time() - 2.0
    assert list(tmp_path.iterdir()) == []


async def test_many_who_ask_at_once_get_one_still(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_s = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: clock_s)
    stills = Stills({0: scripted_camera(0, still=writes_picture)}, tmp_path)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(stills.take, 0)
    clock_s += KEPT_S
    assert (await stills.take(0)).jpeg == b"JPEG 1"
    clock_s += 0.1
    assert (await stills.take(0)).jpeg == b"JPEG 2"


async def test_a_camera_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as raised:
        await Stills({}, tmp_path).take(3)
    assert raised.value.code == "camera_unknown"


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (Failed("nothing came", code="no_picture"), (Blocked, "no_picture")),
        (Failed("the disk is full", code="disk"), (Failed, "disk")),
        (Blocked("it is gone", code="worker_gone"), (Blocked, "worker_gone")),
    ],
)
async def test_a_camera_that_sends_nothing_is_asked_again_later(
    decoder: Decoder, tmp_path: Path, answer: Any, raised: tuple[type[Exception], str]
) -> None:
    with pytest.raises(raised[0]) as found:
        await Stills({0: scripted_camera(0, still=answer)}, tmp_path).take(0)
    assert getattr(found.value, "code", None) == raised[1]
    assert decoder.decoded == 0


@pytest.mark.parametrize(
    ("returncode", "said", "error", "words"),
    [
        (1, b"first\nno such codec\n", None, "no such codec"),
        (1, b"", None, "no picture"),
        (0, b"", TimeoutError(), "in time"),
    ],
)
async def test_a_picture_that_cannot_be_decoded_leaves_no_file_and_is_not_kept(
    decoder: Decoder,
    tmp_path: Path,
    returncode: int,
    said: bytes,
    error: Exception | None,
    words: str,
) -> None:
    decoder.returncode, decoder.said, decoder.error = returncode, said, error
    stills = Stills({0: scripted_camera(0, still=writes_picture)}, tmp_path)
    with pytest.raises(Failed, match=words) as raised:
        await stills.take(0)
    assert raised.value.code == "still_failed"
    assert list(tmp_path.iterdir()) == []
    decoder.returncode, decoder.error = 0, None
    assert (await stills.take(0)).jpeg == b"JPEG 2"


async def test_a_machine_without_ffmpeg_is_named(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(Failed) as raised:
        await Stills({0: scripted_camera(0, still=writes_picture)}, tmp_path).take(0)
    assert raised.value.code == "no_ffmpeg"
