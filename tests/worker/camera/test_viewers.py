"""What viewers receive of a camera: stills from the pipeline, and a feed to the live process."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support.cameraruns import Bench, eventually, running
from support.coded import CODEC, frames
from touchline.ipc.tee import Tee
from touchline.worker.camera.viewers import FeedUnreachable, Unseen, Viewers

pytestmark = pytest.mark.anyio

PICTURE = b"\x65picture"
SHOWN = b"\0\0\0\1\x67\x64\x0a\x1f" + b"\0\0\0\1\x68\x0f" + b"\0\0\0\1" + PICTURE
"""The picture as a decoder is given it, after its parameter sets."""


async def test_a_still_starts_an_idle_camera_and_is_its_keyframe(
    bench: type[Bench], tmp_path: Path
) -> None:
    keyframe = frames(1, gop=1, start_ns=time.monotonic_ns())[0]
    keyframe = keyframe._replace(data=len(PICTURE).to_bytes(4, "big") + PICTURE)
    bench.plan = staticmethod(lambda pipeline: pipeline.on_frame(keyframe))
    tee = Tee()
    async with running(tee=tee) as camera:
        viewers = Viewers("Main", tee, lambda: camera)
        age_s = await viewers.still(tmp_path / "still.h264", timeout_s=60)
        assert camera.wanted
        await eventually(lambda: not camera.wanted, "the end of the camera's linger")
    assert keyframe.codec == CODEC
    assert (tmp_path / "still.h264").read_bytes() == SHOWN
    assert age_s >= 0


async def test_a_still_of_a_camera_that_sends_nothing_fails_with_the_cameras_error(
    bench: type[Bench], tmp_path: Path
) -> None:
    bench.plan = staticmethod(lambda pipeline: pipeline.on_end("no route to the camera"))
    tee = Tee()
    async with running(tee=tee) as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.last_error, "the camera's error")
        with pytest.raises(Unseen, match="no route to the camera"):
            await Viewers("Main", tee, lambda: camera).still(tmp_path / "none", timeout_s=0.05)
    assert not tee.hung


async def test_a_feed_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    viewers = Viewers("Main", Tee(), lambda: None)
    with pytest.raises(FeedUnreachable, match="the live process cannot be reached"):
        await viewers.begin_feed(tmp_path / "nobody.sock")
    assert viewers.status() is None
