"""Messages about invalid settings, in the notation that was used to set them.

Settings come in layers (flags, environment, file, defaults). A fault names the key as spelled in
its layer, the value unless it is secret, and what would be valid.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Path = tuple[str, ...]

ENV_PREFIX = "TOUCHLINE_"
ENV_DELIMITER = "__"
FLAGS = {"data_dir": "--data"}
"""Flags that are not spelled like their key."""

SECRET_WORDS = ("key", "password", "secret", "token")
_CREDENTIALS = re.compile(r"//\S*@")


@dataclass(frozen=True)
class Layer:
    """Nested values from one source. `name` is shown with file keys; higher layers win."""

    kind: Literal["flags", "environment", "file", "earlier", "defaults"]
    values: Mapping[str, Any]
    name: str = ""
    names: Mapping[Path, str] = field(default_factory=dict)
    """Keys with special names in this layer."""

    def format_key(self, path: Path) -> str:
        """Spell a key as it is written in this layer."""
        if path in self.names:
            return self.names[path]
        if self.kind == "environment":
            return ENV_PREFIX + ENV_DELIMITER.join(part.upper() for part in path)
        if self.kind == "flags":
            return FLAGS.get(".".join(path), "--" + "-".join(path).replace("_", "-"))
        return ".".join(path)

    def depth(self, path: Path) -> int:
        """Return how many parts of the path this layer contains."""
        node: Any = self.values
        for depth, part in enumerate(path):
            if not isinstance(node, Mapping) or part not in node:
                return depth
            node = node[part]
        return len(path)


@dataclass(frozen=True)
class SettingFault:
    """One invalid setting: the key as written, the given value and the expected one."""

    key: str
    given: str
    right: str

    def __str__(self) -> str:
        return f"{self.key}{self.given}: {self.right}"


def merge(layers: Iterable[Layer]) -> dict[str, Any]:
    """Merge layers into one tree; the first layer wins key by key.

    Tables of different `kind` are not merged: the higher one replaces the lower one.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _merge_below(merged, layer.values)
    return merged


def faults_of(
    errors: Sequence[ErrorDetails], model: type[BaseModel], layers: Sequence[Layer]
) -> list[SettingFault]:
    """Convert the errors from validating the merged layers into faults."""
    values = merge(layers)
    return [_fault(error, model, layers, values) for error in errors]


def unknown(
    path: Path, model: type[BaseModel], layer: Layer, values: Mapping[str, Any]
) -> SettingFault:
    """Describe an unknown key and suggest the one that was probably meant."""
    for at, part in enumerate(path):  # the first unknown part is the one to correct
        names = _names_at(model, path[:at], values)
        if names and part not in names:
            break
    close = difflib.get_close_matches(part, names, 1, 0.6)
    if close:
        right = (
            f"unknown; did you mean {layer.format_key((*path[:at], close[0], *path[at + 1 :]))}?"
        )
    elif names:
        right = f"unknown; known here: {', '.join(names)}"
    else:
        right = "unknown; this key has no keys below it"
    return SettingFault(layer.format_key(path), _origin(layer), right)


def _fault(
    error: ErrorDetails,
    model: type[BaseModel],
    layers: Sequence[Layer],
    values: Mapping[str, Any],
) -> SettingFault:
    path = _path(error["loc"], values)
    right, given = error["msg"], error.get("input")
    context = error.get("ctx", {})
    if error["type"] == "union_tag_not_found":
        path = (*path, "kind")
        kinds = ", ".join(_kinds_at(model, path[:-1], values))
        return _build_fault(path, layers, "", f"missing; one of {kinds}")
    if error["type"] == "union_tag_invalid":
        path, given = (*path, "kind"), context.get("tag")
        right = f"one of {context.get('expected_tags')}"
    layer = _layer_of(path, layers)
    if error["type"] == "extra_forbidden":
        return unknown(path, model, layer, values)
    if error["type"] == "missing":
        return _build_fault(
            path,
            layers,
            "",
            "missing; " + _append_description("it is required", model, path, values),
        )
    right = right.removeprefix("Value error, ")
    shown = "" if isinstance(given, Mapping) else f" = {_format_value(given, path)}"
    return _build_fault(path, layers, shown, _append_description(right, model, path, values))


