"""The custom variant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from touchline.web.models.base import Answer


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
    type: Annotated[StrictStr, Field(max_length=64)] = Field(
        description="flag, string, int, bytes or path."
    )
    value: StrictBool | StrictInt | StrictFloat | StrictStr | None = None
    enabled: StrictBool = True
    custom: StrictBool = Field(default=False, description="It is not in the catalogue, and meant.")


class VariantConfig(BaseModel):
    """A configuration. What this server has no setting for is named in the answer."""

    model_config = ConfigDict(extra="allow")

    enabled: StrictBool = Field(default=False, description="Engines are made with it.")
    platform: Annotated[StrictStr, Field(max_length=64)] = Field(
        description="amd64, arm32 or arm64."
    )
    arm_version: Annotated[StrictStr, Field(max_length=64)] = Field(
        default="3.2.13", description="3.2.13 or 3.2.14."
    )
    memory_limit: Annotated[StrictStr, Field(max_length=64)] | None = Field(
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


class TemplateBody(BaseModel):
    """A template to be kept; both fields are required."""

    name: str | None = Field(default=None, max_length=256)
    config: dict[str, Any] | None = None


class TemplateContent(Answer):
    """A template."""

    slot_id: int
    name: str
    config: VariantConfig


class TemplateName(BaseModel):
    """A new name."""

    name: str | None = Field(default=None, max_length=256)


class TemplateActivated(Answer):
    """The template that counts now."""

    message: str
    template_id: int
    template_name: str


class ImportTemplate(BaseModel):
    """The text of an exported template."""

    json_data: Any = None
