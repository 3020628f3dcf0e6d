"""Media for players that know no headers: HTTP Basic, and signed links."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from support.fakelive import FakeLive
from support.fakesystem import FakeSystem
from support.serving import client_of
from touchline.ipc import attempts
from touchline.ipc.attempts import FREE

pytestmark = pytest.mark.anyio

KEY = "a-key-of-some-length"
WITH_KEY = {"x-api-key": KEY}
MATCH = "/api/v1/recordings/m1"
PLAYLIST = '#EXTM3U\n#EXT-X-MAP:URI="cam0_1f_1_init.mp4"\n#EXTINF:1.0,\ncam0_1f_7.m4s\n'


class ShownLive(FakeLive):
    """One camera that is shown."""

    def __init__(self, folder: Path) -> None:
        self.hls_dir = folder

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        return {"text": PLAYLIST} if do == "hls_playlist" else {"there": False}


@pytest.fixture
def locked(tmp_path: Path) -> FakeSystem:
    system = FakeSystem.make(tmp_path)
    system.settings.auth.api_key = SecretStr(KEY)
    system.capture.live = ShownLive(tmp_path)
    for name in ("cam0_1f_1_init.mp4", "cam0_1f_7.m4s", "cam1_1f_7.m4s"):
        (tmp_path / name).write_bytes(b"moof and more")
    return system


def basic(password: str, name: str = "any") -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


async def link(client: httpx.AsyncClient, path: str) -> str:
    reply = await client.post("/api/v1/links", json={"path": path}, headers=WITH_KEY)
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert told["url"] == f"{str(client.base_url).rstrip('/')}{told['path']}"
    return str(told["path"])


async def test_a_player_opens_media_with_the_key_as_password(locked: FakeSystem) -> None:
    async with client_of(locked) as client:
        for name in ("any", "", "a:b"[0]):
            reply = await client.get("/hls/cam0.m3u8", headers=basic(KEY, name))
            assert (reply.status_code, reply.text) == (200, PLAYLIST)
        assert (await client.head("/hls/cam0_1f_7.m4s", headers=basic(KEY))).status_code == 200
        wrong = await client.get("/hls/cam0.m3u8", headers=basic("wrong"))
        assert wrong.status_code == 401
        assert wrong.headers["www-authenticate"].startswith("Basic ")
        broken = await client.get("/hls/cam0.m3u8", headers={"authorization": "Basic !!!"})
        assert broken.status_code == 401


async def test_a_password_opens_media_alone(locked: FakeSystem) -> None:
    async with client_of(locked, **basic(KEY)) as client:
        assert (await client.post("/cache/clear")).status_code == 401
        assert (await client.post("/api/v1/links", json={"path": "/"})).status_code == 401
        assert (await client.delete(MATCH)).status_code == 401


async def test_players_are_asked_for_a_password_and_the_dashboard_is_not(
    locked: FakeSystem,
) -> None:
    browser = {"user-agent": "Mozilla/5.0 (X11)", "accept": "*/*"}
    async with client_of(locked) as client:
        for headers, asked in (
            ({"user-agent": "Lavf/59.27.100"}, True),
            ({"user-agent": "VLC/3.0.18 LibVLC/3.0.18"}, True),
            (browser, False),
            ({**browser, "accept": "text/html,*/*"}, True),
            ({"user-agent": "AppleCoreMedia/1.0", "cookie": "touchline_session=old"}, False),
        ):
            reply = await client.get("/hls/cam0.m3u8", headers=headers)
            challenges = reply.headers.get_list("www-authenticate")
            assert (len(challenges) == 2 and challenges[1].startswith("Basic ")) is asked


async def test_a_signed_playlist_opens_everything_that_it_names(locked: FakeSystem) -> None:
    async with client_of(locked) as client:
        path = await link(client, "/hls/cam0.m3u8?_HLS_msn=3")
        reply = await client.get(path)
        assert reply.status_code == 200
        named = re.findall(r'URI="([^"]+)"|^([^#\s]+)$', reply.text, re.MULTILINE)
        assert len(named) == 2
        for uri in (one or other for one, other in named):
            assert "signature=" in uri
            assert (await client.get(f"/hls/{uri}")).content == b"moof and more"
            assert (await client.head(f"/hls/{uri}")).status_code == 200
        signature = path.rpartition("&")[2]
        assert (await client.get(f"/hls/cam1_1f_7.m4s?{signature}")).status_code == 403
        with_key = await client.get("/hls/cam0.m3u8", headers=WITH_KEY)
        assert with_key.text == PLAYLIST


async def test_a_signature_opens_nothing_else(locked: FakeSystem) -> None:
    clip = f"{MATCH}/clip?camera=cam0&start=0&end=1"
    async with client_of(locked) as client:
        signatures = {
            path: (await link(client, path)).rpartition("signature=")[2]
            for path in (
                "/hls/cam0.m3u8",
                f"{MATCH}/vod/cam0.m3u8",
                clip,
                f"{MATCH}/files/match.json",
                f"{MATCH}/download",
                "/api/v1/cameras/0/snapshot.jpg",
            )
        }
        others = [*signatures, f"{clip}&x=1", "/api/v1/recordings/m2/download"]
        for signed, signature in signatures.items():
            for path in others:
                target = f"{path}{'&' if '?' in path else '?'}signature={signature}"
                status = (await client.get(target)).status_code
                assert (status in {401, 403}) is (path != signed), (signed, path)
            signing = f"signature={signature}"
            assert (await client.get(f"/api/v1/status?{signing}")).status_code == 200
            assert (await client.post(f"/cache/clear?{signing}")).status_code == 401
            assert (await client.delete(f"{MATCH}?{signing}")).status_code == 401


async def test_ranges_and_heads_work_on_links(locked: FakeSystem, tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "m1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reel.mp4").write_bytes(bytes(range(100)))
    async with client_of(locked) as client:
        path = await link(client, f"{MATCH}/files/reel.mp4")
        part = await client.get(path, headers={"range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
        head = await client.head(path)
        assert (head.status_code, head.headers["content-length"]) == (200, "100")


async def test_an_expired_link_says_so(locked: FakeSystem) -> None:
    locked.settings.auth.link_lifetime_s = 0
    async with client_of(locked) as client:
        reply = await client.get(await link(client, "/hls/cam0.m3u8"))
        assert reply.status_code == 403
        assert reply.json() == {
            "detail": "This link has expired; request a new one",
            "code": "link_expired",
        }
        forged = await client.get("/hls/cam0.m3u8?signature=x")
        assert (forged.status_code, forged.json()["code"]) == (403, "link_invalid")
        doubled = await client.get("/hls/cam0.m3u8?signature=x&signature=y")
        assert doubled.status_code == 403


async def test_a_new_key_ends_links(locked: FakeSystem) -> None:
    async with client_of(locked) as client:
        path = await link(client, "/hls/cam0.m3u8")
    locked.settings.auth.api_key = SecretStr("another-key-of-length")
    async with client_of(locked) as client:
        assert (await client.get(path)).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/", "/api/v1/status", "hls/cam0.m3u8", "//evil.example/hls/cam0.m3u8", "/hls/cam0.m3u8/..",
     "https://evil.example/hls/cam0.m3u8", "/hls%2fcam0.m3u8", "", "x" * 5000],
)  # fmt: skip
async def test_only_media_of_this_server_can_be_signed(locked: FakeSystem, path: str) -> None:
    async with client_of(locked, **WITH_KEY) as client:
        reply = await client.post("/api/v1/links", json={"path": path})
    assert reply.status_code == 422


async def test_only_whoever_has_the_key_gets_links(locked: FakeSystem) -> None:
    body = {"path": "/hls/cam0.m3u8"}
    async with client_of(locked) as client:
        path = await link(client, body["path"])
        assert (await client.post("/api/v1/links", json=body)).status_code == 401
        signed = f"/api/v1/links?{path.partition('?')[2]}"
        assert (await client.post(signed, json=body)).status_code == 401


async def test_an_open_server_needs_no_signature(tmp_path: Path) -> None:
    async with client_of(FakeSystem.make(tmp_path)) as client:
        reply = await client.post("/api/v1/links", json={"path": "/hls/cam0.m3u8"})
        assert (reply.json()["path"], reply.json()["expires_in_s"]) == ("/hls/cam0.m3u8", None)


async def test_closed_reads_let_players_in(locked: FakeSystem) -> None:
    locked.settings.auth.reads = True
    async with client_of(locked) as client:
        path = await link(client, "/hls/cam0.m3u8")
        assert (await client.get(path)).status_code == 200
        assert (await client.get("/hls/cam0.m3u8", headers=basic(KEY))).status_code == 200
        assert (await client.get("/api/v1/status", headers=basic(KEY))).status_code == 401
        assert (await client.get("/hls/cam0.m3u8")).headers.get_list("www-authenticate")[1:]


async def test_a_signed_track_of_thumbnails_has_signed_pictures(
    locked: FakeSystem, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings" / "m1"
    folder.mkdir(parents=True)
    track, sheet = folder / "cam0_sprites.vtt", folder / "cam0_sprites.jpg"
    track.write_text("WEBVTT\n\n00:00.000 --> 00:05.000\ncam0_sprites.jpg#xywh=0,0,160,90\n")
    sheet.write_bytes(b"\xff\xd8")
    async with client_of(locked) as client:
        signed = await client.get(await link(client, f"{MATCH}/files/cam0_sprites.vtt"))
        assert signed.headers["content-type"] == "text/vtt; charset=utf-8"
        picture = re.search(r"^(cam0_sprites\.jpg\?signature=.+)#xywh", signed.text, re.MULTILINE)
        assert picture is not None
        assert (await client.get(f"{MATCH}/files/{picture[1]}")).content == b"\xff\xd8"
        plain = await client.get(f"{MATCH}/files/cam0_sprites.vtt", headers=WITH_KEY)
        assert plain.content == track.read_bytes()


async def wrong_keys(client: httpx.AsyncClient, count: int) -> list[httpx.Response]:
    return [
        await client.post("/api/v1/session", json={"key": f"wrong{number}"})
        for number in range(count)
    ]


async def test_wrong_keys_have_to_wait_and_right_ones_never(
    locked: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than any test takes, however busy the machine.
    monkeypatch.setattr(attempts, "pause_after", lambda count, **_: 600.0 * (count > FREE))
    async with client_of(locked) as client:
        statuses = [reply.status_code for reply in await wrong_keys(client, FREE + 4)]
        assert statuses == [403] * (FREE + 1) + [429] * 3
        for headers in ({"x-api-key": "no"}, {"authorization": "Bearer no"}):
            refused = await client.delete(MATCH, headers=headers)
            told = (refused.status_code, refused.json())
            assert told == (403, {"detail": "invalid token"}), "as the contract has it"
        assert (await client.get("/hls/cam0.m3u8", headers=basic("no"))).status_code == 401
        (refused,) = await wrong_keys(client, 1)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await client.get("/hls/cam0.m3u8")).status_code == 401, "no key is no guess"
        assert (await client.post("/cache/clear", headers=WITH_KEY)).status_code == 200
        assert (await client.get("/hls/cam0.m3u8", headers=basic(KEY))).status_code == 200
        assert (await client.post("/api/v1/session", json={"key": KEY})).status_code == 200


async def test_wrong_keys_count_wherever_they_are_sent(
    locked: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "pause_after", lambda count, **_: 600.0 * (count > FREE))
    async with client_of(locked) as client:
        for _ in range(FREE + 1):
            await client.get("/hls/cam0.m3u8", headers=basic("no"))
            await client.delete(MATCH, headers={"x-api-key": "no"})
        (refused,) = await wrong_keys(client, 1)
    assert refused.status_code == 429


async def test_a_storm_of_wrong_keys_is_one_event(
    locked: FakeSystem, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(locked) as client:
        await wrong_keys(client, 50)
    told = locked.events.kept
    assert [(event.type, event.category) for event in told] == [("system", "warning")]
    assert "wrong keys from 127.0.0.1" in told[0].message
    lines = [record for record in caplog.records if "Wrong keys" in record.getMessage()]
    assert 1 <= len(lines) < 10
    assert "wrong1" not in caplog.text