def _build_fault(path: Path, layers: Sequence[Layer], shown: str, right: str) -> SettingFault:
    layer = _layer_of(path, layers)
    return SettingFault(layer.format_key(path) or "settings", shown + _origin(layer), right)


def _origin(layer: Layer) -> str:
    return f" ({layer.name})" if layer.name else ""


def _format_value(given: Any, path: Path) -> str:
    if any(word in part.lower() for part in path[-1:] for word in SECRET_WORDS):
        return "(hidden)"
    return repr(_CREDENTIALS.sub("//…@", given)) if isinstance(given, str) else str(given)


def _append_description(
    right: str, model: type[BaseModel], path: Path, values: Mapping[str, Any]
) -> str:
    found = _field_at(model, path, values)
    return f"{right}. {found.description}" if found is not None and found.description else right


def _layer_of(path: Path, layers: Sequence[Layer]) -> Layer:
    # max returns the first of equals, and layers are ordered by precedence.
    return max(layers, key=lambda layer: layer.depth(path))


def _path(loc: Sequence[str | int], values: Mapping[str, Any]) -> Path:
    """Return the path of the error in the input: pydantic's location without its additions."""
    path: list[str] = []
    node: Any = values
    for index, raw in enumerate(loc):
        part = str(raw)
        if isinstance(node, Mapping):
            if part in node:
                node = node[part]
            elif index < len(loc) - 1 or part == "[key]":
                continue  # the tag of a union, or pydantic's word for the key itself
        path.append(part)
    return tuple(path)


def _merge_below(above: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    merged = {str(key): value for key, value in above.items()}
    for raw, value in below.items():
        key = str(raw)
        if key not in merged:
            merged[key] = _merge_below(value, {}) if isinstance(value, Mapping) else value
        elif isinstance(merged[key], Mapping) and isinstance(value, Mapping):
            kinds = {table["kind"] for table in (merged[key], value) if "kind" in table}
            if len(kinds) <= 1:
                merged[key] = _merge_below(merged[key], value)
    return merged


def _field_at(model: type[BaseModel], path: Path, values: Mapping[str, Any]) -> FieldInfo | None:
    parent = _model_at(model, path[:-1], values) if path else None
    return parent.model_fields.get(path[-1]) if parent is not None else None


def _names_at(model: type[BaseModel], path: Path, values: Mapping[str, Any]) -> list[str]:
    parent = _model_at(model, path, values)
    return sorted(parent.model_fields) if parent is not None else []


def _kinds_at(model: type[BaseModel], path: Path, values: Mapping[str, Any]) -> list[str]:
    return [kind for one in _models(_annotation_at(model, path, values)) for kind in _kinds_of(one)]


def _model_at(
    model: type[BaseModel], path: Path, values: Mapping[str, Any]
) -> type[BaseModel] | None:
    """Return the model whose fields are below the path; for a union, that of the given kind."""
    node: Any = values
    for part in path:
        node = node.get(part) if isinstance(node, Mapping) else None
    candidates = _models(_annotation_at(model, path, values))
    if len(candidates) > 1 and isinstance(node, Mapping):
        candidates = [one for one in candidates if node.get("kind") in _kinds_of(one)]
    return candidates[0] if candidates else None


def _annotation_at(model: type[BaseModel], path: Path, values: Mapping[str, Any]) -> Any:
    if not path:
        return model
    above = _annotation_at(model, path[:-1], values)
    if get_origin(_bare(above)) is dict:
        return get_args(_bare(above))[1]
    parent = _model_at(model, path[:-1], values)
    found = parent.model_fields.get(path[-1]) if parent is not None else None
    return found.annotation if found is not None else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return [bare]
    if get_origin(bare) in (Union, types.UnionType):
        return [one for member in get_args(bare) for one in _models(member)]
    return []


def _kinds_of(model: type[BaseModel]) -> tuple[str, ...]:
    found = model.model_fields.get("kind")
    return get_args(found.annotation) if found is not None else ()


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation
