"""Preparation of an engine: placement, ports, and the complete spec for the runtime."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address

from touchline.engines.fleet.ports import PortBook, Reserved
from touchline.engines.model.model import EngineSpec
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.settings.tree import EnginesSettings, PortRange
from touchline.engines.variants.customvariant import arguments
from touchline.engines.variants.enginenv import (
    allowed_names,
    check_arguments,
    check_custom,
    check_names,
    on_loopback,
)
from touchline.engines.variants.variants import Berth, build_spec, ports_fixed_by
from touchline.engines.variants.variantstore import Recipes
from touchline.engines.vpn.facts import VpnView


@dataclass(frozen=True)
class Prepared:
    """Spec, and the ports that are held for it until they are assigned."""

    spec: EngineSpec
    vpn: str | None
    forwarded: bool
    _reserved: Reserved

    def keep(self, instance_id: str) -> None:
        """Assign the ports to the running instance."""
        self._reserved.keep(instance_id)


class SpecBuilder:
    """Preparation of engine starts."""

    def __init__(
        self,
        *,
        settings: EnginesSettings,
        ports: PortBook,
        vpns: VpnView,
        recipes: Recipes,
        publishes_ports: bool,
        shares_machine: bool,
    ) -> None:
        """Create a builder of specs.

        `publishes_ports`: each engine has a network of its own, with all port numbers.
        `shares_machine`: engines use this machine's files, addresses and programs.
        """
        self._settings = settings
        self._ports = ports
        self._vpns = vpns
        self._recipes = recipes
        self._publishes_ports = publishes_ports
        self._shares_machine = shares_machine
        self._forwarding: set[str] = set()
        """VPNs whose forwarded port is assigned to an engine that is being started."""

    def avoid_port(self, port: int, *, for_s: float) -> None:
        """Use another port for a while, because this one is used by another program."""
        self._ports.avoid(port, for_s=for_s)

    def check(self, order: EngineOrder | GenericOrder) -> None:
        """Check an order. Raises Invalid for environment variables that are not allowed."""
        image = self._settings.image
        if isinstance(order, EngineOrder) or self._shares_machine:
            variant = image.variant if isinstance(order, EngineOrder) else ""
            check_names(order.env, allowed_names(variant, image.env_names))
        if self._shares_machine:
            check_arguments(order.env)

    @asynccontextmanager
    async def prepare(
        self, order: EngineOrder, *, vpn: str | None, name: str, mark: str | None
    ) -> AsyncIterator[Prepared]:
        """Prepare a spec that can be started; unassigned reservations are released at the end.

        `vpn` None leaves the choice to the VPNs, if there are any. Raises Blocked if no port or no
        VPN is available, PortInUse if a port that the order fixes is taken, Refused if the custom
        variant names files or addresses of the machine.
        """
        recipe = self._recipes.current()
        if self._shares_machine and recipe.custom is not None:
            check_custom(arguments(recipe.custom, has_port=False))
        vpn = vpn or self._vpns.choose()
        async with self._ports.reserve() as reserved:
            if vpn is not None:
                berth = await self._behind(vpn, order, reserved)
            else:
                berth = await self._on_host(order, reserved)
            spec = build_spec(
                recipe,
                order,
                berth,
                name=name,
                mark=mark,
                publishes_ports=self._publishes_ports,
                new_token=lambda: secrets.token_urlsafe(24),
            )
            if self._shares_machine and is_loopback(self._settings.ports.bind_address):
                command, env = on_loopback(spec.command, spec.env)
                spec = replace(spec, command=command, env=env)
            forwards = vpn is not None and berth.p2p_port is not None
            try:
                yield Prepared(spec, vpn, forwards, reserved)
            finally:
                if forwards:
                    self._forwarding.discard(vpn or "")

    async def _on_host(self, order: EngineOrder, reserved: Reserved) -> Berth:
        settings = self._settings.ports
        fixed_http, fixed_https = ports_fixed_by(order.env)
        wanted = order.host_port
        if wanted is None and not self._publishes_ports:
            wanted = fixed_http
        if wanted is not None:
            host_port = await self._ports.take_host_port(reserved, wanted)
        else:
            host_port = await self._ports.take_host(reserved, settings.host)
        if not self._publishes_ports:
            https = fixed_https or await self._ports.take_host(reserved, settings.https)
            return Berth(host_port, https, host_http_port=host_port)
        # Each container has all ports: any two that differ are sufficient.
        http, https = fixed_http or settings.http.first, fixed_https or settings.https.first
        host_https = None
        if settings.map_https:
            host_https = await self._ports.take_host(reserved, settings.host)
        return Berth(http, https, host_http_port=host_port, host_https_port=host_https)

    async def _behind(self, vpn: str, order: EngineOrder, reserved: Reserved) -> Berth:
        settings = self._settings
        fixed_http, fixed_https = ports_fixed_by(order.env)
        wanted = order.host_port or fixed_http
        if wanted is not None:
            http = await self._ports.take_in_vpn_port(reserved, vpn, wanted)
        else:
            http = await self._ports.take_in_vpn(reserved, vpn, self._range_of(vpn))
        if fixed_https is not None:
            https = await self._ports.take_in_vpn_port(reserved, vpn, fixed_https)
        else:
            https = await self._ports.take_in_vpn(reserved, vpn, settings.ports.https)
        # No await between check and claim: concurrent starts must not both get it.
        p2p_port = self._vpns.forwarded_port(vpn) if vpn not in self._forwarding else None
        if p2p_port is not None:
            self._forwarding.add(vpn)
        return Berth(http, https, vpn=vpn, p2p_port=p2p_port)

    def _range_of(self, vpn: str) -> PortRange:
        settings = self._settings.vpn
        own = settings.port_range_2 if vpn == settings.container_name_2 else settings.port_range_1
        return own or self._settings.ports.host


def is_loopback(address: str) -> bool:
    """Return whether an address is reachable from this machine only."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
