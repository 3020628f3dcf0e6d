"""No way of writing a path leads out of the recordings folder: raw bytes over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fakesystem import FakeSystem
from support.serving import raw_get, served
from touchline.capture.library.library import Library

SEGMENT = "cam0_20260211_220241_00.mp4"

# Each as it stands on the wire. The server undoes one layer of percent-encoding and no more.
NAMES = {
    "dot": b".",
    "dots": b"..",
    "encoded dot": b"%2e",
    "encoded dots": b"%2e%2e",
    "upper-case encoding": b"%2E%2E",
    "half encoded": b".%2e",
    "twice encoded dots": b"%252e%252e",
    "three times encoded": b"%25252e%25252e",
    "overlong dots": b"%c0%ae%c0%ae",
    "full-width dots": b"%ef%bc%8e%ef%bc%8e",
    "dot leaders": b"%e2%80%a5",
    "encoded slash up": b"..%2f",
    "slash up and over": b"..%2foutside",
    "up and back in": b"..%2frecordings%2fm1",
    "twice encoded slash": b"..%252foutside",
    "overlong slash": b"..%c0%afoutside",
    "full-width slash": b"..%ef%bc%8foutside",
    "division slash": b"..%e2%88%95outside",
    "backslash": b"..\\outside",
    "encoded backslash": b"..%5coutside",
    "twice encoded backslash": b"..%255coutside",
    "absolute": b"%2fetc%2fpasswd",
    "drive": b"c:%5cwindows",
    "null": b"%00",
    "null after the name": b"m1%00",
    "null before a suffix": b"m1%00.mp4",
    "newline": b"m1%0a",
    "carriage return": b"m1%0d%0aX: y",
    "space": b"%20",
    "name and a space": b"m1%20",
    "not UTF-8": b"%ff%fe",
    "surrogate": b"%ed%b0%80",
    "parameter": b"..;x=y",
    "wildcard": b"*",
    "home": b"~",
    "variable": b"$HOME",
    "hidden": b".trash-0011",
    "link": b"link",
    "very long": b"a" * 5000,
    "file as match": b"loose.mp4",
}
TEMPLATES = {
    "segments": (b"GET", b"/api/v1/recordings/%s/segments"),
    "download": (b"GET", b"/api/v1/recordings/%s/download"),
    "delete": (b"DELETE", b"/api/v1/recordings/%s"),
    "verify": (b"POST", b"/api/v1/recordings/%s/verify"),
    "segment of": (b"GET", b"/api/v1/recordings/%s/segments/secret.mp4"),
    "file of": (b"GET", b"/api/v1/recordings/%s/files/secret.json"),
    "segment": (b"GET", b"/api/v1/recordings/m1/segments/%s"),
    "file": (b"GET", b"/api/v1/recordings/m1/files/%s"),
}


def _tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recordings folder with one match, and things around and in it that nobody may have."""
    world = tmp_path_factory.mktemp("world")
    root = world / "recordings"
    for folder in (world / "outside", root / "m1", root / ".trash-0011"):
        (folder / "segments").mkdir(parents=True)
        (folder / "segments" / "secret.mp4").write_bytes(b"secret")
        (folder / "secret.json").write_bytes(b"secret")
    (root / "m1" / "segments" / "secret.mp4").rename(root / "m1" / "segments" / SEGMENT)
    (root / "m1" / "secret.json").rename(root / "m1" / "notes.json")
    (root / "loose.mp4").write_bytes(b"secret")
    (root / "link").symlink_to(world / "outside")
    for folder in (root / "m1", root / "m1" / "segments"):
        (folder / "link").symlink_to(world / "outside" / "secret.json")
    return world


@pytest.fixture(scope="module")
def port(world: Path) -> Iterator[int]:
    system = FakeSystem.make(world)
    system.capture.library = Library(world / "recordings", is_running=lambda _: False)
    with served(system) as port:
        yield port


def test_the_right_names_do_lead_to_the_files(port: int) -> None:
    base = b"/api/v1/recordings/m1/"
    assert raw_get(port, base + b"segments")[0] == 200
    for target in (b"segments/" + SEGMENT.encode(), b"files/notes.json", b"files/%6eotes.json"):
        status, _, body = raw_get(port, base + target)
        assert (status, body) == (200, b"secret")


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_no_other_name_is_anything_but_404(
    world: Path, port: int, name: bytes, template: tuple[bytes, bytes]
) -> None:
    before = _tree(world)
    method, target = template
    status, headers, body = raw_get(port, target.replace(b"%s", name), method)
    if b" " in name:
        # A space ends the target, so this is no HTTP at all.
        assert status == 400
    else:
        assert status == 404
        assert headers["content-type"] == "application/json"
        assert isinstance(json.loads(body)["detail"], str)
    assert b"secret" not in body.replace(b"secret.", b"")
    assert _tree(world) == before


@pytest.mark.parametrize(
    "target",
    [
        b"/api/v1/recordings/m1/segments%0a",
        b"/api/v1/recordings/m1/segments%2f",
        b"/api/v1/recordings/../../outside/secret.json",
        b"/api/v1/recordings/m1/files/../../../outside/secret.json",
        b"/api/v1/recordings/m1/segments/../notes.json",
        b"/api/v1/recordings/m1/segments/..%2fnotes.json",
        b"/api/v1/recordings/m1/segments//etc/passwd",
        b"/api/v1/recordings//m1/segments",
        b"/api/v1/recordings/./m1/segments",
        b"/api/v1/../../etc/passwd",
        b"/../../etc/passwd",
        b"/%2e%2e/%2e%2e/etc/passwd",
        b"//etc/passwd",
    ],
)
def test_a_path_with_steps_in_it_has_no_route(port: int, target: bytes) -> None:
    status, _, body = raw_get(port, target)
    assert (status, json.loads(body)) == (404, {"detail": "Not Found"})
