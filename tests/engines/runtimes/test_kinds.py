"""Each kind of runtime is in one table, with what the half has to know of it."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from touchline.engines.runtimes.auto import AutoRuntimeSettings
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings
from touchline.engines.runtimes.kinds import (
    KINDS,
    ChosenRuntimeSettings,
    RuntimeSettings,
    kind_of,
    network_of,
)
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings


def test_the_settings_of_every_kind_are_accepted_and_no_others() -> None:
    settings = TypeAdapter[BaseModel](RuntimeSettings)
    for kind in KINDS:
        (name,) = get_args(kind.settings.model_fields["kind"].annotation)
        assert type(settings.validate_python({"kind": name})) is kind.settings
    assert isinstance(settings.validate_python({"kind": "auto"}), AutoRuntimeSettings)
    with pytest.raises(ValidationError, match="'auto', 'process', 'docker'"):
        settings.validate_python({"kind": "abacus"})


def test_settings_lead_to_their_kind() -> None:
    for kind in KINDS:
        named = kind.settings.model_fields["kind"].annotation
        settings = kind.settings(kind=get_args(named)[0])
        assert kind_of(settings) is kind


@pytest.mark.parametrize(
    ("settings", "network"),
    [
        (ProcessRuntimeSettings(kind="process"), None),
        (DockerRuntimeSettings(kind="docker"), None),
        (DockerRuntimeSettings(kind="docker", network="engines"), "engines"),
        (
            AutoRuntimeSettings(
                kind="auto", docker=DockerRuntimeSettings(kind="docker", network="engines")
            ),
            "engines",
        ),
    ],
)
def test_engines_join_the_network_of_the_settings(
    settings: AutoRuntimeSettings | ChosenRuntimeSettings, network: str | None
) -> None:
    assert network_of(settings) == network
