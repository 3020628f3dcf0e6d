"""What the image of the simulated engine is made of; `tests/engines/runtimes` runs it."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import pytest

from touchline.sim import image
from touchline.sim.image import HOME, PROGRAMS, write_root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tarfile.TarInfo]:
    file = tmp_path_factory.mktemp("image") / "root.tar"
    with file.open("wb") as out:
        write_root(out)
    with tarfile.open(file) as tar:
        return {entry.name: entry for entry in tar}


def test_it_holds_a_python_and_the_programs_run_inside(root: dict[str, tarfile.TarInfo]) -> None:
    assert f"usr/bin/{root['usr/bin/python3'].linkname}" in root
    assert {f"usr/bin/{program}" for program in PROGRAMS} <= root.keys()
    assert root["bin"].linkname == "usr/bin"


def test_it_holds_every_simulator_as_text_and_compiled(root: dict[str, tarfile.TarInfo]) -> None:
    names = {file.stem for file in Path(image.__file__).parent.glob("*.py")}
    folder = f"{HOME.lstrip('/')}/touchline/sim"
    assert {f"{folder}/{name}.py" for name in names} <= root.keys()
    compiled = f"{folder}/__pycache__/{{}}.{sys.implementation.cache_tag}.pyc"
    assert {compiled.format(name) for name in names} <= root.keys()


def test_nothing_in_it_belongs_to_the_one_who_made_it(root: dict[str, tarfile.TarInfo]) -> None:
    assert {(entry.uid, entry.gid, entry.uname) for entry in root.values()} <= {
        (0, 0, "root"),
        (0, 0, ""),
    }
    assert not [name for name in root if name.startswith("/") or ".." in name.split("/")]
    assert not any(entry.islnk() for entry in root.values())
