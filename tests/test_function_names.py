"""A function is named by what it does to what, in terms of the field."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "touchline"

# Participles, clauses and metaphors that a name must not begin with.
BANNED = {
    "alarm",
    "backwards",
    "beside",
    "brief",
    "bring",
    "bye",
    "came",
    "clamped",
    "go",
    "gone",
    "hang",
    "happens",
    "lose",
    "mind",
    "noted",
    "nudge",
    "politely",
    "reminded",
    "revealed",
    "saw",
    "spell",
    "told",
    "unfeed",
    "went",
}


def misnamed(source: str) -> set[str]:
    """Return the functions whose names begin with a banned word."""
    functions = (
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {name for name in functions if name.strip("_").split("_")[0] in BANNED}


def test_functions_are_named_by_what_they_do() -> None:
    found = {path.name: misnamed(path.read_text()) for path in SOURCE.rglob("*.py")}
    assert {name: those for name, those in found.items() if those} == {}


def test_a_banned_word_is_found_wherever_the_function_stands() -> None:
    source = (
        "class A:\n    async def _told(self): ...\n    def retold(self):\n        def go(): ..."
    )
    assert misnamed(source) == {"_told", "go"}
