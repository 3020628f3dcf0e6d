"""Exchange of state between the VPNs and the fleet."""

from __future__ import annotations

import anyio

from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.model import Engine
from touchline.engines.vpn.facts import p2p_port_of
from touchline.engines.vpn.vpn import VpnWatch

ASK_TIMEOUT_S = 3.0


async def engines_reach_network(fleet: Fleet, client: AceStreamClient, vpn: str) -> bool | None:
    """Return whether any engine of this VPN reaches the network.

    None: there is no engine to ask.
    """
    behind = [engine for engine in fleet.managed() if engine.vpn_container == vpn]
    answers: list[bool] = []

    async def ask(engine: Engine) -> None:
        try:
            answers.append(await client.network_connected(engine.api_url, within_s=ASK_TIMEOUT_S))
        except Exception:  # noqa: BLE001  (any error means: not connected)
            answers.append(False)
        if answers[-1]:
            tasks.cancel_scope.cancel()  # one is enough

    async with anyio.create_task_group() as tasks:
        for engine in behind:
            tasks.start_soon(ask, engine)
    return any(answers) if behind else None


async def follow_vpns(fleet: Fleet, vpn: VpnWatch) -> None:
    """Update the fleet's lost VPNs and forwarded ports, then wait for changes."""
    seen = vpn.changed.version
    ports = {each.name: each.forwarded_port for each in vpn.vpns}
    fleet.set_lost_vpns(frozenset(each.name for each in vpn.vpns if each.is_lost))
    fleet.set_forwarded_ports({k: port for k, port in ports.items() if port is not None})
    for engine in list(fleet.managed()):
        port = ports.get(engine.vpn_container or "")
        if engine.forwarded and port is not None and p2p_port_of(engine) != port:
            # The port that it was created with is no longer forwarded.
            fleet.change(engine.id, forwarded=False)
    fleet.plan_outdated.mark()
    await vpn.changed.wait(seen)
