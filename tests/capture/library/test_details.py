"""Details are stored with the match, whoever recorded it, and listed with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.recordings import CAM0, recordings, write
from touchline.capture.library.details import DetailsStore
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import detailsfile
from touchline.capture.library.manifest.detailsfile import Details
from touchline.core.errors import Failed, NotFound

pytestmark = pytest.mark.anyio

NOTHING = dict.fromkeys(("home", "away", "competition", "venue", "date", "note"))


async def test_a_match_of_another_program_has_details_and_is_listed_with_them(
    root: Path, library: Library
) -> None:
    write(root / "m1" / "segments" / CAM0)
    details, before = DetailsStore(library), library.changed.version
    assert await details.get("m1") == NOTHING
    assert "details" not in (await recordings(library))["m1"]
    stored = await details.put("m1", Details(home="SV Süd", away="FC Nord"))
    assert stored == await details.get("m1") == NOTHING | {"home": "SV Süd", "away": "FC Nord"}
    assert (await recordings(library))["m1"]["details"] == stored
    assert library.changed.version > before


async def test_another_server_finds_them(root: Path, library: Library) -> None:
    write(root / "m1" / "segments" / CAM0)
    await DetailsStore(library).put("m1", Details(venue="Pitch 2"))
    another = Library(root, is_running=lambda _: False)
    assert (await DetailsStore(another).get("m1"))["venue"] == "Pitch 2"


async def test_emptied_details_are_listed_no_more(root: Path, library: Library) -> None:
    write(root / "m1" / "segments" / CAM0)
    details = DetailsStore(library)
    await details.put("m1", Details(home="A"))
    assert await details.put("m1", Details()) == NOTHING
    assert "details" not in (await recordings(library))["m1"]


async def test_an_unknown_match_has_none(library: Library) -> None:
    for name in ("absent", "..", ".trash"):
        with pytest.raises(NotFound):
            await DetailsStore(library).get(name)
        with pytest.raises(NotFound):
            await DetailsStore(library).put(name, Details())


async def test_a_match_that_is_deleted_meanwhile_is_not_created_again(
    root: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root / "m1" / "segments" / CAM0)
    folder = await library.folder("m1")
    await library.delete("m1")

    async def found(_: str) -> Path:
        return folder

    monkeypatch.setattr(library, "folder", found)
    with pytest.raises(NotFound):
        await DetailsStore(library).put("m1", Details(home="A"))
    assert not folder.exists()


async def test_damaged_details_are_an_error_and_the_match_is_listed_all_the_same(
    root: Path, library: Library
) -> None:
    write(root / "m1" / "segments" / CAM0)
    (root / "m1" / detailsfile.FILE_NAME).write_text("{")
    with pytest.raises(Failed) as raised:
        await DetailsStore(library).get("m1")
    assert raised.value.code == "details_damaged"
    assert "details" not in (await recordings(library))["m1"]
