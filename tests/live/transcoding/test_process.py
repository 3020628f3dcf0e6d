from __future__ import annotations

import asyncio
import sys

import pytest

from support.codedcamera import GOP, PLAIN
from support.rollingcamera import RollingCamera
from touchline.live.frames.stream import CameraStream
from touchline.live.transcoding import process as module
from touchline.live.transcoding.process import CANNOT, TranscodeFailed, TranscoderProcess

pytestmark = pytest.mark.anyio

WITHIN_S = 60.0
ECHO = """
import os
while data := os.read(0, 1 << 16):
    os.write(0, data)
"""


class Rig:
    """A camera whose frames go to a program and come back as it returns them."""

    def __init__(self, program: str) -> None:
        self.source, self.own = CameraStream("cam0"), CameraStream("cam0")
        self.camera = RollingCamera(self.source, PLAIN)
        self.wanted = True
        self.pictures = 0
        self.process = TranscoderProcess(
            self.source,
            self.own,
            (sys.executable, "-c", program),
            is_wanted=lambda: self.wanted,
            is_watched=lambda: False,
            pictures_come=self._come,
        )

    def _come(self) -> None:
        self.pictures += 1
        self.wanted = self.pictures < GOP

    async def run(self) -> None:
        self.camera.push(GOP)
        await asyncio.wait_for(self.process.run(), WITHIN_S)


async def test_what_the_program_returns_are_the_frames_of_its_own_stream() -> None:
    rig = Rig(ECHO)
    await rig.run()
    assert rig.own.frames == rig.pictures == GOP
    assert rig.own.codec == rig.source.codec


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (f"raise SystemExit({CANNOT})", "too large to transcode"),
        ("raise SystemExit(7)", "exited with status 7"),
        ("import os; os.kill(os.getpid(), 9)", "exited by signal 9"),
        ("import os, time; os.write(0, b'x' * 4096); time.sleep(60)", "connection broke"),
    ],
)
async def test_a_program_that_cannot_go_on_says_why(program: str, words: str) -> None:
    with pytest.raises(TranscodeFailed, match=words):
        await Rig(program).run()


async def test_a_program_that_returns_nothing_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENT_S", 0.5)
    rig = Rig("import time; time.sleep(600)")
    rolling = asyncio.create_task(rig.camera.roll())
    try:
        with pytest.raises(TranscodeFailed, match=r"no picture for 0\.5 s"):
            await rig.run()
    finally:
        rolling.cancel()


async def test_a_program_that_is_none_is_a_failure_of_the_transcode() -> None:
    rig = Rig("")
    rig.process._command = ("/no/such/transcoder",)
    with pytest.raises(TranscodeFailed, match="could not be started: No such file"):
        await rig.run()
