from __future__ import annotations

from pathlib import Path

from touchline.media.storage.mounts import is_mounted, mount_of, parse_mountinfo

LINES = [
    "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
    "2 1 8:2 / /media/my\\040disk rw shared:1 - exfat /dev/sdb\\0401 rw",
    "3 1 0:9 / /media rw - tmpfs none rw",
    "nonsense",
    "4 1 8:3 / /mnt rw",
]
MOUNTS = parse_mountinfo(LINES)


def test_mounts_are_read_with_their_spaces_and_other_lines_are_skipped() -> None:
    assert [mount.point for mount in MOUNTS] == ["/", "/media/my disk", "/media"]
    assert (MOUNTS[1].fs_type, MOUNTS[1].source, MOUNTS[1].device) == ("exfat", "/dev/sdb 1", "8:2")


def test_a_path_is_on_the_longest_mount_above_it_though_it_need_not_exist() -> None:
    def on(path: str) -> str | None:
        found = mount_of(path, MOUNTS)
        return found.point if found else None

    assert on("/media/my disk/match") == "/media/my disk"
    assert on("/media/my disk2") == "/media"
    assert on("/mediatheque") == "/"
    assert mount_of("/a", []) is None


def test_of_two_mounts_in_one_place_the_newest_counts() -> None:
    again = parse_mountinfo([*LINES, "5 1 9:9 / /media rw - ext4 /dev/new rw"])
    found = mount_of("/media/a", again)
    assert found is not None
    assert found.device == "9:9"


def test_the_root_is_mounted_and_an_ordinary_folder_is_not(tmp_path: Path) -> None:
    assert is_mounted("/")
    assert not is_mounted(str(tmp_path))
