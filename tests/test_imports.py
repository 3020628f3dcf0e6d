"""What each package may import: everything that has no row here is forbidden."""

from __future__ import annotations

import sys
from functools import cache

import grimp
import pytest

ALLOWED: dict[str, set[str]] = {
    "touchline": set(),
    "touchline.backoff": set(),
    "touchline.foreign": set(),
    "touchline.media": {"touchline.foreign"},
    "touchline.ipc": {"touchline.media", "touchline.foreign"},
    "touchline.worker": {"touchline", "touchline.ipc", "touchline.media", "gi"},
    "touchline.live": {
        "touchline.backoff",
        "touchline.ipc",
        "touchline.media",
        "touchline.foreign",
        "aiortc",
        "av",
        "OpenSSL",
    },
    "touchline.studio": {
        "touchline.ipc",
        "touchline.media",
        "touchline.foreign",
        "numpy",
        "cv2",
        "scipy",
        "av",
        "boto3",
        "botocore",
        "urllib3",
    },
    "touchline.core": {
        "touchline.backoff",
        "touchline.foreign",
        "anyio",
        "sqlalchemy",
        "alembic",
        "prometheus_client",
        "pydantic",
        "pydantic_core",
        "pythonjsonlogger",
        "typing_extensions",
    },
    "touchline.finding": set(),
    "touchline.capture": {
        "touchline.backoff",
        "touchline.core",
        "touchline.finding",
        "touchline.ipc",
        "touchline.media",
        "touchline.foreign",
        "anyio",
        "psutil",
        "pydantic",
        "pydantic_core",
        "typing_extensions",
        "zipstream",
    },
    "touchline.engines": {
        "touchline.backoff",
        "touchline.core",
        "touchline.foreign",
        "aiodocker",
        "aiohttp",
        "anyio",
        "psutil",
        "pydantic",
        "typing_extensions",
    },
    "touchline.settings": {
        "touchline.capture",
        "touchline.core",
        "touchline.engines",
        "dotenv",
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
    },
    "touchline.system": {
        "touchline.capture",
        "touchline.core",
        "touchline.engines",
        "touchline.settings",
        "anyio",
    },
    "touchline.listen": {"touchline.core"},
    "touchline.cameracheck": {"touchline.finding", "touchline.settings"},
    "touchline.check": {
        "touchline.cameracheck",
        "touchline.capture",
        "touchline.core",
        "touchline.engines",
        "touchline.finding",
        "touchline.foreign",
        "touchline.ipc",
        "touchline.listen",
        "touchline.media",
        "touchline.settings",
        "touchline.system",
    },
    "touchline.web": {
        "touchline",
        "touchline.capture",
        "touchline.check",
        "touchline.core",
        "touchline.engines",
        "touchline.finding",
        "touchline.foreign",
        "touchline.ipc",
        "touchline.listen",
        "touchline.settings",
        "touchline.system",
        "anyio",
        "fastapi",
        "httptools",
        "itsdangerous",
        "pydantic",
        "pydantic_core",
        "starlette",
        "typing_extensions",
        "uvicorn",
    },
    "touchline.server": {
        "touchline",
        "touchline.core",
        "touchline.listen",
        "touchline.settings",
        "touchline.system",
        "touchline.web",
        "anyio",
        "uvicorn",
    },
    "touchline.__main__": {
        "touchline",
        "touchline.capture",
        "touchline.check",
        "touchline.core",
        "touchline.engines",
        "touchline.foreign",
        "touchline.server",
        "touchline.settings",
        "touchline.sim",
        "anyio",
    },
    "touchline.client": {"aiohttp", "yarl"},
    "touchline.sim": {"touchline.media", "av", "cv2", "numpy"},
}
"""By package: other packages of touchline and libraries. The standard library is for everybody."""

HOMES: dict[str, set[str]] = {
    "aiodocker": {"touchline.engines.runtimes.docker"},
    "aiohttp": {"touchline.client", "touchline.engines.http"},
    "aiortc": {"touchline.live.webrtc"},
    "alembic": {"touchline.core.database.migrations"},
    "boto3": {"touchline.studio.verbs.upload"},
    "gi": {"touchline.worker"},
    "httptools": {"touchline.web.server"},
    "itsdangerous": {"touchline.web.auth"},
    "pythonjsonlogger": {"touchline.core.logs"},
    "psutil": {"touchline.capture.host", "touchline.engines.model"},
    "sqlalchemy": {"touchline.core.database"},
    "zipstream": {"touchline.capture.library"},
}
"""Libraries that only some modules of their package may name."""


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("touchline", include_external_packages=True, cache_dir=None)


def package_of(module: str) -> str:
    """Return the part of touchline that a module belongs to, or the name of a library."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "touchline" else parts[0]


def imports() -> list[tuple[str, str]]:
    return sorted(
        (module, imported)
        for module in graph().modules
        if module.startswith("touchline")
        for imported in graph().find_modules_directly_imported_by(module)
        if imported.split(".")[0] not in sys.stdlib_module_names
    )


def test_every_package_has_a_row() -> None:
    assert {package_of(module) for module, _ in imports()} <= set(ALLOWED)
    assert {package_of(m) for m in graph().modules if m.startswith("touchline")} == set(ALLOWED)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_a_package_imports_what_its_row_allows(package: str) -> None:
    forbidden = [
        f"{module} imports {imported}"
        for module, imported in imports()
        if package_of(module) == package
        and package_of(imported) not in {package, *ALLOWED[package]}
    ]
    assert not forbidden


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_library_is_named_in_its_home_only(library: str) -> None:
    importers = {module for module, imported in imports() if package_of(imported) == library}
    assert importers
    assert not {
        module
        for module in importers
        if not any(module == home or module.startswith(f"{home}.") for home in HOMES[library])
    }
