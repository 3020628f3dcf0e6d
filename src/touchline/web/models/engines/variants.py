"""The custom variant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from touchline.engines import ARM_VERSIONS, PARAMETER_TYPES, PLATFORMS
from touchline.web.models.base import Answer, Told


def _one_of(words: Sequence[str]) -> Told:
    """One of these words, as a pattern: forms are made of fields whose type is any string."""
    return Told({"pattern": f"^({'|'.join(map(re.escape, words))})$"})


_MEMORY = r"^\s*([0-9]{1,15}[bBkKmMgG]?)?\s*$"
_NAME = r"[^\x00-\x1f\x7f\s]"
Name = Annotated[
    str | None,
    WithJsonSchema(
        {"type": "string", "pattern": rf"^\s*{_NAME}([^\x00-\x1f\x7f]{{0,98}}{_NAME})?\s*$"}
    ),
]
"""What a template is called; spaces around it are taken away."""

MemoryLimit = Annotated[StrictStr, Field(max_length=64), Told({"pattern": _MEMORY})]


class PlatformInfo(Answer):
    """Platforms."""

    platform: Literal["amd64", "arm32", "arm64"]
    supported_platforms: list[str]


class CatalogueEntry(Answer):
    """A parameter that engines are known to take."""

    name: str
    type: Literal["flag", "string", "int", "bytes", "path"]
    default: bool | int | str
    enabled: bool = Field(description="Whether it is on by default.")
    group: str
    help: str
    unit: str | None
    choices: list[str]
    minimum: int | None
    maximum: int | None
    secret: bool = Field(description="It is written, and never shown again.")


class VariantParameter(BaseModel):
    """A parameter of a configuration."""

    name: Annotated[StrictStr, Field(max_length=256)]
    type: Annotated[StrictStr, Field(max_length=64), _one_of(PARAMETER_TYPES)]
    value: StrictBool | StrictInt | StrictFloat | StrictStr | None = None
    enabled: StrictBool = True
    custom: StrictBool = Field(default=False, description="It is not in the catalogue, and meant.")


class VariantConfig(BaseModel):
    """A configuration. What this server has no setting for is named in the answer."""

    model_config = ConfigDict(extra="allow")

    enabled: StrictBool = Field(default=False, description="Engines are made with it.")
    platform: Annotated[StrictStr, Field(max_length=64), _one_of(PLATFORMS)]
    arm_version: Annotated[StrictStr, Field(max_length=64), _one_of(ARM_VERSIONS)] = "3.2.13"
    memory_limit: MemoryLimit | None = Field(
        default=None, description="Such as 512m or 2g, from 32m to 128g; null or 0: none."
    )
    parameters: Annotated[list[VariantParameter], Field(max_length=200)] = Field(
        default_factory=list
    )


class ConfigSaved(Answer):
    """The configuration that is kept."""

    message: str
    not_kept: list[str] = Field(
        default_factory=list, description="Settings that were sent and that there are none of here."
    )
    config: VariantConfig


class ReprovisionStarted(Answer):
    """Engines will be replaced."""

    message: str
    deleted_count: int = Field(description="So many will be.")


class ReprovisionStatus(Answer):
    """The progress of the last reprovisioning."""

    in_progress: bool
    status: Literal["idle", "in_progress", "success", "error"]
    message: str
    timestamp: datetime | None
    total_engines: int
    engines_stopped: int = Field(description="Old ones that are gone.")
    engines_provisioned: int = Field(description="New ones that run.")
    current_engine_id: str | None
    current_phase: str | None


class TemplateSlot(Answer):
    """A slot."""

    slot_id: int
    name: str
    exists: bool


class TemplateList(Answer):
    """All ten slots."""

    templates: list[TemplateSlot]
    active_template_id: int | None


class _AsVariantConfig:
    """Describes a configuration that is checked by the store."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema of a configuration."""
        return handler(VariantConfig.__pydantic_core_schema__)


class TemplateBody(BaseModel):
    """A template to be kept."""

    # Required, but without them the answer is 400 and not 422.
    model_config = ConfigDict(json_schema_extra={"required": ["name", "config"]})

    name: Name = Field(default=None, max_length=256)
    config: Annotated[dict[str, Any] | None, _AsVariantConfig()] = None


class TemplateContent(Answer):
    """A template."""

    slot_id: int
    name: str
    config: VariantConfig


class TemplateName(BaseModel):
    """A new name."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Name = Field(default=None, max_length=256)


class TemplateActivated(Answer):
    """The template that counts now."""

    message: str
    template_id: int
    template_name: str


class ImportTemplate(BaseModel):
    """The text of an exported template."""

    model_config = ConfigDict(json_schema_extra={"required": ["json_data"]})

    json_data: Annotated[
        Any, WithJsonSchema({"type": "string", "contentMediaType": "application/json"})
    ] = None
