from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from touchline.core.descriptors import SpareDescriptors, connections_within, raise_limit


def open_now() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    ("limit", "wanted", "connections"),
    [
        pytest.param(65_536, 4096, 4096, id="as many as wanted"),
        pytest.param(4096, 4096, 3584, id="some are kept for the rest"),
        pytest.param(1024, 4096, 512, id="half of a small limit"),
        pytest.param(256, 4096, 128, id="of a tiny one"),
        pytest.param(1024, 100, 100, id="never more than wanted"),
    ],
)
def test_connections_leave_room_for_the_recorder(limit: int, wanted: int, connections: int) -> None:
    assert connections_within(limit, wanted) == connections


def test_the_soft_limit_is_raised_and_the_hard_one_is_kept() -> None:
    code = (
        "import resource\n"
        "from touchline.core.descriptors import raise_limit\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (128, 700))\n"
        "print(raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE), raise_limit(300))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["700", "700", "700", "700"]
    assert raise_limit(10) >= 10
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 10


def test_spare_descriptors_are_there_when_there_are_no_others() -> None:
    before = open_now()
    spare = SpareDescriptors(8)
    assert open_now() == before + 8
    with spare.lent():
        with spare.lent():
            assert spare.held == 0
        assert spare.held == 0, "the outer block still needs them"
    assert spare.held == 8
    spare.close()
    assert open_now() == before
