"""What a stranger may send in a request: no 500, and nothing that the description does not name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from support.fuzzed import KEY, MATCH_ID, fuzzed_system
from touchline.web import create_app
from touchline.web.http.answers import ECHOED_CHARS, encoded, plain

EVIL: tuple[str, ...] = (
    "1e236",
    "1e999",
    "NaN",
    "-Infinity",
    "9" * 400,
    '"²"',
    f'"{"9" * 5000}"',
    '"\\ud800"',
    '"\\u0000\\u001b[2J\\r\\n\\u202e"',
    "true",
    '{"a":' * 900 + "1" + "}" * 900,
)
RAW: tuple[bytes, ...] = (
    b"",
    b"\xff\xfe",
    b"[" * 60_000,
    b"9" * 5000,
    b"NaN",
    b'"' + b"\\ud800" * 10 + b'"',
    b"[" * 900 + b"]" * 900,
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("hostile")
    with fuzzed_system(folder) as system:
        app = create_app(system)
        client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
        client.headers["Authorization"] = f"Bearer {KEY}"
        yield client, app.openapi()


def test_no_body_is_a_500_or_an_answer_that_is_not_documented(
    served: tuple[TestClient, dict[str, Any]],
) -> None:
    client, schema = served
    faults = []
    for method, path, operation in operations(schema):
        described = operation["requestBody"]["content"].get("application/json")
        bodies = [*RAW]
        if described is not None:
            bodies += variants(described["schema"], schema)
        for body in bodies:
            kind = next(iter(operation["requestBody"]["content"]))
            response = client.request(
                method, real(path), content=body, headers={"Content-Type": kind}
            )
            documented = operation["responses"].keys() | {"503"}
            if response.status_code == 500 or str(response.status_code) not in documented:
                faults.append((method, path, body[:80], response.status_code, response.text[:200]))
            json.dumps(response.text, ensure_ascii=False).encode()
    assert not faults


def test_no_query_is_a_500(served: tuple[TestClient, dict[str, Any]]) -> None:
    client, schema = served
    values = ["²", "9" * 5000, "1e999", "nan", "-1", "\x00", "%ED%A0%80", "0001-01-01T00:00+14:00"]
    values += ["9999-12-31T23:59:59-14:00", "٣", "[" * 900, "true"]
    faults = []
    for method, path, operation in operations(schema, body=False):
        if method not in {"GET", "DELETE", "POST"} or "/ws" in path:
            continue
        names = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
        required = {
            p["name"]: "0"
            for p in operation.get("parameters", ())
            if p["in"] == "query" and p.get("required")
        }
        for name in names:
            for value in values:
                given = {**required, name: value}
                response = client.request(method, real(path), params=given)
                if response.status_code == 500:
                    faults.append((method, path, given, response.text[:200]))
    assert not faults


def operations(schema: dict[str, Any], *, body: bool = True) -> Iterator[tuple[str, str, Any]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if ("requestBody" in operation) == body:
                yield method.upper(), path, operation


def real(path: str) -> str:
    for name, value in {
        "match_id": MATCH_ID,
        "slot_id": "1",
        "stream": "cam0",
        "demand": "1",
    }.items():
        path = path.replace(f"{{{name}}}", value)
    while "{" in path:
        head, _, rest = path.partition("{")
        path = f"{head}x{rest.partition('}')[2]}"
    return path


def variants(described: dict[str, Any], schema: dict[str, Any]) -> Iterator[bytes]:
    """Bodies in which one field, at the top, is evil; and those where it is missing."""
    for each in [described, *described.get("anyOf", ())]:
        name = each.get("$ref", "").rpartition("/")[2]
        model = schema["components"]["schemas"].get(name, {})
        fields = model.get("properties", {})
        for field in fields:
            for evil in EVIL:
                yield f'{{"{field}": {evil}}}'.encode()
        for field in fields:
            if "points" in field:
                for evil in ("1e236", "NaN", "-1e999"):
                    point = f'{{"cam0": [{evil}, 0], "cam1": [0, 0]}}'
                    yield f'{{"match_id": "{MATCH_ID}", "{field}": [{point}]}}'.encode()


def test_what_is_echoed_is_bounded_in_depth_length_and_number() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    wide = {str(n): n for n in range(10_000)}
    echoed = plain({"deep": deep, "wide": wide, "long": "x" * 100_000, "huge": 10**400})
    assert len(encoded(echoed)) < 4 * ECHOED_CHARS


def test_half_a_surrogate_pair_never_leaves_in_json() -> None:
    assert encoded({"name": "a\udcff", "\ud800": "ü"}) == (
        b'{"name":"a\\\\xff","\\\\ud800":"\xc3\xbc"}'
    )
