"""Models of the custom variant."""

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
from touchline.web.models.base import Answer, SchemaKeywords


def _one_of(words: Sequence[str]) -> SchemaKeywords:
    """Return a pattern that matches one of these words: form fields are of type string."""
    return SchemaKeywords({"pattern": f"^({'|'.join(map(re.escape, words))})$"})


_MEMORY = r"^\s*([0-9]{1,15}[bBkKmMgG]?)?\s*$"
_NAME = r"[^\x00-\x1f\x7f\s]"
Name = Annotated[
    str | None,
    WithJsonSchema(
        {"type": "string", "pattern": rf"^\s*{_NAME}([^\x00-\x1f\x7f]{{0,98}}{_NAME})?\s*$"}
    ),
]
"""Name of a template; surrounding spaces are removed."""

MemoryLimit = Annotated[StrictStr, Field(max_length=64), SchemaKeywords({"pattern": _MEMORY})]


class PlatformInfo(Answer):
    """Platforms."""

    platform: Literal["amd64", "arm32", "arm64"]
    supported_platforms: list[str]


class CatalogueEntry(Answer):
    """A known parameter of engines."""

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
    secret: bool = Field(description="Whether the value is write-only and never returned.")


class VariantParameter(BaseModel):
    """A parameter with its value."""

    name: Annotated[StrictStr, Field(max_length=256)]
    type: Annotated[StrictStr, Field(max_length=64), _one_of(PARAMETER_TYPES)]
    value: StrictBool | StrictInt | StrictFloat | StrictStr | None = None
    enabled: StrictBool = True
    custom: StrictBool = Field(
        default=False, description="Set to true for a parameter that is not in the catalogue."
    )


class VariantConfig(BaseModel):
    """Configuration of a custom variant. Unknown settings are listed in the response."""

    model_config = ConfigDict(extra="allow")

    enabled: StrictBool = Field(
        default=False, description="Whether new engines use this configuration."
    )
    platform: Annotated[StrictStr, Field(max_length=64), _one_of(PLATFORMS)]
    arm_version: Annotated[StrictStr, Field(max_length=64), _one_of(ARM_VERSIONS)] = "3.2.13"
    memory_limit: MemoryLimit | None = Field(
        default=None,
        description="Memory limit such as 512m or 2g, from 32m to 128g; null or 0 for none.",
    )
    parameters: Annotated[list[VariantParameter], Field(max_length=200)] = Field(
        default_factory=list
    )


class ConfigSaved(Answer):
    """The saved configuration."""

    message: str
    not_kept: list[str] = Field(
        default_factory=list, description="Settings of the request that this server does not have."
    )
    config: VariantConfig


class ReprovisionStarted(Answer):
    """Confirmation of a started reprovisioning."""

    message: str
    deleted_count: int = Field(description="Number of engines that will be replaced.")


class ReprovisionStatus(Answer):
    """Progress of the latest reprovisioning."""

    in_progress: bool
    status: Literal["idle", "in_progress", "success", "error"]
    message: str
    timestamp: datetime | None
    total_engines: int
    engines_stopped: int = Field(description="Number of replaced engines that were removed.")
    engines_provisioned: int = Field(description="Number of new engines that are running.")
    current_engine_id: str | None
    current_phase: str | None


class TemplateSlot(Answer):
    """A template slot."""

    slot_id: int
    name: str
    exists: bool


class TemplateList(Answer):
    """The ten template slots."""

    templates: list[TemplateSlot]
    active_template_id: int | None


class _AsVariantConfig:
    """Description of a configuration that is checked by the store."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema of a configuration."""
        return handler(VariantConfig.__pydantic_core_schema__)


class TemplateBody(BaseModel):
    """A template to save."""

    # Required, but a missing one is answered with 400 instead of 422.
    model_config = ConfigDict(json_schema_extra={"required": ["name", "config"]})

    name: Name = Field(default=None, max_length=256)
    config: Annotated[dict[str, Any] | None, _AsVariantConfig()] = None


class TemplateContent(Answer):
    """A saved template."""

    slot_id: int
    name: str
    config: VariantConfig


class TemplateName(BaseModel):
    """New name of a template."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Name = Field(default=None, max_length=256)


class TemplateActivated(Answer):
    """The active template."""

    message: str
    template_id: int
    template_name: str


class ImportTemplate(BaseModel):
    """Text of an exported template."""

    model_config = ConfigDict(json_schema_extra={"required": ["json_data"]})

    json_data: Annotated[
        Any, WithJsonSchema({"type": "string", "contentMediaType": "application/json"})
    ] = None
