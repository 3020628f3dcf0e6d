"""Models of the custom variant: what clients send, and the answers of its routes."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    with_config,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER
from touchline.engines import ShownConfig, VariantConfig

_NAME = r"[^\x00-\x1f\x7f\s]"
Name = Annotated[
    str | None,
    WithJsonSchema(
        {"type": "string", "pattern": rf"^\s*{_NAME}([^\x00-\x1f\x7f]{{0,98}}{_NAME})?\s*$"}
    ),
]
"""Name of a template; surrounding spaces are removed."""


class ChangedConfig(VariantConfig):
    """Configuration to save. Unknown settings are listed in the response."""

    model_config = ConfigDict(extra="allow")


@with_config(ANSWER)
class ConfigSaved(TypedDict):
    """The saved configuration."""

    message: str
    not_kept: NotRequired[list[str]]
    """Settings of the request that this server does not have."""
    config: ShownConfig


@with_config(ANSWER)
class ReprovisionStarted(TypedDict):
    """Confirmation of a started reprovisioning."""

    message: str
    deleted_count: int
    """Number of engines that will be replaced."""


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


class TemplateName(BaseModel):
    """New name of a template."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Name = Field(default=None, max_length=256)


@with_config(ANSWER)
class TemplateActivated(TypedDict):
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
