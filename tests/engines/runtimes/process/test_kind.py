from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from touchline.engines.model.readiness import RuntimeReadiness
from touchline.engines.runtimes.kind import OpeningContext
from touchline.engines.runtimes.process.kind import PROCESS
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings


def readiness(*, needed: bool = True, **given: object) -> RuntimeReadiness:
    settings = ProcessRuntimeSettings.model_validate({"kind": "process", **given})
    return PROCESS.readiness(settings, {}, needed=needed)


@pytest.mark.parametrize(("needed", "state"), [(True, "missing"), (False, "info")])
def test_without_a_program_engines_cannot_run(state: str, *, needed: bool) -> None:
    found = readiness(needed=needed)
    assert (found.state, found.message) == (state, "no engine program is configured")
    assert "engines.runtime.command" in str(found.mend)


def test_every_program_has_to_be_there() -> None:
    programs = {"engine:1": ["sleep"], "engine:2": ["/no/such/program", "--port"]}
    found = readiness(command=["/bin/sh"], programs=programs)
    assert (found.state, found.message) == ("missing", "/no/such/program cannot be run")
    del programs["engine:2"]
    found = readiness(command=["/bin/sh"], programs=programs)
    assert (found.state, found.message) == ("ok", "engines run as /bin/sh, sleep")


def test_records_are_in_the_data_directory_unless_they_are_put_elsewhere(tmp_path: Path) -> None:
    context = OpeningContext(tmp_path / "data", ("a", "b"), "127.0.0.1", True, (), None)

    async def open_it(**given: object) -> None:
        settings = ProcessRuntimeSettings.model_validate({"kind": "process", **given})
        async with PROCESS.open(settings, context) as runtime:
            assert runtime.kind == "process"

    anyio.run(open_it)
    assert (tmp_path / "data" / "engines").is_dir()

    async def elsewhere() -> None:
        await open_it(directory=tmp_path / "elsewhere")

    anyio.run(elsewhere)
    assert (tmp_path / "elsewhere").is_dir()


def test_processes_join_no_network_and_no_vpn() -> None:
    assert PROCESS.network(ProcessRuntimeSettings(kind="process")) is None
    assert not PROCESS.can_use_vpn
