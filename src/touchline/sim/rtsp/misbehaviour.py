"""Misbehaviour of a simulated camera: one option for each kind, none by default.

Times count in seconds from the first frame: for encoding from the camera's first, for a connection
from the connection's first. With `--on-signal` they count from SIGUSR1.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

Size = tuple[int, int]

STATUSES = range(300, 600)
METHODS = (
    "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "SET_PARAMETER", "TEARDOWN",
)  # fmt: skip


@dataclass(frozen=True)
class Option:
    """Command line option of a field, with its valid values."""

    group: str
    help: str
    parse: Callable[[str], Any] | None = None
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    needs: str = ""
    """The option that this one requires."""


def size(text: str) -> Size:
    """Parse `WIDTHxHEIGHT`."""
    width, cross, height = text.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and len(text) < 12):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 640x360")
    return int(width), int(height)


def refusal(text: str) -> tuple[str, int]:
    """Parse `METHOD=STATUS`."""
    method, _, status = text.partition("=")
    if method not in METHODS or not status.isdecimal() or int(status[:4]) not in STATUSES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a refusal such as PLAY=453")
    return method, int(status)


def _flag(group: str, text: str, *, needs: str = "") -> Any:
    return field(default=False, metadata={"option": Option(group, text, needs=needs)})


def _choice(group: str, text: str, *choices: str) -> Any:
    """Define an option with choices; the first is correct behaviour."""
    option = Option(group, f"{text} (default {choices[0]})", choices=choices)
    return field(default=choices[0], metadata={"option": option})


def _seconds(group: str, text: str, *, needs: str = "", least: float = 0, most: float = 1e6) -> Any:
    option = Option(group, text, float, "S", least=least, most=most, needs=needs)
    return field(default=None, metadata={"option": option})


def _number(
    group: str, text: str, least: int, most: int, default: int | None = None, needs: str = ""
) -> Any:
    option = Option(group, text, int, "N", least=least, most=most, needs=needs)
    return field(default=default, metadata={"option": option})


_CODING = "coding"
_RTP = "RTP and RTCP"
_RTSP = "RTSP answers"
_SESSION = "sessions and connections"
_AUTH = "signing in"
_DESCRIPTION = "description"


@dataclass(frozen=True)
class Misbehaviour:
    """All kinds of misbehaviour. The defaults are a correct camera."""

    # ------------------------------------------------------------------ coding
    b_frames: int = _number(_CODING, "B-frames between reference frames", 0, 8, 0)
    b_pyramid: bool = _flag(_CODING, "B-frames refer to B-frames", needs="b_frames")
    open_gop: bool = _flag(_CODING, "keyframes are not IDR pictures", needs="b_frames")
    slices: int = _number(_CODING, "slices in a picture", 1, 16, 1)
    aud: bool = _flag(_CODING, "begin each picture with an access unit delimiter")
    parameter_sets: str = _choice(
        _CODING, "where parameter sets are sent", "both", "sdp", "band", "each-frame"
    )
    resize_after: float | None = _seconds(
        _CODING, "change the picture size after S seconds", needs="resize_to"
    )
    resize_to: Size | None = field(
        default=None,
        metadata={"option": Option(_CODING, "to this size", size, "WxH", needs="resize_after")},
    )
    recode_after: float | None = _seconds(
        _CODING, "change the parameter sets, not the size, after S seconds"
    )
    rate_after: float | None = _seconds(
        _CODING, "change the frame rate after S seconds", needs="rate_to"
    )
    rate_to: int | None = _number(_CODING, "to N frames a second", 1, 240, needs="rate_after")
    first_keyframe_after: float | None = _seconds(
        _CODING, "send no keyframe to a new client for S seconds", most=60
    )
    endless_unit_after: float | None = _seconds(
        _CODING, "begin a picture that never ends after S seconds"
    )
    endless_unit: str = _choice(
        _CODING, "what the endless picture consists of", "fragments", "slices", "aggregates"
    )
    # --------------------------------------------------------------------- RTP
    markers: str = _choice(_RTP, "which packets have the marker bit", "last", "each-slice", "none")
    double_stamp_every: int | None = _number(
        _RTP, "every N-th frame repeats the previous time stamp", 2, 10_000
    )
    constant_stamps: bool = _flag(_RTP, "all frames have the same time stamp")
    stamp_start: int | None = _number(_RTP, "first time stamp (default random)", 0, 2**32 - 1)
    stamp_jump_after: float | None = _seconds(
        _RTP, "time stamps jump after S seconds", needs="stamp_jump_s"
    )
    stamp_jump_s: float | None = _seconds(
        _RTP, "by S seconds; negative jumps back", least=-1e6, needs="stamp_jump_after"
    )
    drift_ppm: int = _number(_RTP, "the camera's clock is N ppm too fast", -100_000, 100_000, 0)
    ssrc_after: float | None = _seconds(_RTP, "change the SSRC after S seconds")
    ssrc_each_keyframe: bool = _flag(_RTP, "change the SSRC with each keyframe")
    ssrc_new_stamps: bool = _flag(_RTP, "restart the time stamps with a new SSRC")
    second_source: str = _choice(
        _RTP, "what another SSRC sends on the same channel", "none", "stream", "metadata"
    )
    sequence_start: int | None = _number(_RTP, "first sequence number (random)", 0, 65_535)
    sequence_jump_after: float | None = _seconds(
        _RTP, "sequence numbers jump after S seconds although nothing is lost"
    )
    payload_type: int = _number(_RTP, "payload type of the picture", 96, 127, 96)
    padding: int = _number(_RTP, "pad each packet with N bytes", 0, 255, 0)
    extension: str = _choice(
        _RTP, "header extension of each packet", "none", "one-byte", "two-byte", "onvif"
    )
    csrc: int = _number(_RTP, "contributing sources listed in each packet", 0, 15, 0)
    packing: str = _choice(
        _RTP, "how units are packed into packets", "plain", "aggregate", "fragment", "whole"
    )
    packet_bytes: int = _number(_RTP, "largest payload of a packet", 64, 60_000, 1400)
    lose_every: int | None = _number(_RTP, "lose every N-th packet", 2, 1_000_000)
    reorder_every: int | None = _number(_RTP, "swap every N-th packet with the next", 2, 1_000_000)
    duplicate_every: int | None = _number(_RTP, "send every N-th packet twice", 1, 1_000_000)
    sender_reports: str = _choice(_RTP, "sender reports", "right", "none", "wrong-clock")
    bye_after: float | None = _seconds(_RTP, "send RTCP BYE and nothing more after S seconds")
    # ---------------------------------------------------------------- sessions
    on_signal: bool = _flag(_SESSION, "timed misbehaviour starts at SIGUSR1")
    hold_after: float | None = _seconds(
        _SESSION, "hold all output back after S seconds", needs="hold_for"
    )
    hold_for: float | None = _seconds(
        _SESSION, "for S seconds, then deliver it at once", most=60, needs="hold_after"
    )
    hold_every: float | None = _seconds(
        _SESSION, "and again every S seconds", least=0.01, needs="hold_for"
    )
    silent_for: float | None = _seconds(_SESSION, "send nothing for S seconds after PLAY")
    close_after: float | None = _seconds(_SESSION, "close the connection after S seconds")
    close_how: str = _choice(_SESSION, "how it is closed", "end", "reset")
    max_clients: int | None = _number(_SESSION, "answer 453 to clients beyond the N-th", 1, 1000)
    session_timeout: int | None = _number(
        _SESSION, "drop a session after N s without a keep-alive", 1, 3600
    )
    alive_by: str = _choice(
        _SESSION, "what counts as a keep-alive",
        "any", "requests", "get_parameter", "set_parameter", "options",
    )  # fmt: skip
    ask_client_every: float | None = _seconds(
        _SESSION, "send the client a request every S seconds", least=0.01
    )
    stray_bytes: int = _number(_SESSION, "bytes between interleaved packets", 0, 10_000, 0)
    stray_channel: bool = _flag(_SESSION, "send packets on a channel that was not set up")
    transports: str = _choice(_SESSION, "supported transports", "both", "tcp", "udp")
    channels: str = _choice(_SESSION, "interleaved channels", "asked", "other")
    media_before_answer: bool = _flag(_SESSION, "send packets before the response to PLAY")
    # -------------------------------------------------------------------- RTSP
    answer_after: float = field(
        default=0.0,
        metadata={
            "option": Option(_RTSP, "delay responses by S seconds", float, "S", least=0, most=3600)
        },
    )
    refuse: tuple[tuple[str, int], ...] = field(
        default=(),
        metadata={"option": Option(_RTSP, "refuse a method", refusal, "METHOD=STATUS")},
    )
    refuse_times: int | None = _number(_RTSP, "refuse only N times", 1, 10**6, needs="refuse")
    public: str = _choice(_RTSP, "methods that OPTIONS lists", "supported", "all", "missing")
    redirect: str | None = field(
        default=None,
        metadata={
            "option": Option(_RTSP, "redirect DESCRIBE: a URL, `self` or `endless`", str, "WHERE")
        },
    )
    huge_header: int = _number(_RTSP, "add a header of N bytes", 0, 2**30, 0)
    endless_answer: str = _choice(
        _RTSP, "part of the DESCRIBE response that never ends", "none", "headers", "body"
    )
    split_answers: int | None = _number(_RTSP, "send responses in pieces of N bytes", 1, 65_536)
    cseq: str = _choice(_RTSP, "CSeq of responses", "right", "missing", "wrong")
    content_base: str = _choice(_RTSP, "Content-Base", "right", "missing", "no-slash", "other-host")
    rtp_info: str = _choice(_RTSP, "RTP-Info", "right", "missing", "wrong")
    session_header: str = _choice(
        _RTSP, "Session header", "timeout", "plain", "spaces", "long", "new-each-time"
    )
    transport_header: str = _choice(_RTSP, "Transport header", "full", "short")
    header_case: str = _choice(_RTSP, "case of header names", "usual", "lower", "upper")
    line_end: str = _choice(_RTSP, "line ends", "crlf", "lf")
    no_reason: bool = _flag(_RTSP, "status lines without a reason")
    no_teardown_answer: bool = _flag(_RTSP, "do not answer TEARDOWN")
    # ------------------------------------------------------------- description
    second_track: Size | None = field(
        default=None,
        metadata={"option": Option(_DESCRIPTION, "offer a second video track", size, "WxH")},
    )
    second_first: bool = _flag(_DESCRIPTION, "and list it first", needs="second_track")
    tracks_alternate: bool = _flag(
        _DESCRIPTION, "change the tracks' order with each DESCRIBE", needs="second_track"
    )
    sdp_size: str = _choice(
        _DESCRIPTION, "attribute with the size", "x-dimensions", "framesize", "cliprect", "none"
    )
    sdp_rate: str = _choice(_DESCRIPTION, "attribute with the frame rate", "right", "none", "wrong")
    control: str = _choice(
        _DESCRIPTION, "control URLs of the tracks", "relative", "absolute", "path", "star"
    )
    huge_sdp: int = _number(_DESCRIPTION, "add N bytes of unknown attributes", 0, 2**30, 0)
    metadata_track: bool = _flag(_DESCRIPTION, "list an ONVIF metadata track first")
    # -------------------------------------------------------------- authentication
    auth: str = _choice(
        _AUTH, "offered schemes",
        "basic", "digest", "digest-sha256", "digest-both", "basic-and-digest",
    )  # fmt: skip
    qop: str = _choice(_AUTH, "qop of the digest", "auth", "none", "auth,auth-int")
    stale_nonce_every: int | None = _number(_AUTH, "each nonce serves N requests", 1, 10_000)
    lock_after: int | None = _number(_AUTH, "answer 403 to all after N failed logins", 1, 10_000)
    lock_for: float | None = _seconds(_AUTH, "for S seconds (default for ever)", needs="lock_after")

    def faults(self) -> list[str]:
        """Return one sentence per invalid option, naming it."""
        found = []
        for each in fields(self):
            option, value = option_of(each), getattr(self, each.name)
            if value == each.default:
                continue
            if option.needs and getattr(self, option.needs) in {None, False, ()}:
                found.append(f"{flag(each.name)} needs {flag(option.needs)}")
            if option.choices and value not in option.choices:
                found.append(f"{flag(each.name)} must be one of {', '.join(option.choices)}")
            least, most = option.least, option.most
            if least is not None and most is not None and not least <= value <= most:
                found.append(f"{flag(each.name)} must be {least:g} to {most:g}, not {value}")
        return found

    def refused(self, method: str) -> int | None:
        """Return the status with which a method is refused, if any."""
        return dict(self.refuse).get(method)


def option_of(each: Any) -> Option:
    """Return the option of a field of Misbehaviour."""
    option: Option = each.metadata["option"]
    return option


def flag(name: str) -> str:
    """Return the option's name on the command line."""
    return f"--{name.replace('_', '-')}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one option for each misbehaviour, in groups."""
    groups: dict[str, Any] = {}
    for each in fields(Misbehaviour):
        option = option_of(each)
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(f"misbehaviour: {option.group}")
        more: dict[str, Any] = {"help": option.help.replace("%", "%%"), "default": each.default}
        if each.default is False:
            more["action"] = "store_true"
        elif option.choices:
            more["choices"] = option.choices
        elif each.name == "refuse":
            more |= {"action": "append", "type": option.parse, "metavar": option.metavar}
            more["default"] = None
        else:
            more |= {"type": option.parse, "metavar": option.metavar}
        groups[option.group].add_argument(flag(each.name), **more)


def misbehaviour_from(given: Mapping[str, Any]) -> Misbehaviour:
    """Build the misbehaviour from options; missing ones keep their default."""
    values = {}
    for each in fields(Misbehaviour):
        value = given.get(each.name, each.default)
        if each.name == "refuse":
            value = tuple(value or ())
        values[each.name] = value
    return Misbehaviour(**values)
