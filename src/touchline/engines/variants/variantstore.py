"""Storage of the custom variant's configuration and ten templates, safe against power cuts."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from pydantic import ValidationError

from touchline.core.errors import Failed, Invalid, NotFound
from touchline.core.tasks import Changed
from touchline.core.wallclock import find_unused_name
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.variants.answers import TemplateContent, TemplateList
from touchline.engines.variants.customvariant import (
    ConfigInvalid,
    Platform,
    VariantConfig,
    check,
    default_config,
    hidden,
    with_secrets_of,
)
from touchline.engines.variants.variants import Recipe

log = logging.getLogger(__name__)

T = TypeVar("T")

SLOTS = range(1, 11)
LONGEST_NAME = 100
MOST_BYTES = 8 << 20
"""Maximum size of a file; our own are smaller, because parameters are limited."""

_CONFIG, _ACTIVE = "custom_variant.json", "active_template.json"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Template:
    """Configuration with a name."""

    slot: int
    name: str
    config: VariantConfig

    def to_json(self) -> TemplateContent:
        """Return the template as shown to clients, without secrets."""
        return {"slot_id": self.slot, "name": self.name, "config": hidden(self.config)}


class VariantStore:
    """Store of the custom variant; reads are from memory. Created by `open_variants`.

    A write is on the disk before it takes effect.
    """

    def __init__(self, directory: Path, platform: Platform) -> None:
        self.changed = Changed()
        self.platform = platform
        self._directory = directory
        self._config = default_config(platform)
        self._templates: dict[int, Template] = {}
        self._active: int | None = None
        self._turn = anyio.Lock()

    @property
    def config(self) -> VariantConfig:
        """Effective configuration."""
        return self._config

    @property
    def active(self) -> Template | None:
        """Most recently activated template, if it still exists."""
        return self._templates.get(self._active) if self._active is not None else None

    async def save(self, config: VariantConfig) -> VariantConfig:
        """Check and save a configuration. Raises ConfigInvalid, Failed if not written."""
        async with self._turn:
            config = with_secrets_of(config, self._config)
            check(config)
            await self._write(_CONFIG, config.model_dump(mode="json"))
            self._config = config
        self.changed.mark()
        return config

    def templates(self) -> TemplateList:
        """Return all ten slots as shown to clients."""
        return {
            "templates": [
                {
                    "slot_id": slot,
                    "name": self._templates[slot].name
                    if slot in self._templates
                    else f"Template {slot}",
                    "exists": slot in self._templates,
                }
                for slot in SLOTS
            ],
            "active_template_id": self._active,
        }

    def template(self, slot: int) -> Template:
        """Return a template. Raises ConfigInvalid for an invalid slot, NotFound."""
        _check_slot(slot)
        found = self._templates.get(slot)
        if found is None:
            raise NotFound(f"Template {slot} is empty", code="template_not_found")
        return found

    async def save_template(self, slot: int, name: str, config: VariantConfig) -> Template:
        """Check and save a template in this slot. Raises ConfigInvalid, Failed."""
        _check_slot(slot)
        name = _checked_name(name)
        async with self._turn:
            before = self._templates.get(slot)
            config = with_secrets_of(config, before.config if before is not None else self._config)
            check(config)
            return await self._store_template(Template(slot, name, config))

    async def rename(self, slot: int, name: str) -> Template:
        """Rename a template. Raises ConfigInvalid, NotFound, Failed."""
        name = _checked_name(name)
        async with self._turn:
            return await self._store_template(Template(slot, name, self.template(slot).config))

    async def delete(self, slot: int) -> None:
        """Empty a slot. Raises ConfigInvalid for the active one, NotFound, Failed."""
        async with self._turn:
            self.template(slot)
            if slot == self._active:
                raise ConfigInvalid(
                    f"Template {slot} is active and was not deleted; activate another one first"
                )
            await self._thread(self._path(slot).unlink, missing_ok=True)
            del self._templates[slot]
        self.changed.mark()

    async def activate(self, slot: int) -> Template:
        """Make a template's configuration the effective one.

        Raises ConfigInvalid, NotFound, Failed. Whether a custom variant is on at all is not
        changed.
        """
        async with self._turn:
            template = self.template(slot)
            config = template.config.model_copy(update={"enabled": self._config.enabled})
            await self._write(_CONFIG, config.model_dump(mode="json"))
            self._config = config
            await self._write(_ACTIVE, {"active_template_id": slot})
            self._active = slot
        self.changed.mark()
        return template

    def export(self, slot: int) -> tuple[str, bytes]:
        """Return an export's name and content without secrets. Raises ConfigInvalid, NotFound."""
        template = self.template(slot)
        text = json.dumps(template.to_json(), indent=2, ensure_ascii=False)
        return f"template_{slot}.json", text.encode("utf-8", "backslashreplace")

    async def import_(self, slot: int, json_data: str) -> Template:
        """Save an exported template in this slot. Raises ConfigInvalid, Failed."""
        try:
            given = json.loads(json_data)
        except (ValueError, RecursionError) as error:
            raise ConfigInvalid("Invalid JSON: the template cannot be read") from error
        if not isinstance(given, dict) or "name" not in given or "config" not in given:
            raise ConfigInvalid("Invalid template: it needs a name and a config")
        return await self.save_template(slot, given["name"], config_of(given["config"]))

    # ------------------------------------------------------------------ files

    def load(self) -> None:
        """Load the files; a damaged one is set aside. Blocking, called once."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._config = self._read(_CONFIG, _checked_config) or self._config
        for slot in SLOTS:
            template = self._read(self._path(slot).name, partial(_template, slot))
            if template is not None:
                self._templates[slot] = template
        active = self._read(_ACTIVE, _active_slot)
        if active in self._templates:
            self._active = active

    def _read(self, name: str, understand: Callable[[Any], T]) -> T | None:
        """Return a file's content; None if there is none, or it is damaged.

        A damaged file is set aside.
        """
        path = self._directory / name
        if not path.is_file():  # opening a FIFO would block
            return None
        try:
            with path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
            return understand(json.loads(content))
        except (OSError, ValueError, LookupError, TypeError, RecursionError, Invalid) as error:
            self._set_aside(path, error)
            return None

    def _set_aside(self, path: Path, error: Exception) -> None:
        aside = find_unused_name(path, "damaged")
        try:
            path.rename(aside)
        except OSError as failure:
            log.error("%s is damaged (%s) and could not be renamed: %s", path, error, failure)
        else:
            log.error("%s is damaged (%s): kept as %s", path, error, aside.name)

    def _path(self, slot: int) -> Path:
        return self._directory / f"template_{slot}.json"

    async def _store_template(self, template: Template) -> Template:
        values = {"name": template.name, "config": template.config.model_dump(mode="json")}
        await self._write(self._path(template.slot).name, values)
        self._templates[template.slot] = template
        self.changed.mark()
        return template

    async def _write(self, name: str, values: Any) -> None:
        await self._thread(
            _write_whole, self._directory / name, json.dumps(values, indent=2, allow_nan=False)
        )

    async def _thread(self, work: Any, *args: Any, **kwargs: Any) -> None:
        try:
            await anyio.to_thread.run_sync(lambda: work(*args, **kwargs))
        except OSError as error:
            raise Failed(
                f"Failed to save configuration: {error.strerror}. The previous configuration"
                " is kept",
                code="configuration_not_saved",
            ) from error


class Recipes:
    """Recipe of new engines, from the settings and the operator's current configuration."""

    def __init__(self, settings: EnginesSettings, variants: VariantStore) -> None:
        self._settings = settings
        self._variants = variants

    def current(self) -> Recipe:
        """Return the recipe of an engine that is started now."""
        config, active = self._variants.config, self._variants.active
        return Recipe(
            self._settings,
            custom=config if config.enabled else None,
            template_name=active.name if active is not None else None,
        )


