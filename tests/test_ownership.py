"""An object is changed by its own methods: nothing is assigned to it from outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "touchline"

PYAV = "PyAV takes options and times as attributes of its contexts, pictures and packets"
GSTREAMER = "GStreamer takes times as attributes of its buffers"
UVICORN = "uvicorn's own state, which has no methods"
STATE = "Starlette keeps what an application or a request has in its `state`"

OF_LIBRARIES: dict[str, tuple[set[str], str]] = {
    "core.database.dialects": ({"connection"}, "a connection of the driver (DB-API)"),
    "core.logs": ({"root", "kept"}, "the root logger, and a copy of a record"),
    "engines.runtimes.docker.api": ({"self._docker"}, "aiodocker has no way to choose these"),
    "engines.runtimes.parallel": ({"self._limiter"}, "a limiter of anyio has no other way"),
    "live.transcoding.recoder": ({"context", "fitted"}, PYAV),
    "server": ({"self.server", "stop.server"}, UVICORN),
    "sim.footage": ({"stream.codec_context"}, PYAV),
    "sim.image": ({"entry"}, "an entry of tarfile"),
    "sim.rtsp.media.encoder": ({"context", "frame"}, PYAV),
    "studio.pictures.encoder": ({"context", "frame"}, PYAV),
    "studio.pictures.footage": ({"stream.codec_context"}, PYAV),
    "studio.pictures.receiving": ({"decoder"}, PYAV),
    "studio.verbs.edges": ({"decoder"}, PYAV),
    "studio.verbs.live": ({"frame"}, PYAV),
    "studio.verbs.poster": ({"stream.codec_context"}, PYAV),
    "studio.verbs.sprites": ({"stream.codec_context"}, PYAV),
    "studio.verbs.upload": ({"request", "response"}, "botocore reads without limit otherwise"),
    "web.app": ({"app.state"}, STATE),
    "web.auth.auth": ({"request.state"}, STATE),
    "web.description": ({"app"}, "how FastAPI is given another description"),
    "web.server.connection": ({"cycle"}, UVICORN),
    "web.websocket.hub": ({"tasks.cancel_scope"}, "a scope of anyio has no other way"),
    "worker.pipeline.picturefeed": ({"buffer"}, GSTREAMER),
    "worker.pipeline.pipeline": ({"buffer", "copied"}, GSTREAMER),
    "worker.rtsp.link": ({"context"}, "an SSLContext is configured by its attributes"),
}
"""By module: the objects of libraries that it assigns to, and why."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def attributes_of(owner: ast.ClassDef) -> set[str]:
    """Return the attributes that a class declares, if they may be assigned at all."""
    kinds = {ast.unparse(base).partition("[")[0] for base in owner.bases}
    frozen = any("frozen=True" in ast.unparse(each) for each in owner.decorator_list)
    if frozen or kinds & {"NamedTuple", "Protocol"}:
        return set()
    found = {
        node.target.id
        for node in owner.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    return found | {
        attribute
        for target, attribute, *_ in assignments(owner)
        if ast.unparse(target) in {"self", "cls"}
    }


def constructed_in(function: ast.AST) -> set[str]:
    """Return the names of a function's variables that are new objects of a class."""
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and is_construction(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def is_construction(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call):
        return False
    called = value.func.attr if isinstance(value.func, ast.Attribute) else ast.unparse(value.func)
    return called in {"cls", "__new__"} or called.lstrip("_")[:1].isupper()


def assignments(
    node: ast.AST, owner: ast.ClassDef | None = None, function: Function | None = None
) -> Iterator[tuple[ast.expr, str, ast.ClassDef | None, Function | None]]:
    """Yield each object with an attribute that is assigned to it, and where that stands."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Store | ast.Del):
            yield child.value, child.attr, owner, function
        elif isinstance(child, ast.Call) and ast.unparse(child.func) in {"setattr", "delattr"}:
            yield child.args[0], "(any)", owner, function
        yield from assignments(
            child,
            child if isinstance(child, ast.ClassDef) else owner,
            child if function is None and isinstance(child, Function) else function,
        )


def assigned_from_outside(tree: ast.Module) -> set[str]:
    """Return the objects of a module that are neither its own nor new, but assigned to.

    A module's own objects are those of the classes that it defines.
    """
    declared = {c: attributes_of(c) for c in ast.walk(tree) if isinstance(c, ast.ClassDef)}
    found = set()
    for target, attribute, owner, function in assignments(tree):
        name = ast.unparse(target)
        new = set() if function is None else constructed_in(function)
        others = (names for each, names in declared.items() if each is not owner)
        if name not in {"self", "cls", *new} and not any(attribute in names for names in others):
            found.add(name)
    return found


def test_nothing_is_assigned_to_the_objects_of_other_modules() -> None:
    found = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts): names
        for path in sorted(SOURCE.rglob("*.py"))
        if (names := assigned_from_outside(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == {module: names for module, (names, _) in OF_LIBRARIES.items()}


def test_an_assignment_from_outside_is_found_in_all_its_forms() -> None:
    source = """
class Record:
    count: int = 0

class Sealed(NamedTuple):
    sealed: int

class Owner:
    def work(self, record, other):
        self.value = 1
        record.count += 1
        new = Thing()
        new.value = 2
        other.value = 3
        self._part.value, first.second = 4, 5
        with scope() as third.scope:
            del fourth.value
        setattr(fifth, "value", 6)
        for sixth.item in ():
            sealed.sealed = 7
"""
    assert assigned_from_outside(ast.parse(source)) == {
        "other",
        "self._part",
        "first",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "sealed",
    }
