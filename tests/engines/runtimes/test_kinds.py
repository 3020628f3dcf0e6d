"""Each kind of runtime is in one table, with what the half has to know of it."""

from __future__ import annotations

from typing import get_args

import pytest

from touchline.engines.runtimes.kinds import KINDS, kind_of, network_of
from touchline.engines.settings.runtimes import (
    AutoRuntimeSettings,
    ChosenRuntimeSettings,
    DockerRuntimeSettings,
    ProcessRuntimeSettings,
)


def test_every_kind_that_can_be_configured_is_in_the_table() -> None:
    assert {kind.settings for kind in KINDS} == set(get_args(ChosenRuntimeSettings))


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