def config_of(values: Any) -> VariantConfig:
    """Parse a configuration from JSON. Raises ConfigInvalid if it is not one."""
    try:
        return VariantConfig.model_validate(values)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors(include_url=False)
        ]
        raise ConfigInvalid("Invalid configuration: " + "; ".join(faults), faults=faults) from error


def _checked_config(values: Any) -> VariantConfig:
    """Parse and check a configuration. Raises ConfigInvalid."""
    config = config_of(values)
    check(config)
    return config


def _template(slot: int, values: Any) -> Template:
    return Template(slot, _checked_name(values["name"]), _checked_config(values["config"]))


def _active_slot(values: Any) -> int | None:
    slot = values["active_template_id"]
    if slot is not None and type(slot) is not int:
        raise TypeError(f"{slot!r} is not a slot")
    return slot


@asynccontextmanager
async def open_variants(directory: Path, *, platform: Platform) -> AsyncIterator[VariantStore]:
    """Open the store in this directory. Raises Failed if that cannot be used."""
    store = VariantStore(directory, platform)
    try:
        await anyio.to_thread.run_sync(store.load)
    except OSError as error:
        raise Failed(
            f"The directory {directory} cannot be used: {error.strerror}", code="data_dir_unusable"
        ) from error
    yield store


def _write_whole(path: Path, text: str) -> None:
    """Write a file atomically, also at a power cut: write a temporary file, sync, rename, sync."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_slot(slot: int) -> None:
    if slot not in SLOTS:
        raise ConfigInvalid(f"Slots are numbered {SLOTS[0]} to {SLOTS[-1]}")


def _checked_name(given: object) -> str:
    name = given if isinstance(given, str) else ""
    if not name.strip():
        raise ConfigInvalid("A template needs a name")
    name = name.strip()
    if len(name) > LONGEST_NAME or _CONTROL.search(name):
        raise ConfigInvalid(f"A template's name has at most {LONGEST_NAME} printable characters")
    return name
