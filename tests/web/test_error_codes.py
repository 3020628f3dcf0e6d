"""Every code of an error that a page can get has words in the dashboard's catalogue."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from touchline.core.errors import TouchlineError

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "touchline"
CATALOGUE = ROOT / "dashboard" / "src" / "messages" / "en" / "errors.ts"

NO_PAGE = {
    "api_key_unusable": "the server does not start",
    "checksum": "a fault of footage, which has words of its own",
    "cannot_listen": "the server does not start",
    "data_dir_in_use": "the server does not start",
    "data_dir_unusable": "the server does not start",
    "database_newer": "the server does not start",
    "database_old": "the server does not start",
    "docker_address": "the server does not start",
    "docker_certificates": "the server does not start",
    "error": "the default of the base class, which nothing raises",
    "foreign_session": "signalling, where a page only has its own sessions",
    "host_invalid": "reports of streams, which players send",
    "host_unknown": "the server does not start",
    "idempotency_key_invalid": "a header that the dashboard does not send",
    "range_not_satisfiable": "ranges, which only browsers and players ask for",
    "stream_id_invalid": "reports of streams, which players send",
    "task_failing": "a reason of readiness, which no page shows",
    "url_invalid": "reports of streams, which players send",
    "value_error": "the sentence is that of the field",
    "vpn_address_unknown": "tried again by the fleet",
    "vpn_needs_docker": "the server does not start",
}
"""Codes that need no words, and why."""


def codes() -> Iterator[tuple[str, str]]:
    """Yield each code that is written in the source, and where."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for code in codes_of(node):
                yield code, f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def codes_of(node: ast.AST) -> Iterator[str]:
    """Yield the codes of errors that are raised, and of reports without success."""
    if isinstance(node, ast.Call):
        values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        if isinstance(node.func, ast.Name) and node.func.id == "StudioError":
            values += node.args[:1]
    elif isinstance(node, ast.Dict):
        values = [
            value
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and key.value == "code"
        ]
    else:
        return
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def with_words() -> set[str]:
    text = CATALOGUE.read_text("utf-8").partition("const codes = {")[2].partition("\n};")[0]
    return set(re.findall(r"^  (\w+): \{", text, re.MULTILINE))


def test_every_code_has_words_or_never_reaches_a_page() -> None:
    found: dict[str, str] = {}
    for code, where in codes():
        found.setdefault(code, where)
    assert {"cameras_taken", "already_recording", "upload_refused"} <= found.keys()
    words = with_words()
    missing = {code: at for code, at in found.items() if code not in words and code not in NO_PAGE}
    assert missing == {}
    assert NO_PAGE.keys() & words == set(), "needed no more: remove it"
    assert NO_PAGE.keys() - found.keys() - {TouchlineError.default_code} == set()
