from __future__ import annotations

from pathlib import Path

import pytest

from support.fakeruntime import FakeRuntime, SharedMachine, World
from support.half import opened_half, settings_for
from touchline.core.errors import Invalid, Refused
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.variants.catalogue import BY_NAME
from touchline.engines.variants.customvariant import VariantConfig, VariantParameter
from touchline.engines.variants.enginenv import (
    allowed_names,
    check_arguments,
    check_names,
    on_loopback,
)

pytestmark = pytest.mark.anyio

DEFAULT = "krinkuto11-amd64"
RUNS_SOMETHING = (
    "PYTHONWARNINGS",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "PATH",
    "BROWSER",
    "HOME",
    "BASH_ENV",
    "ENV",
    "IFS",
    "GCONV_PATH",
    "NODE_OPTIONS",
    "TOUCHLINE_INSTANCE",
    "CONFIG",
    "conf",
    "XACE",
    "EXTRA",
)


@pytest.mark.parametrize("name", RUNS_SOMETHING)
@pytest.mark.parametrize("variant", [DEFAULT, "jopsis-amd64", "jopsis-arm32"])
def test_a_name_that_is_not_on_the_list_is_refused_with_the_list(name: str, variant: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_names({"CONF": "", name: "x"}, allowed_names(variant, ()))
    assert refused.value.details["allowed"][:3] == ["CONF", "ACE*", "EXTRA_*"]


@pytest.mark.parametrize(
    ("variant", "name"),
    [
        (DEFAULT, "CONF"),
        (DEFAULT, "EXTRA_ENV"),
        (DEFAULT, "CACHE_LIMIT"),
        ("jopsis-amd64", "ACESTREAM_ARGS"),
        ("jopsis-arm64", "ACE_HTTP"),
        (DEFAULT, "MY_TOKEN"),
        (DEFAULT, "OURS_1"),
    ],
)
def test_names_of_the_contract_the_variant_and_the_settings_are_allowed(
    variant: str, name: str
) -> None:
    check_names({name: "x"}, allowed_names(variant, ("MY_TOKEN", "OURS_*")))


@pytest.mark.parametrize(
    "conf",
    [
        "--cache-dir=/etc",
        "--cache-dir /etc",
        "--http-port=1\n'--log-file'=/etc/passwd",
        "--host 0.0.0.0",
        '--"state-dir"=/x',
        "--unbalanced 'quote",
        "--cache-d=/etc",
        "--c /etc",
        "--CACHE-DIR=/etc",
        "--cache_dir=/etc",
        "-log-file /x",
        "--bind-al",
        "--bind_all",
        "--cache-dir=~/.ACEStream/../x",
        "--live-cache-dir /x",
        "--pid-file=/x",
        "--api-host 0.0.0.0",
    ],
)
def test_an_engine_that_shares_the_machine_gets_no_files_or_addresses(conf: str) -> None:
    with pytest.raises(Invalid):
        check_arguments({"CONF": conf})


@pytest.mark.parametrize(
    "conf",
    [
        "--http-port=6878\n--https-port=6879\n--bind-all",
        "--cache-dir ~/.ACEStream",
        "--cache-dir=~/.ACEStream",
        "--live-cache-type memory --max-file-size 1 --log-file-max-size 1 -v -1",
    ],
)
def test_arguments_that_name_nothing_of_the_machine_are_taken(conf: str) -> None:
    check_arguments({"CONF": conf})


@pytest.mark.parametrize("platform", ["amd64", "arm64"])
@pytest.mark.parametrize(
    ("name", "value", "outcome"),
    [
        ("--cache-dir", "/etc", "refused"),
        ("--cache-dir", "~/.ACEStream", "started"),
        ("--log-file", "/tmp/x", "refused"),
        ("--host", "0.0.0.0", "refused"),
        ("--hos", "0.0.0.0", "refused"),
        ("--title", "--log-file=/x", "refused"),
        ("--title", "--bind-all", "started"),
    ],
)
async def test_the_custom_variant_gives_a_process_no_files_or_addresses_of_the_machine(
    name: str, value: str, outcome: str, platform: str, tmp_path: Path
) -> None:
    kind = BY_NAME[name].type if name in BY_NAME else "string"
    parameter = VariantParameter(name=name, type=kind, value=value, custom=True)
    config = VariantConfig(enabled=True, platform=platform, parameters=(parameter,))
    settings = settings_for(scaling={"startup_timeout_s": 0.1})
    for world, runtime in ((w := World(), SharedMachine(w)), (w := World(), FakeRuntime(w))):
        async with opened_half(settings, runtime=runtime, world=world) as rig:
            rig.half.parts.resources.variants._directory = tmp_path
            await rig.front.variants.save(config)
            if outcome == "refused" and runtime.kind == "process":
                with pytest.raises(Refused) as told:
                    await rig.front.provisioner.engine(EngineOrder(labels={"a": "b"}))
                assert told.value.code == "argument_not_allowed"
                assert world.instances == {}
                assert rig.half.parts.provisioning.breakers.general.failures == 0
            else:
                made = await rig.front.provisioner.engine(EngineOrder(labels={"a": "b"}))
                if runtime.kind == "process":
                    assert "--bind-all" not in world.instances[made.id].env.get(
                        "ACESTREAM_ARGS", ""
                    )


def test_what_listens_on_every_address_is_taken_out_however_it_is_written() -> None:
    command, env = on_loopback(
        ("python", "main.py", "--bind-all", "--log-debug", "1"),
        {
            "CONF": "--http-port=1\n--bind-all\n'--bind-all'=1 --title 'a b'",
            "ACESTREAM_ARGS": '"--bind-all" --live-buffer 5',
            "BIND_ALL": "true",
            "EXTRA_A": "--bind-all",
        },
    )
    assert command == ("python", "main.py", "--log-debug", "1")
    assert env == {
        "CONF": "--http-port=1\n--title\n'a b'",
        "ACESTREAM_ARGS": "--live-buffer\n5",
        "EXTRA_A": "--bind-all",
    }


async def test_a_client_cannot_have_an_engine_run_a_program_of_its_choice() -> None:
    world = World()
    # Nothing listens at this machine's ports: the start is not waited for.
    settings = settings_for(scaling={"startup_timeout_s": 0.1})
    async with opened_half(settings, runtime=SharedMachine(world), world=world) as rig:
        provision = rig.front.provisioner
        for name in RUNS_SOMETHING:
            with pytest.raises(Invalid):
                await provision.engine(EngineOrder(env={name: "x"}))
            with pytest.raises(Invalid):
                await provision.generic(GenericOrder(image="any", env={name: "x"}))
        with pytest.raises(Invalid):
            await provision.engine(EngineOrder(env={"CONF": "--cache-dir=/etc"}))
        assert world.instances == {}
        made = await provision.engine(EngineOrder(env={"EXTRA_ENV": "X", "CONF": "--bind-all"}))
        env = world.instances[made.id].env
        assert env["EXTRA_ENV"] == "X"
        assert "bind-all" not in f"{env}"


async def test_an_engine_that_shares_the_machine_listens_everywhere_only_where_configured() -> None:
    world = World()
    settings = settings_for(ports={"bind_address": "0.0.0.0"}, scaling={"startup_timeout_s": 0.1})
    async with opened_half(settings, runtime=SharedMachine(world), world=world) as rig:
        made = await rig.front.provisioner.engine(EngineOrder(labels={"a": "b"}))
        assert "--bind-all" in world.instances[made.id].env["CONF"]


async def test_another_container_may_have_any_environment_of_its_own() -> None:
    async with opened_half() as rig:
        made = await rig.front.provisioner.generic(GenericOrder(image="web:1", env={"PATH": "/x"}))
        assert rig.world.instances[made.id].env == {"PATH": "/x"}


@pytest.mark.parametrize(
    "env",
    [
        {"EXTRA_A": "a\0b"},
        {"EXTRA_A": "a" * 40_000},
        {f"EXTRA_{n}": "a" * 30_000 for n in range(8)},
        {f"EXTRA_{n}": "" for n in range(100)},
        {"EXTRA_A": "\ud800"},
    ],
)
def test_values_are_bounded_and_printable(env: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        EngineOrder(env=env)
