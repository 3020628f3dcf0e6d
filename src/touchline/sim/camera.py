"""The command `touchline simulate rtsp-camera`: an RTSP camera in a separate process.

It prints `ready rtsp://…` once it listens and exits with status 0 on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from touchline.media.picture.testpicture import MIN_HEIGHT, MIN_WIDTH
from touchline.sim.rtsp.misbehaviour import Misbehaviour, misbehaviour_from
from touchline.sim.rtsp.misbehaviour import add_arguments as add_misbehaviour

if TYPE_CHECKING:
    from touchline.sim.rtsp.server import CameraServer

CODECS = ("h264", "h265", "mjpeg")

_RTP_JPEG_LIMIT = 2040
"""RTP has one byte for each side of a JPEG, in units of eight pixels."""


@dataclass(frozen=True)
class CameraOptions:
    """Options of the simulated camera. Times count from the first frame it sends."""

    host: str = "127.0.0.1"
    port: int = 8554
    path: str = "cam"
    name: str = "SIMULATED"
    width: int = 1280
    height: int = 720
    fps: Fraction = Fraction(30)
    bitrate_kbps: int = 4000
    gop_s: float = 1.0
    codec: str = "h264"
    audio: bool = False
    stall_after_s: float | None = None
    stall_for_s: float | None = None
    user: str | None = None
    password: str | None = None
    ledger: Path | None = None
    odd: Misbehaviour = field(default_factory=Misbehaviour)

    def faults(self) -> list[str]:
        """Return one sentence per invalid option, naming it; empty if all are valid."""
        rules = {
            f"--port must be 0 (any free port) to 65535, not {self.port}": not (
                0 <= self.port <= 65535
            ),
            f"--path must be letters, digits, '.', '_', '-' and '/', not {self.path!r}": not (
                _is_plain_path(self.path)
            ),
            f"--width must be even and {MIN_WIDTH} to 7680, not {self.width}": not (
                MIN_WIDTH <= self.width <= 7680 and self.width % 2 == 0
            ),
            f"--height must be even and {MIN_HEIGHT} to 4320, not {self.height}": not (
                MIN_HEIGHT <= self.height <= 4320 and self.height % 2 == 0
            ),
            f"--fps must be 1 to 240, not {self.fps}": not 1 <= self.fps <= 240,
            f"--bitrate must be 100 to 200000 kbit/s, not {self.bitrate_kbps}": not (
                100 <= self.bitrate_kbps <= 200_000
            ),
            f"--gop-s must be more than 0 and at most 60 seconds, not {self.gop_s:g}": not (
                0 < self.gop_s <= 60
            ),
            f"--codec mjpeg reaches {_RTP_JPEG_LIMIT} pixels a side at most": (
                self.codec == "mjpeg" and max(self.width, self.height) > _RTP_JPEG_LIMIT
            ),
            "--stall-after must not be negative": (
                self.stall_after_s is not None and self.stall_after_s < 0
            ),
            "--stall-for must be more than 0 seconds and needs --stall-after": (
                self.stall_for_s is not None
                and (self.stall_for_s <= 0 or self.stall_after_s is None)
            ),
            "--user and --password go together": (self.user is None) != (self.password is None),
            "--user must not contain a colon": ":" in (self.user or ""),
        }
        found = [sentence for sentence, broken in rules.items() if broken]
        return found + self._impossible_codings() + self.odd.faults()

    def _impossible_codings(self) -> list[str]:
        """Return misbehaviour that is impossible with the codec, and invalid picture sizes."""
        odd, found = self.odd, []
        only_h264 = {
            "--aud": odd.aud,
            "--b-pyramid": odd.b_pyramid,
            "--open-gop": odd.open_gop,
            "--recode-after": odd.recode_after is not None,
            "--endless-unit-after": odd.endless_unit_after is not None,
        }
        if self.codec != "h264":
            found += [f"{option} needs --codec h264" for option, on in only_h264.items() if on]
        if self.codec == "mjpeg" and odd.slices != 1:
            found.append("--slices needs --codec h264 or h265")
        for option, size in (("--resize-to", odd.resize_to), ("--second-track", odd.second_track)):
            if size is not None and not (
                MIN_WIDTH <= size[0] <= 7680
                and MIN_HEIGHT <= size[1] <= 4320
                and size[0] % 2 == size[1] % 2 == 0
            ):
                found.append(f"{option} must be even and at least {MIN_WIDTH}x{MIN_HEIGHT}")
        return found

    def stalled(self, sending_s: float) -> bool:
        """Return whether the camera is silent this long after its first frame."""
        if self.stall_after_s is None or sending_s < self.stall_after_s:
            return False
        return self.stall_for_s is None or sending_s < self.stall_after_s + self.stall_for_s


def _is_plain_path(path: str) -> bool:
    return (
        bool(path)
        and not path.startswith("/")
        and all(char.isascii() and (char.isalnum() or char in "._-/") for char in path)
    )


def _rate(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a rate; give a number or a fraction such as 30000/1001"
        ) from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `simulate rtsp-camera` to a parser."""
    given = CameraOptions()
    add = parser.add_argument
    add("--port", type=int, required=True, help="TCP port to listen on; 0 for any free port")
    add("--host", default=given.host, help="address to listen on (default %(default)s)")
    add("--path", default=given.path, help="path of the stream's URL (default %(default)s)")
    add("--name", default=given.name, help="name burnt into the picture (default %(default)s)")
    add("--width", type=int, default=given.width, help="width in pixels (default %(default)s)")
    add("--height", type=int, default=given.height, help="height in pixels (default %(default)s)")
    add("--fps", type=_rate, default=given.fps, help="frames a second (default %(default)s)")
    add("--bitrate", type=int, default=given.bitrate_kbps, help="kbit/s (default %(default)s)")
    add("--gop-s", type=float, default=given.gop_s, help="keyframe distance in s (%(default)s)")
    add("--codec", choices=CODECS, default=given.codec, help="codec (default %(default)s)")
    add("--audio", action="store_true", help="add an audio track with a tone")
    add("--stall-after", type=float, metavar="S", help="stop sending frames after S seconds")
    add("--stall-for", type=float, metavar="S", help="send frames again after S seconds of silence")
    add("--user", help="user name required from clients")
    add("--password", help="password required from clients")
    add("--ledger", type=Path, metavar="FILE", help="append each delivered frame as a JSON line")
    add_misbehaviour(parser)


