"""Names under which a browser saves downloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fakelibrary import FakeArchive
from support.fakesystem import FakeSystem
from support.serving import client_of
from touchline.web.files.downloads import choose_file_name

URL = "/api/v1/recordings/m1/segments/cam0.mp4"


@pytest.fixture
def system(tmp_path: Path) -> FakeSystem:
    segments = tmp_path / "recordings" / "m1" / "segments"
    segments.mkdir(parents=True)
    (segments / "cam0.mp4").write_bytes(b"footage")
    return FakeSystem.make(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "saved"),
    [
        (None, "cam0.mp4"),
        ("", "cam0.mp4"),
        ("SV Süd – FC Nord, LEFT", "SV Süd – FC Nord, LEFT.mp4"),
        ("SV Süd – FC Nord, LEFT.mp4", "SV Süd – FC Nord, LEFT.mp4"),
        ("page.html", "page.html.mp4"),
        ('../a/b\\c:"d"\r\n\ud800\u202e', "abcd.mp4"),
        (" . ", "cam0.mp4"),
    ],
)
def test_a_file_is_saved_as_one_wants_with_its_own_ending(wanted: str | None, saved: str) -> None:
    assert choose_file_name(wanted, "cam0.mp4") == saved


@pytest.mark.anyio
async def test_a_download_is_named_as_the_request_says(system: FakeSystem) -> None:
    async with client_of(system) as client:
        file = await client.get(URL, params={"name": "Süd – Nord, LEFT"})
        system.capture.library.archives["m1"] = FakeArchive("m1.zip", (b"PK",), known_size=True)
        archive = await client.get("/api/v1/recordings/m1/download", params={"name": "Derby"})
        refused = await client.get(URL, params={"name": "x" * 256})
    assert file.headers["content-disposition"].endswith(
        "filename*=UTF-8''S%C3%BCd%20%E2%80%93%20Nord%2C%20LEFT.mp4"
    )
    assert archive.headers["content-disposition"] == 'attachment; filename="Derby.zip"'
    assert refused.status_code == 422
