"""The tables of settings in the documentation are those of the settings."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]


def script() -> ModuleType:
    loader = SourceFileLoader("settings_docs", str(ROOT / "scripts" / "settings-docs"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_tables_of_settings_are_up_to_date() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert script().page_with_tables(text) == text, "run scripts/settings-docs"


def test_every_setting_of_engines_has_a_meaning() -> None:
    rows = script().table_of("engines").splitlines()[2:]
    assert [row for row in rows if row.endswith("|  |")] == []
