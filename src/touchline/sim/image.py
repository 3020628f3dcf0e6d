"""The root file system of the simulated engine's image, as a tar on standard output.

No registry is needed: it consists of this machine's Python, the shared libraries that it requires,
a few small programs and the simulators. `scripts/engine-image` passes it to `docker import`.
"""

from __future__ import annotations

import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

HOME = "/opt/touchline"
"""Directory of the simulators in the image; it is the image's PYTHONPATH."""

PROGRAMS = ("sh", "cat", "du", "env", "ls", "mkdir", "rm", "sleep")
"""Programs that cache clean-up and tests run inside engines."""

_LEFT_OUT = frozenset(
    {
        "__phello__",
        "curses",
        "dbm",
        "dist-packages",
        "distutils",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "sitecustomize.py",
        "sqlite3",
        "test",
        "tkinter",
        "turtledemo",
        "venv",
        "wsgiref",
        "xmlrpc",
    }
)
"""Parts of the standard library that no engine needs, beside `config-…` and foreign modules."""

_MODULES_LEFT_OUT = re.compile(
    r"(_test|_xx|xx|_curses|_sqlite|_dbm|_gdbm|_tkinter|audioop|ossaudio)"
)


def write_root(out: BinaryIO) -> None:
    """Write the tar in pieces. Raises OSError if a part of it cannot be read."""
    python = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for folder, mode in (("tmp", 0o1777), ("root", 0o700)):
            _add_folder(tar, folder, mode)
        programs = [python, *_programs()]
        for program in programs:
            _add_file(tar, program, f"/usr/bin/{program.name}")
        _add_link(tar, "usr/bin/python3", python.name)
        _add_link(tar, "bin", "usr/bin")
        modules = []
        for file in _standard_library(library):
            _add_file(tar, file, f"/usr/lib/{library.name}/{file.relative_to(library)}")
            if file.suffix == ".so":
                modules.append(file)
        for shared in _find_shared_libraries([*programs, *modules]):
            _add_file(tar, shared, str(shared))
        _add_simulators(tar)


def _programs() -> list[Path]:
    # By name instead of link target: `sh` is dash on one machine and bash on another.
    return [Path(found) for name in PROGRAMS if (found := shutil.which(name, path="/usr/bin:/bin"))]


def _standard_library(library: Path) -> Iterator[Path]:
    for entry in sorted(library.iterdir()):
        if entry.name in _LEFT_OUT or entry.name.startswith("config-"):
            continue
        files = sorted(entry.rglob("*")) if entry.is_dir() else [entry]
        for file in files:
            if file.is_file() and not _is_left_out(file):
                yield file


def _is_left_out(file: Path) -> bool:
    if file.suffix == ".so":
        return _MODULES_LEFT_OUT.match(file.name) is not None
    # Only unoptimised compiled modules: an engine starts without -O.
    return file.suffix not in {".py", ".pyc"} or ".opt-" in file.name


def _find_shared_libraries(programs: Iterable[Path]) -> list[Path]:
    """Return the shared libraries these files require, at the paths that the loader searches."""
    listed = subprocess.run(
        ["ldd", *map(str, programs)], check=True, capture_output=True, text=True
    ).stdout
    # `libz.so.1 => /lib/…/libz.so.1 (0x7f…)`, or only the path for the loader itself.
    found = re.findall(r"^\t(?:\S+ => )?(/\S+) \(0x", listed, flags=re.MULTILINE)
    return [Path(path) for path in sorted(set(found))]


def _add_simulators(tar: tarfile.TarFile) -> None:
    """Add the standard-library-only simulators, compiled so that engines start faster."""
    here = Path(__file__).parent
    files = [here.parent / "__init__.py", *sorted(here.glob("*.py"))]
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            name = f"{HOME}/{file.relative_to(here.parents[1])}"
            compiled = Path(folder) / "compiled"
            # Unchecked: file times in the image do not correspond to the compiled files.
            py_compile.compile(
                str(file),
                cfile=str(compiled),
                dfile=name,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
            _add_file(tar, file, name)
            tag = sys.implementation.cache_tag
            parent, _, last = name.rpartition("/")
            _add_file(tar, compiled, f"{parent}/__pycache__/{last[:-3]}.{tag}.pyc")


def _add_file(tar: tarfile.TarFile, file: Path, name: str) -> None:
    with file.open("rb") as opened:
        entry = tar.gettarinfo(arcname=name.lstrip("/"), fileobj=opened)
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        # Hard links and sparse files would be written as such; write every file completely.
        entry.type, entry.linkname = tarfile.REGTYPE, ""
        tar.addfile(entry, opened)


def _add_folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)


def _add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


if __name__ == "__main__":
    write_root(sys.stdout.buffer)
