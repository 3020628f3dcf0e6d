"""The layout of the project: sizes, folders, names, import circles, a test beside each module."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby, takewhile
from pathlib import Path

import grimp
import pytest

from support.layout import COVERED_ELSEWHERE

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "touchline"
TESTS = ROOT / "tests"

MAX_MODULES = 12
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
PREFIX_LETTERS = 5
FOLDER_FROM = 3
MAX_COVERED_ELSEWHERE = 100

BANNED = {
    "afterwards",
    "deciding",
    "desk",
    "following",
    "frontdoor",
    "gate",
    "half",
    "keeper",
    "nudge",
    "showing",
    "standing",
    "told",
    "upkeep",
    "watching",
    "workshop",
}
"""Words of an idiom that only its authors understood. A name is a noun of the field."""

FACTS = {
    "CameraObservation",
    "EngineFacts",
    "Expected",
    "Growth",
    "Observed",
    "Policy",
    "RecordingObservation",
    "Round",
    "Starting",
    "StoredMatch",
    "VpnFacts",
}
"""Values that decisions are made from."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Yield each function with the names of what it stands in."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield prefix + node.name, node
        name = f"{prefix}{node.name}." if isinstance(node, Function | ast.ClassDef) else prefix
        yield from functions(node, name)


def modules() -> dict[str, Path]:
    """Return the modules of the project below `touchline`, by dotted name, without packages."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
        for path in python_files("src")
        if path.name != "__init__.py"
    }


def mirror_of(module: str) -> Path:
    *packages, name = module.split(".")
    return TESTS.joinpath(*packages, f"test_{name.strip('_')}.py")


def too_large(path: Path) -> dict[str, int]:
    """Return what of a file is too large, with its number of lines."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    found = {named(path): lines} if lines > MAX_FILE_LINES else {}
    for name, function in functions(parsed(path)):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > MAX_FUNCTION_LINES:
            found[f"{named(path)}::{name}"] = length
    return found


@cache
def classes() -> dict[str, list[str]]:
    """Return the modules that define a public class of a name, by that name."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for module, path in modules().items():
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(module)
    return found


def is_of_the_api(module: str) -> bool:
    """Return whether a module defines answers of the API, whose names the client uses too."""
    return module.startswith("web.models.") or module.rpartition(".")[2] == "answers"


def named_alike() -> dict[str, list[str]]:
    """Return names of classes that stand for two things.

    `client.models` declares answers of the API by their names.
    """
    found: dict[str, list[str]] = {}
    for name, at in classes().items():
        others = [module for module in at if module != "client.models"]
        alike = others if len(others) == 1 and is_of_the_api(others[0]) else at
        if len(alike) > 1:
            found[name] = alike
    return found


def share_a_prefix(one: str, other: str) -> bool:
    """Return whether two names begin with the same word, or the other with most of this one."""
    pairs = zip(one, other, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    begins = same >= min(PREFIX_LETTERS, len(one))
    return begins or one.partition("_")[0] == other.partition("_")[0]


def with_shared_prefixes(names: Iterable[str]) -> list[list[str]]:
    """Return the groups of names that should be a folder."""
    every = sorted(names)
    groups = ([other for other in every if share_a_prefix(one, other)] for one in every)
    large = (group for group in groups if len(group) >= FOLDER_FROM)
    return [group for group, _ in groupby(large)]


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_no_folder_holds_more_modules_than_can_be_looked_through() -> None:
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for path in modules().values():
        folders[named(path.parent)].append(path.stem)
    assert {name: found for name, found in folders.items() if len(found) > MAX_MODULES} == {}


def test_modules_that_share_a_prefix_are_a_folder() -> None:
    folders: defaultdict[str, set[str]] = defaultdict(set)
    for module in modules():
        *packages, name = module.split(".")
        folders[".".join(packages)].add(name.strip("_"))
        if packages:
            folders[".".join(packages[:-1])].add(packages[-1])
    found = {folder: with_shared_prefixes(names) for folder, names in folders.items()}
    shared = {folder: groups for folder, groups in found.items() if groups}
    assert shared == {}


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["transcode", "transcoder", "transcodes"], [["transcode", "transcoder", "transcodes"]]),
        (["api_auth", "api_cors", "api_key"], [["api_auth", "api_cors", "api_key"]]),
        (
            ["dockerapi", "dockerjson", "dockerstart", "up"],
            [["dockerapi", "dockerjson", "dockerstart"]],
        ),
        (["library", "libraryrecord"], []),
        (["pane", "panel", "panorama"], []),
    ],
)
def test_a_shared_prefix_is_found(names: list[str], groups: list[list[str]]) -> None:
    assert with_shared_prefixes(names) == groups


def test_files_and_functions_are_short() -> None:
    large = {
        k: n for path in python_files("src", "tests", "bench") for k, n in too_large(path).items()
    }
    assert large == {}


def test_a_long_function_is_found_wherever_it_stands(tmp_path: Path) -> None:
    body = "\n".join(f"            x = {number}" for number in range(MAX_FUNCTION_LINES))
    source = f"class A:\n    def f(self):\n        async def g():\n{body}\n"
    assert [name for name, _ in functions(ast.parse(source))] == ["A.f", "A.f.g"]


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_has_a_test_at_its_place(module: str) -> None:
    mirror = mirror_of(module)
    if not mirror.exists():
        assert module in COVERED_ELSEWHERE, f"{named(mirror)} is missing"
        return
    texts = [path.read_text(encoding="utf-8") for path in with_support(mirror)]
    assert any(
        re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)
        for name in mentions(module)
        for text in texts
    )
    assert asserts_something(parsed(mirror))


def with_support(test: Path) -> set[Path]:
    """Return a test and the files of tests/support that it is made with."""
    found: set[Path] = set()
    waiting = {test}
    while waiting:
        path = waiting.pop()
        found.add(path)
        names = re.findall(r"^from support\.(\w+) import", path.read_text("utf-8"), re.MULTILINE)
        used = {TESTS / "support" / f"{name}.py" for name in names}
        waiting |= {each for each in used if each.is_file()} - found
    return found


def mentions(module: str) -> set[str]:
    """Return the words by which a test may speak of a module: its name, definitions, routes."""
    tree = parsed(modules()[module])
    defined = {n.name for n in tree.body if isinstance(n, Function | ast.ClassDef)}
    strings = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    routes = {text for text in strings if isinstance(text, str) and re.match(r"/\w", text)}
    return {module.rpartition(".")[2], *defined, *routes}


def asserts_something(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Attribute) and node.attr in {"raises", "warns"})
        for name, function in functions(tree)
        if name.startswith("test_")
        for node in ast.walk(function)
    )


def test_exceptions_of_the_mirror_rule_are_of_modules_and_tests_that_there_are() -> None:
    without = {module for module in modules() if not mirror_of(module).exists()}
    assert set(COVERED_ELSEWHERE) - without == set(), "needed no more: remove it"
    assert {test for test, _ in COVERED_ELSEWHERE.values() if not (TESTS / test).is_file()} == set()
    assert all(reason for _, reason in COVERED_ELSEWHERE.values())
    assert len(COVERED_ELSEWHERE) <= MAX_COVERED_ELSEWHERE


def test_what_tests_share_is_in_support() -> None:
    elsewhere = [
        named(path)
        for path in python_files("tests")
        if not path.name.startswith("test_")
        and path.name != "conftest.py"
        and path.relative_to(TESTS).parts[0] not in {"support", "assets", "fixtures"}
    ]
    assert elsewhere == []


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("touchline", cache_dir=None)


def packages() -> set[str]:
    return {module for module in graph().modules if graph().find_children(module)}


def circular_modules() -> set[str]:
    """Return the modules that import themselves by way of others.

    A package that lists its parts, or loads them by name, is no part of a circle.
    """
    modules = graph().modules - packages()
    imports = {
        module: graph().find_modules_directly_imported_by(module) - packages() for module in modules
    }
    return in_circles(imports)


def imports_between_parts(package: str, every: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return which parts of a package import which: its modules, and its packages as a whole.

    `every` has the imports of each module.
    """
    found: dict[str, set[str]] = {}
    for module, imported in every.items():
        if (part := part_of(package, module)) is not None:
            parts = {part_of(package, each) for each in imported} - {None, part}
            found[part] = found.get(part, set()) | {each for each in parts if each is not None}
    return found


