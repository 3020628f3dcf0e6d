from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from support.fakelive import FakeLive, FakePreview
from support.fakesystem import FakeAuth, FakeSystem
from support.serving import client_of
from touchline.core.errors import Failed, Refused

pytestmark = pytest.mark.anyio
API = "/api/v1/preview"
TEXT = "#EXTM3U\n"


class RecordingPreview(FakePreview):
    """A recording has the cameras."""

    async def start(self, camera_id: int | None, transport: str | None) -> dict[str, Any]:
        raise Refused("Recording is active. Stop recording.", code="recording_active")

    async def restart(self, camera_id: int | None, transport: str | None) -> dict[str, Any]:
        raise Refused("Recording is active. Stop it.", code="recording_active")


class FolderLive(FakeLive):
    """Serves a folder; the part that is being made is there once somebody has asked for it."""

    def __init__(self, folder: Path) -> None:
        self.hls_dir = folder
        self.asked: list[dict[str, Any]] = []

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        self.asked.append({"do": do, **fields})
        if do == "hls_playlist":
            return {"text": TEXT}
        name = str(fields["name"])
        if name.endswith(".9.m4s"):
            assert self.hls_dir is not None
            (self.hls_dir / name).write_bytes(b"later")
            return {"there": True}
        return {"there": False}


class StoppedLive(FakeLive):
    """The preview was stopped between the look and the question."""

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        raise Failed("this camera is not shown over HLS", code="hls_stopped")


@pytest.mark.parametrize("path", [API, f"{API}/restart"])
async def test_a_preview_that_a_recording_forbids_is_400_with_the_reason(
    tmp_path: Path, path: str
) -> None:
    system = FakeSystem.make(tmp_path)
    system.capture.preview = RecordingPreview()
    async with client_of(system) as client:
        answer = await client.post(path, json={})
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("Recording is active.")


async def test_camera_0_and_all_cameras_are_told_apart(tmp_path: Path) -> None:
    system = FakeSystem.make(tmp_path)
    async with client_of(system) as client:
        await client.post(API, json={"camera_id": 0, "transport": "webrtc"})
        await client.post(API, json={})
        await client.delete(API, params={"camera_id": 0})
        await client.delete(API)
        await client.post(f"{API}/restart", json={"camera_id": 1})
    assert system.capture.preview.calls == [
        ("start", 0, "webrtc"),
        ("start", None, None),
        ("stop", 0),
        ("stop", None),
        ("restart", 1, None),
    ]


async def test_a_body_is_needed_and_checked(tmp_path: Path) -> None:
    async with client_of(FakeSystem.make(tmp_path)) as client:
        assert (await client.post(API)).status_code == 422
        assert (await client.post(API, json={"camera_id": "a"})).status_code == 422
        assert (await client.delete(API, params={"camera_id": "a"})).status_code == 422


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [({}, False), ({"X-API-KEY": "no"}, False), ({"X-API-KEY": "k" * 16}, True)],
)
async def test_turn_credentials_are_for_those_who_may_start_a_preview(
    tmp_path: Path, headers: dict[str, str], *, admitted: bool
) -> None:
    system = FakeSystem.make(tmp_path)
    system.settings.auth = FakeAuth(mode="key", api_key=SecretStr("k" * 16))
    async with client_of(system, **headers) as client:
        assert (await client.get(API)).status_code == 200
        assert system.capture.preview.calls == [("status", admitted)]
        statuses = {
            (await client.post(API, json={})).status_code,
            (await client.get("/hls/cam0.m3u8")).status_code,
            (await client.get("/api/v1/cameras/0/snapshot.jpg")).status_code,
            (
                await client.put("/api/v1/settings/preview-while-recording", json={"enabled": True})
            ).status_code,
        }
    assert (not statuses & {401, 403}) is admitted


