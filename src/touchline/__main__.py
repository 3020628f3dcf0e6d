"""The command `touchline`: `serve`, `demo`, `check` and `simulate`.

Exit status: 0 after a regular stop, 1 for a failure, 2 for invalid options or settings.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchline import __version__

if TYPE_CHECKING:
    from touchline.settings import Settings

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
DATA_DIR = "~/.local/share/touchline"
DEMO_DATA_DIR = "~/.local/share/touchline-demo"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    words = sys.argv[1:] if argv is None else argv
    args = _parser(simulates="simulate" in words).parse_args(words)
    from touchline.core.errors import Invalid, TouchlineError
    from touchline.foreign.text import shown

    try:
        return int(args.run(args))
    except KeyboardInterrupt:  # before the server handles signals
        return INTERRUPTED
    except Exception as error:  # touchline's own errors are printed, others raised
        ours = _ours(error, TouchlineError)
        if ours is None:
            raise
        print(f"touchline: {shown(ours.message)}", file=sys.stderr)
        return WRONG_USE if isinstance(ours, Invalid) else FAILED


def _parser(*, simulates: bool) -> argparse.ArgumentParser:
    """Build the parser; modules of simulated devices are only loaded if one `simulates`."""
    parser = argparse.ArgumentParser(prog="touchline", description="Match-day video server.")
    parser.add_argument("--version", action="version", version=f"touchline {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the server with the configured cameras")
    serve.set_defaults(run=_serve, defaults=dict)
    demo = commands.add_parser(
        "demo",
        help="run the server with two simulated cameras",
        description="Run the server with two simulated cameras and a separate data directory;"
        " takes the flags of serve.",
    )
    demo.set_defaults(run=_serve, defaults=_demo_defaults)
    check = commands.add_parser("check", help="check whether this machine is ready")
    check.set_defaults(run=_check)
    for command in (serve, demo, check):
        add = command.add_argument
        add("--config", type=Path, metavar="FILE", help="settings file (TOML)")
        data_dir = DEMO_DATA_DIR if command is demo else DATA_DIR
        add("--data", metavar="DIR", help=f"directory of recordings, logs and state ({data_dir})")
    for command in (serve, demo):
        command.add_argument("--host", help="address to listen on (127.0.0.1)")
        command.add_argument(
            "--port", type=int, help="port to listen on (8000); 0 picks a free one"
        )
    check.add_argument("--json", action="store_true", help="print the result as JSON")

    simulate = commands.add_parser("simulate", help="run simulated devices")
    devices = simulate.add_subparsers(required=True, metavar="DEVICE")
    if simulates:
        _add_simulated_camera(devices)
        _add_simulated_engine(devices)
        _add_simulated_vpn(devices)
    return parser


def _add_simulated_camera(devices: Any) -> None:
    from touchline.sim import camera

    rtsp = devices.add_parser("rtsp-camera", help="RTSP camera")
    camera.add_arguments(rtsp)
    rtsp.set_defaults(run=camera.run)


def _add_simulated_engine(devices: Any) -> None:
    from touchline.sim import engine

    simulated = devices.add_parser("engine", help="streaming engine")
    engine.add_arguments(simulated)
    simulated.set_defaults(run=lambda args: engine.run(engine.options_of(args, os.environ)))


def _add_simulated_vpn(devices: Any) -> None:
    from touchline.sim import vpn

    simulated = devices.add_parser("vpn", help="control server of a VPN container")
    vpn.add_arguments(simulated)
    simulated.set_defaults(run=vpn.run)


def _serve(args: argparse.Namespace) -> int:
    # Objects loaded at startup live as long as the process; collecting garbage would take a tenth
    # of the time. The server enables collection again once it is complete.
    gc.disable()
    settings = _settings(args, args.defaults())
    os.umask(settings.capture.umask)  # not the caller's; private files have their own mode
    if not settings.engines_configured:
        settings.capture.require_cameras()  # no engines either: report it before the start

    import anyio

    from touchline.core.logs import open_logs
    from touchline.server import serve

    log = settings.log
    with open_logs(log.level, directory=settings.log_dir, format=log.format):
        for notice in settings.notices:
            logging.getLogger("touchline").warning("%s", notice)
        anyio.run(serve, settings)
    return 0


def _check(args: argparse.Namespace) -> int:
    from touchline.check import check, print_findings

    settings = _settings(args, {})
    os.umask(settings.capture.umask)
    findings = check(settings)
    print_findings(findings, as_json=args.json)
    return FAILED if any(finding.state == "missing" for finding in findings) else 0


def _settings(args: argparse.Namespace, defaults: Mapping[str, Any]) -> Settings:
    from touchline.settings import load_settings

    flags = {
        "host": getattr(args, "host", None),
        "port": getattr(args, "port", None),
        "data_dir": args.data,
    }
    return load_settings(
        flags=flags,
        environ=os.environ,
        config=args.config,
        dotenv=Path(".env"),
        defaults=defaults,
    )


def _demo_defaults() -> dict[str, Any]:
    from touchline.capture import DEMO_CAMERAS
    from touchline.engines import demo_engines

    return {
        "data_dir": DEMO_DATA_DIR,
        "capture": {"cameras": DEMO_CAMERAS, "preview_while_recording": True},
        "engines": demo_engines(),
    }


def _ours(error: BaseException, kind: type[Any]) -> Any:
    """Return touchline's error to report: the exception itself, or the first in a group."""
    if isinstance(error, kind):
        return error
    # Task groups wrap errors of their tasks. A group with any other error is a bug: None.
    inner = [_ours(each, kind) for each in getattr(error, "exceptions", ())]
    return inner[0] if inner and None not in inner else None


if __name__ == "__main__":
    sys.exit(main())