def options_from(args: argparse.Namespace) -> CameraOptions:
    """Return the parsed options, not yet validated."""
    return CameraOptions(
        host=args.host,
        port=args.port,
        path=args.path,
        name=args.name,
        width=args.width,
        height=args.height,
        fps=args.fps,
        bitrate_kbps=args.bitrate,
        gop_s=args.gop_s,
        codec=args.codec,
        audio=args.audio,
        stall_after_s=args.stall_after,
        stall_for_s=args.stall_for,
        user=args.user,
        password=args.password,
        ledger=args.ledger,
        odd=misbehaviour_from(vars(args)),
    )


def run(args: argparse.Namespace) -> int:
    """Serve until a signal; return 0 after a signal, 1 for a failure, 2 for invalid options."""
    options = options_from(args)
    if faults := options.faults():
        for fault in faults:
            print(f"rtsp-camera: {fault}", file=sys.stderr)
        return 2
    from touchline.sim.rtsp.server import CannotServe, serve

    try:
        serve(build(options, keep=False))
    except (CannotServe, OSError) as error:
        print(f"rtsp-camera: {error}", file=sys.stderr)
        return 1
    return 0


def build(options: CameraOptions, *, keep: bool = True) -> CameraServer:
    """Create the camera without starting it; `keep` also holds its ledger in memory.

    Raises CannotServe if this machine lacks the encoder, OSError for a ledger it cannot open.
    """
    from touchline.sim.rtsp.ledger import Ledger
    from touchline.sim.rtsp.media.encoder import Coding
    from touchline.sim.rtsp.servedcamera import ListenAddress, ServedCamera
    from touchline.sim.rtsp.server import CameraServer, CannotServe

    odd = options.odd
    user, password = options.user, options.password
    ledger = Ledger(options.ledger, keep=keep)
    try:
        camera = ServedCamera(
            Coding(
                codec=options.codec,
                width=options.width,
                height=options.height,
                fps=options.fps,
                bitrate_kbps=options.bitrate_kbps,
                gop_s=options.gop_s,
                b_frames=odd.b_frames,
                b_pyramid=odd.b_pyramid,
                open_gop=odd.open_gop,
                slices=odd.slices,
                aud=odd.aud,
            ),
            ListenAddress(
                options.host,
                options.port,
                options.path,
                None if user is None or password is None else (user, password),
            ),
            name=options.name,
            audio=options.audio,
            stalled=options.stalled,
            odd=odd,
            ledger=ledger,
        )
    except ValueError as error:
        raise CannotServe(str(error)) from error
    return CameraServer(camera)


def main(argv: list[str] | None = None) -> int:
    """Parse `argv` and run the command."""
    parser = argparse.ArgumentParser(prog="rtsp-camera", description="A simulated RTSP camera.")
    add_arguments(parser)
    return run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
