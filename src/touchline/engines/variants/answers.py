"""Answers about platforms and templates of the custom variant."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER
from touchline.engines.variants.customvariant import Platform, ShownConfig


@with_config(ANSWER)
class PlatformInfo(TypedDict):
    """Platforms."""

    platform: Platform
    supported_platforms: list[str]


@with_config(ANSWER)
class TemplateSlot(TypedDict):
    """A template slot."""

    slot_id: int
    name: str
    exists: bool


@with_config(ANSWER)
class TemplateList(TypedDict):
    """The ten template slots."""

    templates: list[TemplateSlot]
    active_template_id: int | None


@with_config(ANSWER)
class TemplateContent(TypedDict):
    """A saved template."""

    slot_id: int
    name: str
    config: ShownConfig
