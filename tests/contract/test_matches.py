"""Details of matches, over HTTP and with a start."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.recordings import CAM0, write
from support.serving import API, KEY, client_of
from touchline.capture.library.details import DetailsStore
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest, MatchClock, SegmentRecord
from touchline.core.errors import Blocked

pytestmark = pytest.mark.anyio

S = 1_000_000_000
DETAILS = f"{API}/matches/m1/details"
NOTHING = dict.fromkeys(("home", "away", "competition", "venue", "date", "note"))
DERBY = NOTHING | {"home": "SV Süd", "away": "FC Nord", "date": "2026-11-29"}


@pytest.fixture
def real(system: FakeSystem, tmp_path: Path) -> FakeSystem:
    """The same system over a real library."""
    root = tmp_path / "recordings"
    write(root / "m1" / "segments" / CAM0)
    library = Library(root, is_running=lambda match_id: match_id == "now")
    system.capture.library = library
    system.capture.process_with(tmp_path, library)
    return system


async def test_details_are_stored_and_listed(real: FakeSystem) -> None:
    async with client_of(real) as client:
        assert (await client.get(DETAILS)).json() == NOTHING
        put = await client.put(DETAILS, json=DERBY)
        assert (put.status_code, put.json()) == (200, DERBY)
        assert (await client.get(DETAILS)).json() == DERBY
        listed = (await client.get(f"{API}/recordings")).json()["recordings"]["m1"]
        assert listed["details"] == DERBY


async def test_a_put_replaces_all_fields(real: FakeSystem) -> None:
    async with client_of(real) as client:
        await client.put(DETAILS, json=DERBY)
        put = await client.put(DETAILS, json={"venue": " Pitch  2 ", "home": "", "away": None})
    assert put.json() == NOTHING | {"venue": "Pitch 2"}


async def test_unknown_fields_are_ignored_and_named(real: FakeSystem) -> None:
    async with client_of(real) as client:
        put = (await client.put(DETAILS, json={"homme": "A", "home": "B"})).json()
    assert put["home"] == "B"
    assert ["home" in each for each in put["warnings"]] == [True]


@pytest.mark.parametrize("match_id", ["absent", ".trash", "%2e%2e"])
async def test_a_match_that_is_not_there_is_404(real: FakeSystem, match_id: str) -> None:
    async with client_of(real) as client:
        for response in (
            await client.get(f"{API}/matches/{match_id}/details"),
            await client.put(f"{API}/matches/{match_id}/details", json=DERBY),
        ):
            assert response.status_code == 404
            assert isinstance(response.json()["detail"], str)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"home": "x" * 121}, ["body", "home"]),
        ({"home": 7}, ["body", "home"]),
        ({"note": "x" * 2001}, ["body", "note"]),
        ({"date": "29.11.2026"}, ["body", "date"]),
        ({"date": 20261129}, ["body", "date"]),
        ({"away": {"$gt": ""}}, ["body", "away"]),
        ([], ["body"]),
    ],
)
async def test_bad_details_are_refused_and_the_old_ones_stay(
    real: FakeSystem, body: Any, loc: list[str]
) -> None:
    async with client_of(real) as client:
        await client.put(DETAILS, json=DERBY)
        refused = await client.put(DETAILS, json=body)
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"][: len(loc)] == loc
        assert (await client.get(DETAILS)).json() == DERBY


async def test_a_write_needs_the_key(real: FakeSystem) -> None:
    real.settings.auth.api_key = SecretStr(KEY)
    async with client_of(real) as client:
        assert (await client.get(DETAILS)).status_code == 200
        assert (await client.put(DETAILS, json=DERBY)).status_code == 401
        headers = {"authorization": f"Bearer {KEY}"}
        assert (await client.put(DETAILS, json=DERBY, headers=headers)).status_code == 200


async def test_a_start_may_bring_the_details(real: FakeSystem, tmp_path: Path) -> None:
    write(tmp_path / "recordings" / "m2" / "segments" / CAM0)
    async with client_of(real) as client:
        body = {"match_id": "m2", "details": DERBY}
        started = (await client.post(f"{API}/recording", json=body)).json()
        assert (started["success"], "warnings" in started) == (True, False)
        assert (await client.get(f"{API}/matches/m2/details")).json() == DERBY


async def test_a_start_with_bad_details_is_refused_like_any_wrong_field(real: FakeSystem) -> None:
    async with client_of(real) as client:
        body = {"match_id": "m1", "details": {"date": "soon"}}
        refused = await client.post(f"{API}/recording", json=body)
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["body", "details", "date"]
        assert not (await client.get(f"{API}/recording")).json()["recording"]


async def test_a_recording_runs_although_its_details_cannot_be_stored(
    real: FakeSystem, tmp_path: Path
) -> None:
    real.capture.details = DetailsStore(Library(tmp_path / "away", is_running=lambda _: False))
    async with client_of(real) as client:
        body = {"match_id": "m1", "details": DERBY}
        started = (await client.post(f"{API}/recording", json=body)).json()
    assert started["success"] is True
    assert "without its details" in started["warnings"][0]
    assert started["details_saved"] is False


async def test_a_match_goes_to_the_trash_and_comes_back(real: FakeSystem) -> None:
    async with client_of(real) as client:
        moved = await client.post(f"{API}/matches/m1/trash")
        assert (moved.status_code, moved.json()["status"]) == (200, "trashed")
        assert (await client.get(f"{API}/recordings")).json()["recordings"] == {}
        assert (await client.get(f"{API}/recordings/m1/segments")).status_code == 404
        listed = (await client.get(f"{API}/trash")).json()
        assert (listed["days"], [each["match_id"] for each in listed["matches"]]) == (7, ["m1"])
        entry = listed["matches"][0]["id"]
        restored = await client.post(f"{API}/trash/{entry}/restore")
        assert restored.json() == {"status": "restored", "id": entry, "match_id": "m1"}
        assert set((await client.get(f"{API}/recordings")).json()["recordings"]) == {"m1"}


async def test_the_trash_is_emptied_one_by_one_or_at_once(real: FakeSystem, tmp_path: Path) -> None:
    for name in ("m2", "m3"):
        write(tmp_path / "recordings" / name / "segments" / CAM0)
    async with client_of(real) as client:
        for name in ("m1", "m2", "m3"):
            await client.post(f"{API}/matches/{name}/trash")
        purged = (await client.delete(f"{API}/trash/m2")).json()
        assert (purged["status"], purged["matches"]) == ("deleted", ["m2"])
        assert (await client.delete(f"{API}/trash/m2")).status_code == 404
        emptied = (await client.delete(f"{API}/trash")).json()
        assert sorted(emptied["matches"]) == ["m1", "m3"]
        assert (await client.get(f"{API}/trash")).json()["matches"] == []


async def test_a_deletion_for_good_leaves_nothing_in_the_trash(real: FakeSystem) -> None:
    async with client_of(real) as client:
        deleted = (await client.delete(f"{API}/recordings/m1")).json()
        assert deleted["status"] == "deleted"
        assert (await client.get(f"{API}/trash")).json()["matches"] == []


async def test_the_trash_is_changed_with_the_key_only(real: FakeSystem) -> None:
    real.settings.auth.api_key = SecretStr(KEY)
    async with client_of(real) as client:
        for method, path in (
            ("POST", "/matches/m1/trash"),
            ("POST", "/trash/m1/restore"),
            ("DELETE", "/trash/m1"),
            ("DELETE", "/trash"),
        ):
            assert (await client.request(method, f"{API}{path}")).status_code == 401
        assert (await client.get(f"{API}/trash")).status_code == 200
        assert set((await client.get(f"{API}/recordings")).json()["recordings"]) == {"m1"}


async def test_the_match_that_is_recorded_is_not_moved_to_the_trash(
    real: FakeSystem, tmp_path: Path
) -> None:
    write(tmp_path / "recordings" / "now" / "segments" / CAM0)
    async with client_of(real) as client:
        refused = await client.post(f"{API}/matches/now/trash")
    assert (refused.status_code, refused.json()["code"]) == (409, "match_running")


async def test_a_poster_is_served_with_a_tag_and_without_a_body_for_head(
    real: FakeSystem, tmp_path: Path
) -> None:
    (tmp_path / "recordings" / "m1" / "cam0_poster.jpg").write_bytes(b"\xff\xd8 a poster")
    poster = f"{API}/matches/m1/poster.jpg"
    async with client_of(real) as client:
        got = await client.get(poster)
        assert (got.status_code, got.content) == (200, b"\xff\xd8 a poster")
        assert got.headers["content-type"] == "image/jpeg"
        assert got.headers["cache-control"] == "private, no-cache"
        head = await client.head(poster)
        assert (head.content, head.headers["content-length"]) == (b"", str(len(got.content)))
        tag = {"if-none-match": got.headers["etag"]}
        assert (await client.get(poster, headers=tag)).status_code == 304


async def test_the_poster_of_the_running_match_is_the_current_picture(
    real: FakeSystem, tmp_path: Path
) -> None:
    write(tmp_path / "recordings" / "now" / "segments" / CAM0)
    async with client_of(real) as client:
        got = await client.get(f"{API}/matches/now/poster.jpg")
        assert (got.status_code, got.content[:2]) == (200, b"\xff\xd8")
        assert got.headers["cache-control"] == "private, no-store"
        real.capture.stills = _NoPictures()  # type: ignore[assignment]
        missing = await client.get(f"{API}/matches/now/poster.jpg")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_poster")
    assert "Check the cameras" in missing.json()["detail"]


class _NoPictures:
    async def take(self, camera_id: int) -> None:
        raise Blocked(f"Camera {camera_id} sends no frames", code="no_picture", eta_s=1.0)


async def test_a_poster_needs_the_key_or_a_signed_link(real: FakeSystem, tmp_path: Path) -> None:
    (tmp_path / "recordings" / "m1" / "cam0_poster.jpg").write_bytes(b"\xff\xd8 a poster")
    real.settings.auth.api_key = SecretStr(KEY)
    poster, headers = f"{API}/matches/m1/poster.jpg", {"authorization": f"Bearer {KEY}"}
    async with client_of(real) as client:
        assert (await client.get(poster)).status_code == 401
        assert (await client.get(poster, headers=headers)).status_code == 200
        link = await client.post(f"{API}/links", json={"path": poster}, headers=headers)
        assert (await client.get(link.json()["path"])).status_code == 200


async def test_metrics_of_a_week_tell_the_matches_in_it(real: FakeSystem, tmp_path: Path) -> None:
    folder, now_ns = tmp_path / "recordings" / "m1", time.time_ns()
    segment = SegmentRecord(
        name=CAM0, camera="cam0", index=0, start_unix_ns=now_ns - 60 * S, end_unix_ns=now_ns - S
    )
    clock = MatchClock(start_unix_ns=now_ns - 60 * S)
    manifestfile.save(
        folder, Manifest(match_id="m1", state="finished", clock=clock, segments=(segment,))
    )
    async with client_of(real) as client:
        for wanted, step_s in (("hour", 10), ("day", 120), ("week", 840)):
            body = (await client.get(f"{API}/metrics-history", params={"range": wanted})).json()
            assert (body["range"], body["step_s"]) == (wanted, step_s)
            (match,) = body["matches"]
            assert match["match_id"] == "m1"
            assert match["end"] - match["start"] == pytest.approx(59.0, abs=0.01)
        assert (await client.get(f"{API}/metrics-history?range=year")).status_code == 422
