from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.codedbytes import frames
from support.feeders import fed
from touchline.live.frames.stream import CameraStream
from touchline.live.hls.hls import KEPT_BEHIND, Hls
from touchline.live.hls.memory import clear_folder, make_folder
from touchline.live.hls.packager import PlaylistShape
from touchline.live.transcoding.transcode import CameraTranscode

pytestmark = pytest.mark.anyio
SHAPE = PlaylistShape(part_s=0.25, segment_s=1.0, segments=4)


@asynccontextmanager
async def packaging(folder: Path) -> AsyncIterator[tuple[CameraStream, Hls]]:
    stream = CameraStream("cam0")
    fed(stream)
    hls = Hls(CameraTranscode(stream, lambda _: None, lambda: None), folder, SHAPE)
    try:
        yield stream, hls
    finally:
        await hls.close()


async def settled(hls: Hls) -> str:
    """The playlist once all that was pushed is in it."""
    text = ""
    while (newer := await hls.playlist(None, None)) != text:
        assert newer is not None
        text = newer
        await asyncio.sleep(0.1)
    return text


def names(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


async def test_all_that_is_listed_can_be_fetched_and_old_files_go(tmp_path: Path) -> None:
    async with packaging(tmp_path) as (stream, hls):
        for each in frames(30 * 20, gop=30):
            stream.push(each)
            await asyncio.sleep(0)
        text = await settled(hls)
        listed = names(text)
        parts = [
            line.split('URI="')[1].split('"')[0] for line in text.splitlines() if "PART:" in line
        ]
        for name in [*listed, *parts]:
            assert (tmp_path / name).stat().st_size > 0
        segments = [p for p in tmp_path.iterdir() if p.name.count(".") == 1 and p.suffix == ".m4s"]
        assert len(segments) <= SHAPE.segments + KEPT_BEHIND
        whole = (tmp_path / listed[-1]).read_bytes()
        stem = listed[-1].removesuffix(".m4s")
        pieces = sorted(tmp_path.glob(f"{stem}.*.m4s"))
        assert whole == b"".join(piece.read_bytes() for piece in pieces)
    assert list(tmp_path.iterdir()) == []


async def test_a_request_for_what_comes_next_is_answered_when_it_is_there(tmp_path: Path) -> None:
    async with packaging(tmp_path) as (stream, hls):
        taken = frames(120, gop=30)
        for each in taken[:40]:
            stream.push(each)
        text = await settled(hls)
        sequence = hls.ended.sequence
        waiting = asyncio.create_task(hls.playlist(sequence, 1))
        hint = text.rstrip().rpartition('URI="')[2].rstrip('"')
        part = asyncio.create_task(hls.wait_for(hint))
        done, _ = await asyncio.wait({waiting, part}, timeout=0.2)
        assert not done
        for each in taken[40:60]:
            stream.push(each)
        answer = await asyncio.wait_for(waiting, 5)
        assert answer is not None
        assert f"_{sequence}.1.m4s" in answer
        assert await asyncio.wait_for(part, 5)
        assert (tmp_path / hint).exists()
        assert not await hls.wait_for("cam0_0_0.0.m4s"), "nobody waits for what will never come"
        far = await asyncio.wait_for(hls.playlist(sequence + 100, None), 1)
        assert far is not None


async def test_whoever_waits_is_told_when_the_preview_stops(tmp_path: Path) -> None:
    async with packaging(tmp_path) as (stream, hls):
        del stream
        waiting = asyncio.create_task(hls.playlist(None, None))
        await asyncio.sleep(0)
        await hls.close()
        assert await asyncio.wait_for(waiting, 1) is None


def test_the_folder_is_empty_private_and_nobody_elses(tmp_path: Path) -> None:
    memory, run = tmp_path / "memory", tmp_path / "run"
    memory.mkdir()
    run.mkdir()
    folder = make_folder(run, memory)
    assert folder.parent == memory
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "old.m4s").write_bytes(b"old")
    (memory / "somebody's.m4s").write_bytes(b"kept")
    folder.chmod(0o755)
    assert make_folder(run, memory) == folder
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
    clear_folder(folder)
    assert not folder.exists()
    assert [path.name for path in memory.iterdir()] == ["somebody's.m4s"]
    # A link that somebody else put there is not followed.
    folder.symlink_to(tmp_path)
    assert make_folder(run, memory) == run / "hls"
    assert make_folder(run, tmp_path / "missing") == run / "hls"


async def test_a_camera_of_long_groups_of_pictures_keeps_to_the_first_target_it_was_told_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("touchline.live.hls.hls.WAIT_S", 0.3)
    async with packaging(tmp_path) as (stream, hls):
        asked = asyncio.create_task(hls.playlist(None, None))
        for each in frames(30 * 30, gop=1000):
            stream.push(each)
            await asyncio.sleep(0 if asked.done() else 0.01)
        texts = [await asked, await settled(hls)]
    assert None not in texts
    targets = {line for text in texts for line in (text or "").splitlines() if "TARGETDUR" in line}
    assert len(targets) == 1
    assert "#EXTINF" not in (texts[0] or "")
    assert "#EXTINF" in (texts[1] or "")
