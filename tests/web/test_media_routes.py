from __future__ import annotations

from support import mediaroutes
from support.described import description


def test_no_media_route_is_forgotten() -> None:
    # `tests/system/test_files_of_a_match.py` asks each of them for its head and for ranges.
    routes = mediaroutes.found_in(description())
    assert set(routes) == set(mediaroutes.MEDIA)


def test_every_media_route_answers_head() -> None:
    routes = mediaroutes.found_in(description())
    assert [path for path, methods in routes.items() if "head" not in methods] == []
