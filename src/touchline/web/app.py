"""The HTTP application of one system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from touchline import __version__
from touchline.core.worklimits import WorkLimits
from touchline.ipc.attempts import Attempts
from touchline.web.auth.access import Access, decide_access
from touchline.web.auth.auth import PRIVATE, PRIVATE_MEDIA, Authenticator, ClosedReads
from touchline.web.auth.cors import make_cors
from touchline.web.auth.guard import Guard, SameOriginMedia
from touchline.web.auth.medialinks import media_scope
from touchline.web.auth.sessions import BrowserSessions
from touchline.web.auth.signing import Signer
from touchline.web.description import (
    ANY_SERVER,
    AS_MEDIA,
    BY_KEY,
    KeyRules,
    Security,
    described,
)
from touchline.web.files import dashboard
from touchline.web.http.errors import LastResort, install_errors
from touchline.web.http.routes import DirectRoutes
from touchline.web.http.telemetry import Telemetry
from touchline.web.http.work import BUDGETS
from touchline.web.routes import events, links, service, session
from touchline.web.routes.capture import (
    clips,
    cloud,
    diagnostics,
    library,
    matches,
    panorama,
    preview,
    processing,
    recording,
    trash,
    whep,
)
from touchline.web.routes.engines import engines, orchestrator, provisioning, streams, variants
from touchline.web.routes.engines.cached import CachedAnswers
from touchline.web.server.limits import AddressLimit, BodyLimit, PlainPaths
from touchline.web.websocket.sockets import make_hub
from touchline.web.websocket.sockets import router as websocket

if TYPE_CHECKING:
    from touchline.system import System

MAX_BODY_BYTES = 64 * 1024
"""Maximum size of a request body; the largest useful one has a few hundred bytes."""

FILE_READS = 8
"""Number of threads that read files for downloads; a stalled disk blocks only these."""

ROUTERS = (
    engines.router,
    streams.reports,
    streams.router,
    service.router,
    session.router,
    links.router,
    recording.router,
    preview.router,
    preview.hls,
    whep.router,
    diagnostics.router,
    provisioning.router,
    orchestrator.router,
    variants.router,
    events.router,
    library.router,
    matches.router,
    trash.router,
    clips.router,
    panorama.router,
    processing.router,
    cloud.router,
)
"""Routes are matched in this order: first those that proxies request most often."""


def create_app(system: System) -> FastAPI:
    """Return the application that serves `system`; it opens and closes nothing itself.

    Its WebSocket accepts connections while `app.state.hub` is open.
    """
    settings = system.settings
    access = decide_access(settings)
    files = dashboard.load()
    way_in = dashboard.open_paths(files) | {session.PATH}

    def is_open(path: str) -> bool:
        return path in way_in or dashboard.is_old(path) or path in ClosedReads.OPEN

    closes_reads = settings.auth.reads and access.key is not None
    app = bare_app(key_rules(access, is_open if closes_reads else None))
    app.state.system = system
    signer = None if access.key is None else Signer(access.key)
    sessions = BrowserSessions(system.database, "" if signer is None else signer.key_id)
    gate = Authenticator(
        access, sessions=sessions, signer=signer, events=system.events, attempts=Attempts()
    )
    app.state.gate = gate
    app.state.sessions = sessions
    app.state.reads = anyio.CapacityLimiter(FILE_READS)
    app.state.checks = anyio.CapacityLimiter(1)
    app.state.hub = make_hub(system)
    app.state.cached_answers = CachedAnswers()
    app.state.work = WorkLimits(BUDGETS)
    app.state.work.count_into(system.metrics)

    _add_routes(app, websocket, dashboard.routes(files))
    install_errors(app, _methods_by_path(ROUTERS))

    # The middleware added last sees a request first.
    origins = settings.auth.cors_origins
    app.add_middleware(
        DirectRoutes, routes=app.router.routes, error_handlers=app.exception_handlers
    )
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    app.add_middleware(PlainPaths)
    if closes_reads:
        app.add_middleware(ClosedReads, gate=gate, is_open=is_open)
    page = files.get(dashboard.PAGE)
    if page is not None:
        app.add_middleware(dashboard.Page, page=page)
    app.add_middleware(Guard, hosts=access.hosts, origins=origins)
    app.add_middleware(AddressLimit, most=settings.http.max_connections_per_address)
    app.add_middleware(LastResort)
    if access.key is None:
        app.add_middleware(SameOriginMedia)
    if origins:
        make_cors(app, origins)
    app.add_middleware(Telemetry, metrics=system.metrics)
    return app


def bare_app(rules: KeyRules = ANY_SERVER) -> FastAPI:
    """Return the API's routes without a system behind them, for describing the API."""
    app = FastAPI(
        title="touchline",
        version=__version__,
        summary="Match-day video server: records cameras and runs a fleet of streaming engines.",
        # The pages would load scripts from another site; the schema is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # served by what `described` adds
    )
    _add_routes(app, *ROUTERS)
    return described(app, rules)


def key_rules(access: Access, is_open: Callable[[str], bool] | None) -> KeyRules:
    """Return the access rules for the description; `is_open` is given if reads need the key."""
    private = {
        (route.path, method.lower())
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and {PRIVATE, PRIVATE_MEDIA} & {*route.dependencies}
        for method in route.methods or ()
    }

    def security_of(path: str, method: str) -> Security | None:
        closed = is_open is not None and not is_open(path)
        if not closed and not (access.on_network and (path, method) in private):
            return None
        return BY_KEY if media_scope(path, "") is None else AS_MEDIA

    return KeyRules(access.key is not None, security_of)


def _add_routes(app: FastAPI, *routers: APIRouter) -> None:
    """Add the routers' routes to the application as they are.

    `include_router` would create every route again at the first request, and search router by
    router.
    """
    for router in routers:
        app.router.routes.extend(router.routes)


def _methods_by_path(routers: tuple[APIRouter, ...]) -> dict[str, set[str]]:
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                methods[route.path] |= route.methods or set()
    return dict(methods)
