"""Caches of idle engines are cleaned, whatever one engine answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from support.fakeruntime import FakeRuntime
from support.half import opened_half, settings_for
from touchline.engines.model.model import Executed
from touchline.engines.monitoring.cache import FORGIVEN
from touchline.foreign.numbers import LARGEST

pytestmark = pytest.mark.anyio


class Measuring(FakeRuntime):
    """Answers `du` of the first engine as it is told, of the others with 7 bytes."""

    def __init__(self, odd: bytes | Exception) -> None:
        super().__init__()
        self.odd = odd
        self.measured: list[str] = []

    async def execute(
        self, instance_id: str, command: Sequence[str], *, within_s: float
    ) -> Executed:
        if command[0] != "du":
            return Executed(0, b"")
        self.measured.append(instance_id)
        if instance_id != min(self.world.instances):
            return Executed(0, b"7\t/cache\n")
        if isinstance(self.odd, Exception):
            raise self.odd
        return Executed(0, self.odd)


@pytest.mark.parametrize(
    ("odd", "size_bytes"),
    [
        (b"9" * 4301 + b"\t/cache\n", 0),
        ("\u0663\t/cache".encode(), 0),
        ("\u00b2\t/cache".encode(), 0),
        (b"\xff\xfe\n\n\t", 0),
        (b"-5\t/cache\n", 0),
        (b"%d\ta\n%d\tb\n" % (LARGEST, LARGEST), LARGEST),
        (KeyError("ExitCode"), None),
        (MemoryError(), None),
    ],
)
async def test_what_one_engine_says_of_its_cache_stops_no_other_from_being_cleaned(
    odd: bytes | Exception, size_bytes: int | None
) -> None:
    runtime = Measuring(odd)
    settings = settings_for(scaling={"min_replicas": 3}, health={"interval_s": 60.0})
    async with opened_half(settings, runtime=runtime, world=runtime.world) as rig:
        engines = await rig.ready(3)
        for number, engine in enumerate(engines):
            await rig.play(engine, f"ch-{number}")
            await rig.front.streams.ended(
                container_id=None, stream_id=f"ch-{number}", reason="over"
            )
        for _ in range(FORGIVEN + 2):
            await rig.half.parts.monitoring.cleaner.once()
        first, *others = sorted(engines, key=lambda engine: engine.id)
        for engine in others:
            assert rig.front.fleet.engine(engine.id).cache_size_bytes == 7
        cleaned = rig.front.fleet.engine(first.id)
        assert cleaned.cache_size_bytes == size_bytes
        assert (cleaned.last_cache_cleanup is None) is isinstance(odd, Exception)
        assert runtime.measured.count(first.id) <= FORGIVEN
