from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from touchline.core.errors import NotFound
from touchline.engines.variants.customvariant import (
    HIDDEN,
    ConfigInvalid,
    default_config,
    hidden,
)
from touchline.engines.variants.variantstore import (
    MOST_BYTES,
    VariantStore,
    config_of,
    open_variants,
)

pytestmark = pytest.mark.anyio


def config(*parameters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"enabled": True, "platform": "amd64", "parameters": list(parameters), **fields}


def parameter(name: str, kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "value": value, **more}


TOKEN = parameter("--access-token", "string", "secret")


async def opened(directory: Path) -> VariantStore:
    async with open_variants(directory, platform="amd64") as store:
        return store


async def test_a_configuration_survives_and_its_secrets_are_only_said_to_be_there(
    tmp_path: Path,
) -> None:
    store = await opened(tmp_path)
    saved = await store.save(config_of(config(TOKEN, memory_limit="64m")))
    shown = hidden(saved)
    assert shown["parameters"][0]["value"] == HIDDEN
    # Given back as it was shown, the secret stays.
    await store.save(config_of(shown))
    again = await opened(tmp_path)
    assert again.config.parameters[0].value == "secret"
    assert again.config.memory_limit == "64m"
    assert stat.S_IMODE((tmp_path / "custom_variant.json").stat().st_mode) == 0o600


async def test_a_refused_configuration_leaves_the_one_before(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    before = store.config
    with pytest.raises(ConfigInvalid):
        await store.save(config_of(config(platform="mips")))
    assert store.config == before
    assert list(tmp_path.iterdir()) == []


async def test_a_damaged_file_is_kept_aside_and_the_defaults_count(tmp_path: Path) -> None:
    (tmp_path / "custom_variant.json").write_text("{")
    (tmp_path / "template_3.json").write_text('{"name": "x"}')
    store = await opened(tmp_path)
    assert store.config == default_config("amd64")
    assert sorted(path.name.split(".damaged-")[0] for path in tmp_path.iterdir()) == [
        "custom_variant.json",
        "template_3.json",
    ]


DEEP = "[" * 100_000


GOOD = json.dumps(default_config("amd64").model_dump(mode="json"))


DAMAGED = [
    ("template_3.json", f'{{"config": {GOOD}}}'),
    ("template_3.json", f'{{"name": null, "config": {GOOD}}}'),
    ("template_3.json", f'{{"name": " ", "config": {GOOD}}}'),
    ("template_3.json", f'{{"name": {json.dumps("x" * 1000)}, "config": {GOOD}}}'),
    ("template_3.json", '{"name": "x", "config": 7}'),
    ("template_3.json", "7"),
    ("template_3.json", "[1]"),
    ("template_3.json", "null"),
    ("template_3.json", DEEP),
    ("template_3.json", '{"name": "x", "config": ' + DEEP),
    ("template_3.json", " " * (MOST_BYTES + 1)),
    ("custom_variant.json", "7"),
    ("custom_variant.json", DEEP),
    ("custom_variant.json", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")),
    ("active_template.json", '{"active_template_id": [1]}'),
    ("active_template.json", '{"active_template_id": {}}'),
    ("active_template.json", '{"active_template_id": "1"}'),
    ("active_template.json", '{"active_template_id": true}'),
    ("active_template.json", "{}"),
    ("active_template.json", "7"),
    ("active_template.json", DEEP),
]


@pytest.mark.parametrize(("name", "text"), DAMAGED, ids=lambda each: each[:40])
async def test_no_damaged_file_ends_the_start_or_costs_another(
    tmp_path: Path, name: str, text: str
) -> None:
    store = await opened(tmp_path)
    await store.save_template(1, "Match day", config_of(config(TOKEN)))
    (tmp_path / name).write_text(text, encoding="latin-1")
    again = await opened(tmp_path)
    assert again.template(1).name == "Match day"
    assert again.templates()["active_template_id"] is None
    assert again.config == default_config("amd64")
    assert [each["slot_id"] for each in again.templates()["templates"] if each["exists"]] == [1]
    assert not (tmp_path / name).exists()
    assert len(list(tmp_path.glob(f"{name}.damaged-*"))) == 1


async def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "template_3.json")
    (tmp_path / "custom_variant.json").mkdir()
    store = await opened(tmp_path)
    assert store.config == default_config("amd64")


async def test_templates_from_the_first_to_the_last(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    one = config_of(config(TOKEN))
    await store.save_template(1, " Match day ", one)
    await store.save_template(2, "Spare", config_of(config(enabled=False)))
    assert store.templates()["templates"][0] == {
        "slot_id": 1,
        "name": "Match day",
        "exists": True,
    }
    assert store.templates()["templates"][9]["name"] == "Template 10"
    assert (await store.activate(1)).name == "Match day"
    # Whether a custom variant is on at all stays as it is.
    assert store.config == one.model_copy(update={"enabled": False})
    await store.rename(1, "Derby")
    with pytest.raises(ConfigInvalid, match="active"):
        await store.delete(1)
    await store.delete(2)
    again = await opened(tmp_path)
    assert again.active is not None
    assert again.active.name == "Derby"
    assert again.templates()["active_template_id"] == 1
    name, content = again.export(1)
    assert name == "template_1.json"
    exported = json.loads(content)
    assert exported["config"]["parameters"][0]["value"] == HIDDEN
    imported = await again.import_(5, content.decode())
    assert (imported.slot, imported.name) == (5, "Derby")


@pytest.mark.parametrize("slot", [0, 11, -1])
async def test_slots_are_one_to_ten(tmp_path: Path, slot: int) -> None:
    store = await opened(tmp_path)
    with pytest.raises(ConfigInvalid):
        store.template(slot)
    with pytest.raises(ConfigInvalid):
        await store.save_template(slot, "x", default_config("amd64"))


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
async def test_a_template_needs_a_name(tmp_path: Path, name: str) -> None:
    store = await opened(tmp_path)
    with pytest.raises(ConfigInvalid):
        await store.save_template(1, name, default_config("amd64"))


NONSENSE = config(parameter("--live-buffer", "int", "x"))


@pytest.mark.parametrize(
    "given",
    [[], {"name": "x"}, {"name": 1, "config": {}}, {"name": "x", "config": NONSENSE}],
)
async def test_what_is_imported_is_checked(tmp_path: Path, given: Any) -> None:
    store = await opened(tmp_path)
    with pytest.raises(ConfigInvalid):
        await store.import_(1, json.dumps(given))
    with pytest.raises(ConfigInvalid):
        await store.import_(1, "{")
    with pytest.raises(NotFound):
        store.template(1)
