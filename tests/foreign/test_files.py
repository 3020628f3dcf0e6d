from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from touchline.foreign import files


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def make_folder(path: Path) -> None:
    path.mkdir()


def make_link(path: Path) -> None:
    target = path.parent.parent / "secret"
    target.write_bytes(b"secret")
    path.symlink_to(target)


def make_dangling(path: Path) -> None:
    path.symlink_to(path.parent.parent / "nowhere")


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


IMPOSTORS = [make_fifo, make_socket, make_folder, make_link, make_dangling, make_device]


@pytest.fixture
def match(tmp_path: Path) -> Path:
    folder = tmp_path / "match"
    (folder / "segments").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("make", IMPOSTORS)
def test_what_is_no_regular_file_counts_as_absent(
    match: Path, make: Callable[[Path], None]
) -> None:
    path = match / "cam0_20260211_220241_00.mp4"
    make(path)
    within(5.0, lambda: absent(path))
    assert not files.is_regular(path)
    assert list(files.regular_entries(match)) == []
    assert list(files.files_below(match)) == []


def absent(path: Path) -> None:
    for flags in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY | os.O_CREAT | os.O_APPEND):
        with pytest.raises(FileNotFoundError):
            files.open_regular(path, flags)
    with pytest.raises(FileNotFoundError):
        files.read_bytes(path)
    with pytest.raises(FileExistsError):
        files.open_regular(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)


@pytest.mark.parametrize("make", [make_fifo, make_socket, make_link, make_dangling, make_device])
def test_a_new_file_takes_the_name_and_not_the_place_behind_it(
    match: Path, make: Callable[[Path], None]
) -> None:
    path = match / ".markers.json.new"
    make(path)
    within(5.0, lambda: files.replace_whole(path, b"ours"))
    assert path.read_bytes() == b"ours"
    assert not path.is_symlink()
    secret = match.parent / "secret"
    assert not secret.exists() or secret.read_bytes() == b"secret"
    assert not (match.parent / "nowhere").exists()


def test_a_folder_of_that_name_is_left_alone(match: Path) -> None:
    (match / "x").mkdir()
    with pytest.raises(OSError, match="director"):
        files.create_new(match / "x")


@pytest.mark.parametrize("linked", ["segments", "match"])
def test_a_linked_folder_of_a_match_is_not_followed(tmp_path: Path, linked: str) -> None:
    real = tmp_path / "elsewhere" / "segments"
    real.mkdir(parents=True)
    (real / "cam0_20260211_220241_00.mp4").write_bytes(b"footage")
    folder = tmp_path / "recordings" / "match"
    if linked == "match":
        folder.parent.mkdir()
        folder.symlink_to(real.parent)
    else:
        folder.mkdir(parents=True)
        (folder / "segments").symlink_to(real)
    path = folder / "segments" / "cam0_20260211_220241_00.mp4"
    with pytest.raises(FileNotFoundError):
        files.open_regular(path)
    with pytest.raises(FileNotFoundError):
        files.create_new(folder / "segments" / "cam0_20260211_220241_01.mp4")
    assert [found.name for found in real.iterdir()] == [path.name]
    if linked == "segments":
        assert list(files.regular_entries(folder / "segments")) == []
        assert list(files.files_below(folder)) == []


def test_the_recordings_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk" / "match").mkdir(parents=True)
    (tmp_path / "disk" / "match" / "match.json").write_bytes(b"{}")
    (tmp_path / "recordings").symlink_to("disk")
    assert files.read_bytes(tmp_path / "recordings" / "match" / "match.json") == b"{}"


def test_relative_paths_have_fewer_folders(match: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (match / "segments" / "a").write_bytes(b"a")
    monkeypatch.chdir(match / "segments")
    assert files.read_bytes("a") == b"a"
    monkeypatch.chdir(match)
    assert files.read_bytes(Path("segments/a")) == b"a"


def test_a_file_is_not_read_beyond_its_limit(match: Path) -> None:
    (match / "match.json").write_bytes(b"x" * 11)
    assert files.read_bytes(match / "match.json", most_bytes=11) == b"x" * 11
    with pytest.raises(OSError, match="larger"):
        files.read_bytes(match / "match.json", most_bytes=10)


def test_a_library_opens_the_file_that_was_checked(match: Path) -> None:
    path = match / "a"
    path.write_bytes(b"checked")
    with files.checked_path(path) as checked:
        path.unlink()
        os.mkfifo(path)
        assert Path(checked).read_bytes() == b"checked"


def test_folders_are_walked_to_a_depth_that_somebody_means(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(200):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "lost").write_bytes(b"")
    (tmp_path / "d" / "kept").write_bytes(b"")
    (tmp_path / "d" / ".hidden").write_bytes(b"")
    assert [found.inside for found in files.files_below(tmp_path)] == [Path("d/kept")]
    hidden = {found.inside.name for found in files.files_below(tmp_path, hidden=True)}
    assert hidden == {"kept", ".hidden"}


def within(seconds: float, work: Callable[[], object]) -> None:
    """Do it in a thread that may hang without hanging the tests."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it waits"
    if failed:
        raise failed[0]
