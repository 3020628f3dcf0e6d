from __future__ import annotations

from pathlib import Path

import pytest

from touchline.capture.sources.paths import absolute


def test_a_path_below_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/coach")
    assert absolute(Path("~/match.mp4")) == Path("/home/coach/match.mp4")
    assert absolute(Path("/srv/~/match.mp4")) == Path("/srv/~/match.mp4")


@pytest.mark.parametrize("path", ["match.mp4", "./match.mp4", "", "/srv/match\0.mp4"])
def test_a_path_that_depends_on_where_the_server_runs_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="absolute"):
        absolute(Path(path))
