from __future__ import annotations

from pathlib import Path

import pytest

from touchline.studio import verbs
from touchline.studio.verbs import load_verb

MODULES = sorted(
    path.stem for path in Path(verbs.__path__[0]).glob("*.py") if path.stem != "__init__"
)


@pytest.mark.parametrize("name", MODULES)
def test_each_module_is_loaded_by_its_name(name: str) -> None:
    assert load_verb(name).__module__ == f"touchline.studio.verbs.{name}"


@pytest.mark.parametrize("name", ["", "__init__", "os", "../archive"])
def test_nothing_else_is_loaded(name: str) -> None:
    with pytest.raises(LookupError, match="not a verb"):
        load_verb(name)