async def test_a_playlist_is_not_kept_and_its_media_is(tmp_path: Path) -> None:
    system = FakeSystem.make(tmp_path)
    live = system.capture.live = FolderLive(tmp_path)
    (tmp_path / "cam0_1f_7.m4s").write_bytes(b"moof")
    async with client_of(system) as client:
        answer = await client.get("/hls/cam0.m3u8", params={"_HLS_msn": 7, "_HLS_part": 2})
        assert answer.text == TEXT
        assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
        assert answer.headers["cache-control"] == "no-cache"
        assert live.asked == [{"do": "hls_playlist", "camera": "cam0", "msn": 7, "part": 2}]
        answer = await client.get("/hls/cam0_1f_7.m4s")
        assert (answer.content, answer.headers["content-type"]) == (b"moof", "video/mp4")
        assert "immutable" in answer.headers["cache-control"]
        assert len(live.asked) == 1, "what is there needs nobody's word"


async def test_a_part_that_is_being_made_is_waited_for(tmp_path: Path) -> None:
    system = FakeSystem.make(tmp_path)
    system.capture.live = FolderLive(tmp_path)
    async with client_of(system) as client:
        assert (await client.get("/hls/cam0_1f_7.9.m4s")).content == b"later"
        assert (await client.get("/hls/cam0_1f_7.8.m4s")).status_code == 404


@pytest.mark.parametrize(
    "name",
    ["cam1.m3u8", "cam9.m3u8", "cam0.m3u9", "cam0_1f_7.m4s.bak", "%2e%2e", "cam0_../x.m4s",
     "cam0_1F_7.m4s", "secret"],
)  # fmt: skip
async def test_nothing_else_is_served_below_hls(tmp_path: Path, name: str) -> None:
    system = FakeSystem.make(tmp_path)
    system.capture.live = FolderLive(tmp_path)
    (tmp_path / "secret").write_text("secret")
    async with client_of(system) as client:
        answer = await client.get(f"/hls/{name}")
        assert answer.status_code == 404
        assert "secret" not in answer.text


async def test_a_playlist_that_is_not_ready_says_when_to_come_again(tmp_path: Path) -> None:
    system = FakeSystem.make(tmp_path)
    async with client_of(system) as client:
        answer = await client.get("/hls/cam0.m3u8")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        system.capture.live = StoppedLive()
        assert (await client.get("/hls/cam0.m3u8")).status_code == 404
        bad = await client.get("/hls/cam0.m3u8", params={"_HLS_msn": -1})
        assert bad.status_code == 422


async def test_a_playlist_that_waited_while_its_preview_ended_is_gone(tmp_path: Path) -> None:
    system = FakeSystem.make(tmp_path)

    class EndingLive(FakeLive):
        async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
            system.capture.preview.shows_hls = lambda _: False  # type: ignore[assignment, method-assign]
            raise Failed("nothing came", code="hls_not_ready")

    system.capture.live = EndingLive()
    async with client_of(system) as client:
        assert (await client.get("/hls/cam0.m3u8")).status_code == 404


async def test_live_pictures_can_be_checked_without_their_bytes(tmp_path: Path) -> None:
    system = FakeSystem.make(tmp_path)
    system.capture.live = FolderLive(tmp_path)
    (tmp_path / "cam0_1f_7.m4s").write_bytes(b"moof")
    async with client_of(system) as client:
        for path in ("/hls/cam0.m3u8", "/hls/cam0_1f_7.m4s", "/api/v1/cameras/0/snapshot.jpg"):
            asked, got = await client.head(path), await client.get(path)
            assert asked.status_code == got.status_code == 200
            assert asked.headers["content-type"] == got.headers["content-type"]
            assert asked.headers["content-length"] == str(len(got.content))
        assert (await client.head("/hls/cam9.m3u8")).status_code == 404


async def test_a_still_says_when_it_was_taken(tmp_path: Path) -> None:
    async with client_of(FakeSystem.make(tmp_path)) as client:
        answer = await client.get("/api/v1/cameras/0/snapshot.jpg")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["last-modified"] == "Wed, 11 Feb 2026 19:10:41 GMT"
        assert (await client.get("/api/v1/cameras/4/snapshot.jpg")).status_code == 404


async def test_watching_a_recording_can_be_switched(tmp_path: Path) -> None:
    place = "/api/v1/settings/preview-while-recording"
    async with client_of(FakeSystem.make(tmp_path)) as client:
        assert (await client.get(place)).json() == {"enabled": False}
        assert (await client.put(place, json={"enabled": True})).json() == {"enabled": True}
        assert (await client.get(place)).json() == {"enabled": True}
        assert (await client.put(place, json={})).status_code == 422