def part_of(package: str, module: str) -> str | None:
    """Return the part of a package that a module is, or is in; None for the package itself."""
    if not module.startswith(f"{package}."):
        return None
    return f"{package}.{module.removeprefix(f'{package}.').split('.')[0]}"


def in_circles(imports: dict[str, set[str]]) -> set[str]:
    return {each for each in imports if each in reached(imports, imports[each])}


def reached(imports: dict[str, set[str]], first: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = set(first)
    while waiting:
        module = waiting.pop()
        found.add(module)
        waiting |= imports.get(module, set()) - found
    return found


def test_no_two_modules_import_each_other() -> None:
    assert circular_modules() == set()


def test_no_two_packages_import_each_other() -> None:
    """In each package, imports go one way between its parts, however deep they are inside them.

    So no two packages of the project import each other, wherever they are. Only an `__init__` may
    import the parts that it lists.
    """
    every = {m: graph().find_modules_directly_imported_by(m) for m in graph().modules}
    circles = {p: in_circles(imports_between_parts(p, every)) for p in packages()}
    assert {package: parts for package, parts in circles.items() if parts} == {}


def test_a_circle_is_found_however_long_it_is() -> None:
    imports = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set[str]()}
    assert in_circles(imports) == {"a", "b", "c"}


def test_a_circle_of_packages_is_found_however_deep_it_is() -> None:
    every = {
        "top": {"top.a"},
        "top.a": set[str](),
        "top.a.x": {"top.b.deep.y"},
        "top.b.deep.y": {"top.c", "top.b.z"},
        "top.b.z": set[str](),
        "top.c": {"top.a", "top"},
        "top.d": {"top.a.x"},
    }
    assert in_circles(every) == set()
    assert in_circles(imports_between_parts("top", every)) == {"top.a", "top.b", "top.c"}
    assert in_circles(imports_between_parts("top.b", every)) == set()


def test_names_are_nouns_of_the_field() -> None:
    folders = {path.parent.relative_to(SOURCE).as_posix() for path in modules().values()}
    names = {module: words(module.rpartition(".")[2].lower()) for module in modules()}
    names |= {folder: words(folder.rpartition("/")[2].lower()) for folder in folders}
    names |= {name: words(name) for name in classes()}
    quaint = {name for name, said in names.items() if said & BANNED}
    assert quaint == set()


def test_no_fact_of_a_decision_has_a_default() -> None:
    """A fact that nobody states would otherwise be decided about as if it were known."""
    found = {
        node.name: [ast.unparse(each) for each in node.body if is_default(each)]
        for path in modules().values()
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and node.name in FACTS
    }
    assert found == {name: [] for name in FACTS}


def is_default(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AnnAssign) and statement.value is not None


def test_a_class_name_is_unique() -> None:
    assert named_alike() == {}
