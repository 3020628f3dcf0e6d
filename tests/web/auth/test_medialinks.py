"""What a signature covers, as tables: paths that share a scope, and paths that do not."""

from __future__ import annotations

import pytest

from touchline.web.auth.medialinks import (
    media_scope,
    sign_playlist,
    sign_target,
    sign_thumbnails,
    signatures_in,
    split_target,
)

MATCH = "/api/v1/recordings/m1"


@pytest.mark.parametrize(
    "paths",
    [
        [
            "/hls/cam0.m3u8",
            "/hls/cam0_0123456789ab_7.m4s",
            "/hls/cam0_0123456789ab_7.2.m4s",
            "/hls/cam0_0123456789ab_1_init.mp4",
        ],
        ["/hls/cam10.m3u8", "/hls/cam10_0123456789ab_7.m4s"],
        ["/hls/panorama.m3u8", "/hls/panorama_0123456789ab_7.m4s"],
        [
            f"{MATCH}/vod/cam0.m3u8",
            f"{MATCH}/vod/0.m3u8",
            f"{MATCH}/vod/cam0/init/cam0_20260211_220241_00.mp4",
            f"{MATCH}/vod/cam0/media/cam0_20260211_220241_00.mp4/1.ts",
            f"{MATCH}/vod/cam0/media/cam0_20260211_220241_00.mp4/1.m4s",
        ],
        [f"{MATCH}/vod/cam1.m3u8", f"{MATCH}/vod/cam1/media/x.mp4/1.ts"],
        [f"{MATCH}/vod/panorama.m3u8", f"{MATCH}/vod/panorama/init/panorama_archive.mp4"],
        ["/api/v1/recordings/m2/vod/cam0.m3u8"],
        [f"{MATCH}/files/cam0_sprites.vtt", f"{MATCH}/files/cam0_sprites.jpg"],
        [f"{MATCH}/files/cam1_sprites.vtt"],
        [f"{MATCH}/files/cam0_archive.mp4"],
        [f"{MATCH}/segments/cam0_archive.mp4"],
        [f"{MATCH}/download"],
        [f"{MATCH}/markers.vtt"],
        [f"{MATCH}/clip"],
        ["/api/v1/cameras/0/snapshot.jpg"],
        ["/api/v1/cameras/1/snapshot.jpg"],
        ["/api/v1/matches/m1/poster.jpg"],
        ["/api/v1/matches/m2/poster.jpg"],
    ],
)
def test_a_scope_is_a_playlist_and_what_it_names(paths: list[str]) -> None:
    scopes = {media_scope(path, "") for path in paths}
    assert len(scopes) == 1
    assert scopes != {None}
    TABLE.setdefault(str(scopes.pop()), []).append(paths)
    assert all(len(same) == 1 for same in TABLE.values()), "and nothing else"


TABLE: dict[str, list[list[str]]] = {}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/hls/",
        "/hls/cam0",
        "/hls/../cam0.m3u8",
        "/hls/cam0.m3u8/x",
        "/hls/cam0.m3u8\n",
        "/api/v1/status",
        "/api/v1/session",
        "/api/v1/recordings",
        MATCH,
        f"{MATCH}/markers",
        f"{MATCH}/segments",
        f"{MATCH}/files/a/b",
        f"{MATCH}/vod/cam0",
        f"{MATCH}/x/vod/cam0.m3u8",
        f"{MATCH}/verify",
        f"{MATCH}/process",
        "/api/v1/cameras",
        "/api/v1/cameras/x/snapshot.jpg",
        "/custom-variant/templates/1/export",
    ],
)
def test_what_is_no_media_has_no_scope(path: str) -> None:
    assert media_scope(path, "") is None


def test_a_clip_is_its_cut() -> None:
    cut = media_scope(f"{MATCH}/clip", "camera=cam0&start=1&end=2")
    assert media_scope(f"{MATCH}/clip", "camera=cam0&start=1&end=2&signature=x") == cut
    for other in (
        "camera=cam1&start=1&end=2",
        "camera=cam0&start=1&end=200",
        "camera=cam0&start=1&end=2&end=200",
        "camera=cam0&start=1&end=2&x=",
        "",
    ):
        assert media_scope(f"{MATCH}/clip", other) != cut
    assert media_scope("/api/v1/recordings/m2/clip", "camera=cam0&start=1&end=2") != cut
    assert media_scope(f"{MATCH}/clip", "&".join(f"a{n}=1" for n in range(100))) is None


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/hls/cam0.m3u8", ("/hls/cam0.m3u8", "")),
        ("/a%20b?x=1#y", ("/a b", "x=1")),
        ("//evil.example/hls/cam0.m3u8", None),
        ("http://evil.example/hls/cam0.m3u8", None),
        ("hls/cam0.m3u8", None),
        ("", None),
        ("/hls%2fcam0.m3u8", None),
        ("/" + "x" * 5000, None),
        ("/[", ("/[", "")),
    ],
)
def test_a_target_is_a_path_of_this_server(target: str, expected: tuple[str, str] | None) -> None:
    assert split_target(target) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a", "/a?signature=T"),
        ("/a?b=1", "/a?b=1&signature=T"),
        ("/a?signature=old&b=1", "/a?b=1&signature=T"),
        ("/a#there", "/a?signature=T"),
        ("a.m4s", "a.m4s?signature=T"),
    ],
)
def test_a_signature_is_added_to_a_target(target: str, expected: str) -> None:
    assert sign_target(target, "T") == expected
    assert signatures_in(expected.partition("?")[2]) == ["T"]


def test_every_uri_of_a_playlist_is_signed() -> None:
    playlist = (
        "#EXTM3U\n#EXT-X-VERSION:7\n"
        '#EXT-X-MAP:URI="cam0_a_1_init.mp4",BYTERANGE="10@0"\n'
        '#EXT-X-PART:DURATION=0.25,URI="cam0_a_1.0.m4s",INDEPENDENT=YES\n'
        "#EXTINF:1.0,\ncam0_a_1.m4s\n"
        "#EXTINF:1.0,\n/api/v1/x.ts?container=ts\n"
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="cam0_a_2.0.m4s"\n'
    )
    signed = sign_playlist(playlist, "T")
    assert signed.count("signature=T") == 5
    assert '#EXT-X-MAP:URI="cam0_a_1_init.mp4?signature=T",BYTERANGE="10@0"\n' in signed
    assert "\n/api/v1/x.ts?container=ts&signature=T\n" in signed
    assert signed.replace("?signature=T", "").replace("&signature=T", "") == playlist


def test_the_pictures_of_a_track_of_thumbnails_are_signed() -> None:
    track = "WEBVTT\n\n00:00.000 --> 00:05.000\ncam0_sprites.jpg#xywh=0,0,160,90\n"
    expected = "cam0_sprites.jpg?signature=T#xywh=0,0,160,90"
    assert expected in sign_thumbnails(track, "T")
