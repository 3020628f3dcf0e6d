from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings


def test_engines_are_confined_unless_the_operator_says_otherwise() -> None:
    settings = DockerRuntimeSettings(kind="docker")
    assert (settings.cap_drop, settings.cap_add) == (["ALL"], [])
    assert settings.no_new_privileges
    assert 0 < settings.pids_limit <= 1024


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "/var/run/docker.sock"},
        {"host": "ssh://host"},
        {"call_timeout_s": 0},
        {"max_parallel_starts": 0},
        {"pids_limit": -1},
        {"privileged": True},
    ],
)
def test_a_wrong_value_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        DockerRuntimeSettings.model_validate({"kind": "docker", **wrong})
    assert [error["loc"] for error in caught.value.errors()] == [tuple(wrong)]
