"""File systems that turn read-only, go away and stand still, and are mended again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from _processes import wait_for

MIB = 1 << 20


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


class Image:
    """An ext4 in a file, mounted at `at` by way of a loop device."""

    def __init__(self, file: Path, at: Path) -> None:
        self.at = at
        self._file = file
        with file.open("wb") as empty:
            empty.truncate(256 * MIB)
        _run("mkfs.ext4", "-q", str(file))
        at.mkdir()

    def mount(self) -> None:
        """Put it where it belongs."""
        _run("mount", "-o", "loop,errors=remount-ro", str(self._file), str(self.at))

    def unmount(self) -> None:
        """Take it away as soon as nobody has a file open in it, so that it is clean."""

        def unmounted() -> bool:
            with suppress(subprocess.CalledProcessError):
                _run("umount", str(self.at))
                return True
            return False

        wait_for("the disk to be let go", unmounted)

    def turn_read_only(self) -> bool:
        """Let it find itself broken; False where this kernel cannot."""
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        device = next(line.split()[0] for line in mounts if line.split()[1] == str(self.at))
        knob = Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error")
        if not knob.exists():
            return False
        knob.write_text("1")
        return True

    def repair(self) -> None:
        """Unmount, check and mount it again, as an operator does."""
        self.unmount()
        subprocess.run(
            ["fsck.ext4", "-fy", str(self._file)], check=False, capture_output=True, timeout=60
        )
        self.mount()

    def pull(self) -> None:
        """Take it away under whoever writes to it."""
        _run("umount", "--lazy", str(self.at))

    def plug_in(self) -> None:
        """Mount it again once the last writer has let go, because a disk is mounted once only."""
        wait_for("the disk to be let go", self._is_free)
        self.mount()

    def _is_free(self) -> bool:
        attached = subprocess.run(
            ["losetup", "--associated", str(self._file)], capture_output=True, text=True, check=True
        )
        return not attached.stdout.strip()

    def freeze(self) -> None:
        """Let every write wait."""
        _run("fsfreeze", "--freeze", str(self.at))

    def thaw(self) -> None:
        """Let the writes go on."""
        _run("fsfreeze", "--unfreeze", str(self.at))


@contextmanager
def image(work: Path) -> Iterator[Image]:
    """Yield a mounted one; nothing of it stays mounted."""
    made = Image(work / "disk.img", work / "image")
    made.mount()
    try:
        yield made
    finally:
        with suppress(subprocess.CalledProcessError):
            made.thaw()
        with suppress(subprocess.CalledProcessError):
            made.pull()
