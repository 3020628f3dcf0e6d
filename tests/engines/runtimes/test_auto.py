from __future__ import annotations

import pytest
from pydantic import ValidationError

from touchline.engines.runtimes.auto import AutoRuntimeSettings


def test_both_runtimes_can_be_configured_without_naming_their_kind_again() -> None:
    settings = AutoRuntimeSettings.model_validate(
        {
            "kind": "auto",
            "docker": {"network": "engines"},
            "process": {"command": ["/usr/bin/engine"]},
        }
    )
    assert (settings.docker.kind, settings.docker.network) == ("docker", "engines")
    assert (settings.process.kind, settings.process.command) == ("process", ["/usr/bin/engine"])


def test_the_settings_of_one_runtime_are_refused_for_the_other() -> None:
    for wrong in ({"docker": {"kind": "process"}}, {"process": {"network": "engines"}}):
        with pytest.raises(ValidationError):
            AutoRuntimeSettings.model_validate({"kind": "auto", **wrong})
