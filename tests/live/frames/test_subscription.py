from __future__ import annotations

import asyncio

import pytest

from support.codedbytes import frames
from support.feeders import fed
from touchline.live.frames.stream import CameraStream
from touchline.live.frames.subscription import SubscriptionClosed

pytestmark = pytest.mark.anyio


async def test_a_slow_reader_loses_whole_gops_and_nobody_else_does() -> None:
    stream = CameraStream("cam0")
    fed(stream)
    slow = stream.subscribe(limit_bytes=45)
    quick = stream.subscribe()
    seen = []
    for each in frames(20, gop=5, size=10):
        stream.push(each)
        seen.append(await quick.get())
    assert [f.pts_ns for f in seen] == [f.pts_ns for f in frames(20, gop=5)]
    taken = [await slow.get() for _ in range(slow.waiting)]
    assert [f.keyframe for f in taken] == [True, False, False, False]
    assert (slow.dropped, quick.dropped, stream.dropped) == (16, 0, 16)
    for each in frames(26, gop=5, size=10)[20:]:
        stream.push(each)
    resumed = await slow.get()
    assert resumed.keyframe
    assert resumed.broken, "what it gets now does not continue what it had"


async def test_a_closed_subscription_ends_its_reader() -> None:
    stream = CameraStream("cam0")
    subscription = stream.subscribe()
    reader = asyncio.create_task(subscription.get())
    await asyncio.sleep(0)
    subscription.close()
    with pytest.raises(SubscriptionClosed):
        await reader
    assert [each async for each in subscription] == []
    assert stream.subscribers == 0
