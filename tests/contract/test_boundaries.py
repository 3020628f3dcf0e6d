"""Both sides of every boundary in the description of the API: schemathesis' coverage phase."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from support.described import Described, operations
from support.fuzzed import fuzzed_system
from touchline.web import create_app

OPERATIONS = operations()

FIRST = 60
"""Most operations have fewer boundaries, and to work out those of the others takes long."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """A server with a key, a real library and a recorder that obeys."""
    with fuzzed_system(tmp_path_factory.mktemp("described")) as system:
        yield Described(create_app(system))


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_line_of_each_kind_is_where_the_description_draws_it(
    api: Described, method: str, path: str
) -> None:
    asked = set()
    for case in islice(api.boundaries(method, path), FIRST):
        # A name that is too long is of another kind than one of a wrong type.
        kind = (case.meta.phase.data.scenario, case.meta.phase.data.parameter_location)
        if kind not in asked:
            asked.add(kind)
            api.ask(case)
    assert asked


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_server_draws_each_line_where_its_description_does(
    api: Described, method: str, path: str
) -> None:
    assert [api.ask(case) for case in api.boundaries(method, path)]
