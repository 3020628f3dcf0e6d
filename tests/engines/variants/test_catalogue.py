from __future__ import annotations

import pytest

from touchline.engines.variants.catalogue import BY_NAME, CATALOGUE, Parameter
from touchline.engines.variants.customvariant import (
    check,
    default_config,
)


def test_the_catalogue_is_complete_and_its_defaults_are_valid() -> None:
    assert len(CATALOGUE) == len(BY_NAME) == 35
    check(default_config("amd64"))
    for known in CATALOGUE:
        assert known.help.endswith(".")
        assert known.type in {"flag", "string", "int", "bytes", "path"}


@pytest.mark.parametrize("known", CATALOGUE, ids=lambda known: known.name)
def test_a_default_is_of_its_type_and_within_its_bounds(known: Parameter) -> None:
    kinds = {"flag": bool, "string": str, "path": str, "int": int, "bytes": int}
    assert type(known.default) is kinds[known.type]
    if isinstance(known.default, int) and not isinstance(known.default, bool):
        assert known.minimum is not None
        assert known.maximum is not None
        assert known.minimum <= known.default <= known.maximum
    if known.choices:
        assert known.default in known.choices


def test_secrets_are_shown_to_be_secret() -> None:
    assert BY_NAME["--access-token"].is_secret
    for known in CATALOGUE:
        shown = known.to_json()
        assert (shown["name"], shown["secret"]) == (known.name, known.is_secret)
        assert shown["choices"] == list(known.choices)
