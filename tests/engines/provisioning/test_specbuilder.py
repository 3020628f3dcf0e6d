from __future__ import annotations

import pytest

from support.half import HalfRig, idle_half, opened_half, settings_for
from touchline.core.errors import Invalid
from touchline.engines.model.orders import EngineOrder
from touchline.engines.model.runtime import PortInUse
from touchline.engines.provisioning.specbuilder import SpecBuilder, is_loopback

pytestmark = pytest.mark.anyio


async def test_an_order_that_is_special_gets_an_engine_of_its_own() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        (spare,) = await rig.ready(1)
        engine = await rig.front.provisioner.engine(
            EngineOrder(labels={"stream_id": "7"}, env={"EXTRA_A": "1"}, image="other/image:1")
        )
        instance = rig.world.instances[engine.id]
        assert engine.id != spare.id
        assert instance.image == "other/image:1"
        assert (instance.labels["stream_id"], instance.env["EXTRA_A"]) == ("7", "1")
        assert (engine.container_http_port, engine.container_https_port) == (40000, 45000)


async def test_a_fixed_port_is_honoured_or_refused() -> None:
    async with opened_half() as rig:
        engine = await rig.front.provisioner.engine(EngineOrder(host_port=19555))
        assert engine.port == 19555
        with pytest.raises(PortInUse):
            await rig.front.provisioner.engine(EngineOrder(host_port=19555))
        rig.world.taken_ports.add(19556)
        with pytest.raises(PortInUse):
            await rig.front.provisioner.engine(EngineOrder(host_port=19556))
        assert len(rig.world.instances) == 1


def builder(rig: HalfRig) -> SpecBuilder:
    return rig.half.parts.provisioning.launcher._spec_builder


async def test_ports_that_no_instance_got_are_free_again() -> None:
    rig = idle_half()
    ports = rig.half.parts.provisioning.ports
    order = EngineOrder()
    async with builder(rig).prepare(order, vpn=None, name="engine-1", mark=None) as prepared:
        assert ports.list_host_ports() == {19000}
        assert (prepared.spec.name, prepared.vpn, prepared.forwarded) == ("engine-1", None, False)
    assert ports.list_host_ports() == set()
    async with builder(rig).prepare(order, vpn=None, name="engine-1", mark=None) as prepared:
        prepared.keep("a" * 64)
    assert ports.list_host_ports() == {19001}, "the one that was free longest comes first"


async def test_a_port_that_another_program_uses_is_passed_over() -> None:
    rig = idle_half()
    builder(rig).avoid_port(19000, for_s=60.0)
    async with builder(rig).prepare(EngineOrder(), vpn=None, name="engine-1", mark=None) as made:
        (published,) = [port.host_port for port in made.spec.ports if port.host_port is not None]
    assert published == 19001


def test_variables_that_could_run_a_program_are_refused_before_anything_is_prepared() -> None:
    with pytest.raises(Invalid, match="LD_PRELOAD"):
        builder(idle_half()).check(EngineOrder(env={"LD_PRELOAD": "/tmp/evil.so"}))


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        *((each, True) for each in ("127.0.0.1", "127.9.9.9", "::1", "localhost")),
        *((each, False) for each in ("0.0.0.0", "192.0.2.1", "::", "somewhere")),
    ],
)
def test_an_address_of_this_machine_alone_is_recognised(address: str, *, loopback: bool) -> None:
    assert is_loopback(address) is loopback
