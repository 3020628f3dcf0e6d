"""A poster is created once, and a match without a picture is not tried again and again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.recordings import CAM0, CAM1, write
from touchline.capture.library.library import Library
from touchline.capture.library.markers import Markers
from touchline.capture.library.playback.posters import MOST_MOMENTS, Posters, studio_posters
from touchline.core.errors import Failed, NotFound

pytestmark = pytest.mark.anyio


class Studio:
    """Creates what it is told to, and counts."""

    def __init__(self, error: Failed | None = None) -> None:
        self.error = error
        self.specs: list[Mapping[str, Any]] = []

    async def run(self, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        self.specs.append(spec)
        await anyio.sleep(0.01)
        if self.error is not None:
            raise self.error
        write(Path(spec["folder"]) / "cam1_poster.jpg", 1)
        return {"poster": "cam1_poster.jpg"}


def markers_of(library: Library) -> Markers:
    return Markers(library, match_now_ns=lambda _: None)


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture
def posters(root: Path, library: Library, studio: Studio) -> Posters:
    for name in (CAM0, CAM1):
        write(root / "m1" / "segments" / name)
    return Posters(library, markers_of(library), studio.run)


async def test_a_poster_is_created_once_for_all_who_ask(
    root: Path, posters: Posters, studio: Studio
) -> None:
    assert await posters.find("m1") is None
    found: list[Path] = []

    async def ask() -> None:
        found.append(await posters.create("m1"))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
    assert found == [root / "m1" / "cam1_poster.jpg"] * 5
    assert len(studio.specs) == 1
    assert await posters.find("m1") == found[0]


async def test_a_poster_that_post_processing_made_is_used(
    root: Path, posters: Posters, studio: Studio
) -> None:
    write(root / "m1" / "cam0_poster.jpg", 1)
    assert await posters.find("m1") == root / "m1" / "cam0_poster.jpg"
    assert await posters.create("m1") == root / "m1" / "cam0_poster.jpg"
    assert studio.specs == []


async def test_marked_moments_are_shown_first_goals_before_others(
    posters: Posters, library: Library, studio: Studio
) -> None:
    markers = markers_of(library)
    for kind, at_s in (("other", 1.0), ("corner", 2.0), ("goal", 9.0), ("card", 3.0)):
        await markers.add("m1", kind=kind, text="", team="", at_s=at_s, seconds_ago=0.0)
    await posters.create("m1")
    (moments,) = [spec["moments_ns"] for spec in studio.specs]
    assert len(moments) == MOST_MOMENTS
    assert moments[0] == max(moments)


async def test_damaged_markers_do_not_cost_the_poster(root: Path, posters: Posters) -> None:
    (root / "m1" / "markers.json").write_text("{")
    assert (await posters.create("m1")).name == "cam1_poster.jpg"


async def test_without_a_picture_there_is_none_until_the_footage_changes(
    root: Path, posters: Posters, studio: Studio
) -> None:
    studio.error = Failed("This match has no footage", code="no_footage")
    for _ in range(3):
        with pytest.raises(NotFound) as raised:
            await posters.create("m1")
        assert raised.value.code == "no_poster"
    assert len(studio.specs) == 1
    studio.error = None
    write(root / "m1" / "segments" / "cam0_20260211_230000_00.mp4")
    assert (await posters.create("m1")).name == "cam1_poster.jpg"


async def test_another_failure_is_told_and_tried_again(posters: Posters, studio: Studio) -> None:
    studio.error = Failed("It cannot be written", code="not_written")
    for _ in range(2):
        with pytest.raises(Failed, match="cannot be written"):
            await posters.create("m1")
    assert len(studio.specs) == 2


@pytest.mark.parametrize("match_id", ["absent", "..", ".trash"])
async def test_an_unknown_match_has_no_poster(posters: Posters, match_id: str) -> None:
    with pytest.raises(NotFound):
        await posters.find(match_id)
    with pytest.raises(NotFound):
        await posters.create(match_id)


async def test_a_link_in_the_place_of_a_poster_is_not_followed(
    root: Path, posters: Posters, tmp_path: Path
) -> None:
    write(tmp_path / "secret", 1)
    (root / "m1" / "cam0_poster.jpg").symlink_to(tmp_path / "secret")
    assert await posters.find("m1") is None


async def test_the_studio_tells_that_there_is_no_footage(
    library: Library, root: Path, tmp_path: Path
) -> None:
    """With the program itself, which tells what it finds."""
    write(root / "m1" / "segments" / CAM0, 10)
    posters = Posters(library, markers_of(library), studio_posters(tmp_path / "studio.log"))
    with pytest.raises(NotFound, match="no poster"):
        await posters.create("m1")
