"""A viewer's SDP offer and the answer to it: one H.264 stream, sent only.

Pure text in, text out. The payload type, its retransmission type and the feedback come from the
offer, because every browser numbers them differently.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from touchline.foreign.numbers import whole

_TOKEN = re.compile(r"[!-~]+")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}", re.ASCII)
LARGEST_TYPE = 127
MOST_CANDIDATE_CHARS = 1000
_ICE_NAME = re.compile(r"[A-Za-z0-9+/]{4,256}")
_HIGH = 2
_FEEDBACK = ("nack", "nack pli")
"""Supported feedback. Nothing is re-encoded, so bandwidth estimates are not requested."""

_LOCAL_SETUP = {"actpass": "passive", "active": "passive", "passive": "active"}
"""DTLS role of the server by the viewer's offer (RFC 8842, 5.3).

With `actpass` the viewer, which receives the answer last, is the client and starts the handshake.
"""

MAX_LINES = 4000
"""A browser's offer with audio, video and data has about 300."""


class BadOffer(ValueError):
    """The offer cannot be answered; the message says why."""


class NotAcceptable(BadOffer):
    """The offer is valid but requires something unsupported."""


@dataclass(frozen=True)
class OfferedFormat:
    """An H.264 format of the offer: its payload types and what the viewer says it decodes."""

    payload_type: int
    rtx_payload_type: int | None
    parameters: Mapping[str, str]
    feedback: tuple[str, ...]

    @property
    def fragments(self) -> bool:
        """Whether a picture may be split into several packets (packetization-mode 1)."""
        return self.parameters.get("packetization-mode", "0") == "1"

    @property
    def profile(self) -> bytes:
        """profile_idc, constraint flags and level_idc; the default of RFC 6184 if none is given."""
        try:
            named = bytes.fromhex(self.parameters.get("profile-level-id", "42000a"))
        except ValueError:
            named = b""
        return named if len(named) == 3 else bytes.fromhex("42000a")


@dataclass(frozen=True)
class Section:
    """One `m=` section of the offer."""

    kind: str
    protocol: str
    formats: str
    mid: str | None
    lines: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Offer:
    """A viewer's offer, reduced to what sending one video stream requires."""

    sections: tuple[Section, ...]
    video: int
    bundled: bool
    ice_username: str
    ice_password: str
    fingerprints: tuple[tuple[str, str], ...]
    formats: tuple[OfferedFormat, ...]
    candidates: tuple[str, ...]
    setup: str
    """DTLS roles that the viewer accepts: `active`, `passive` or `actpass`."""

    @property
    def dtls_client(self) -> bool:
        """Whether the viewer leaves the client's role to the server."""
        return _LOCAL_SETUP[self.setup] == "active"

    def choose(self, profile: bytes | None) -> OfferedFormat:
        """Return the format that suits a stream of this profile best.

        `profile` is profile_idc, flags and level_idc. A format with the stream's profile or the
        next higher one is preferred, otherwise the highest: decoders use the stream's own parameter
        sets, and known ones decode more than they announce. Formats beyond high (4:2:2, 4:4:4) are
        only for streams of that kind: browsers decode them without hardware support.
        """
        wanted = _rank(profile) if profile is not None else 0

        def suits(candidate: OfferedFormat) -> tuple[bool, bool, bool, int]:
            rank = _rank(candidate.profile)
            usual = rank <= max(wanted, _HIGH)
            enough = rank >= wanted
            return candidate.fragments, usual, enough, -rank if enough else rank

        return max(self.formats, key=suits)


@dataclass(frozen=True)
class Local:
    """The server's side of the answer."""

    ice_username: str
    ice_password: str
    fingerprints: tuple[tuple[str, str], ...]
    candidates: tuple[str, ...]
    ssrc: int
    rtx_ssrc: int
    cname: str
    stream: str
    """Name of the media stream in the browser."""


def parse_offer(text: str) -> Offer:
    """Parse an offer. Raises BadOffer with a message for the viewer's log."""
    session, sections = _split(text)
    video = next(
        (
            n
            for n, section in enumerate(sections)
            if section.kind == "video" and _wants_to_receive(section) and _h264(section)
        ),
        None,
    )
    if video is None:
        if any(section.kind == "video" for section in sections):
            raise NotAcceptable("The offer has no video section that receives H.264")
        raise NotAcceptable("The offer has no video section")
    chosen = sections[video]
    bundled = {mid for group in _values(session, "group") for mid in _bundle(group)}
    # In a bundle only the first section has to contain the transport's parameters.
    tagged = next((s.lines for s in sections if s.mid in bundled), ())
    places = [chosen.lines, tagged if chosen.mid in bundled else (), session]
    if "rtcp-mux" not in _flags(chosen.lines):
        raise BadOffer("The offer does not multiplex RTCP with the stream (a=rtcp-mux)")
    setup = _first(places, "setup") or "actpass"
    if setup not in _LOCAL_SETUP:
        raise BadOffer("The offer has no valid DTLS role (a=setup:actpass, active or passive)")
    name, password = _first(places, "ice-ufrag"), _first(places, "ice-pwd")
    if not (name and password and _ICE_NAME.fullmatch(name) and _ICE_NAME.fullmatch(password)):
        raise BadOffer("The offer has no ICE user name and password")
    return Offer(
        sections=tuple(sections),
        video=video,
        bundled=chosen.mid in bundled,
        ice_username=name,
        ice_password=password,
        fingerprints=_fingerprints(places),
        formats=tuple(_h264(chosen)),
        candidates=tuple(_values(chosen.lines, "candidate")),
        setup=setup,
    )


def render_answer(
    offer: Offer, chosen: OfferedFormat, local: Local, *, profile: bytes | None, session: int
) -> str:
    """Render the answer: `chosen` in the video section, every other section refused."""
    mid = offer.sections[offer.video].mid
    lines = ["v=0", f"o=- {session} 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if offer.bundled:
        lines.append(f"a=group:BUNDLE {mid}")
    lines.append(f"a=msid-semantic: WMS {local.stream}")
    for number, section in enumerate(offer.sections):
        if number == offer.video:
            lines += _video(section, chosen, local, profile, _LOCAL_SETUP[offer.setup])
        else:
            lines += [f"m={section.kind} 0 {section.protocol} {section.formats}"]
            lines += ["c=IN IP4 0.0.0.0", "a=inactive"]
            lines += [f"a=mid:{section.mid}"] if section.mid is not None else []
    return "\r\n".join(lines) + "\r\n"


def _video(
    section: Section, chosen: OfferedFormat, local: Local, profile: bytes | None, setup: str
) -> list[str]:
    payload_type, rtx = chosen.payload_type, chosen.rtx_payload_type
    types = f"{payload_type}" if rtx is None else f"{payload_type} {rtx}"
    # The profile must be the offered one; the level is that of the stream.
    level = profile[2] if profile is not None else chosen.profile[2]
    announced = f"{chosen.profile[:2].hex()}{level:02x}"
    mode = 1 if chosen.fragments else 0
    parameters = f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={announced}"
    lines = [
        f"m=video 9 {section.protocol} {types}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=sendonly",
        *([f"a=mid:{section.mid}"] if section.mid is not None else []),
        f"a=msid:{local.stream} {local.stream}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=ice-ufrag:{local.ice_username}",
        f"a=ice-pwd:{local.ice_password}",
        "a=ice-options:trickle",
        *(f"a=fingerprint:{algorithm} {value}" for algorithm, value in local.fingerprints),
        f"a=setup:{setup}",
        f"a=rtpmap:{payload_type} H264/90000",
        f"a=fmtp:{payload_type} {parameters}",
        *(f"a=rtcp-fb:{payload_type} {name}" for name in chosen.feedback),
    ]
    ssrcs = [local.ssrc]
    if rtx is not None:
        lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={payload_type}"]
        lines.append(f"a=ssrc-group:FID {local.ssrc} {local.rtx_ssrc}")
        ssrcs.append(local.rtx_ssrc)
    for ssrc in ssrcs:
        lines.append(f"a=ssrc:{ssrc} cname:{local.cname}")
        lines.append(f"a=ssrc:{ssrc} msid:{local.stream} {local.stream}")
    lines += [f"a=candidate:{candidate}" for candidate in local.candidates]
    lines.append("a=end-of-candidates")
    return lines


# ------------------------------------------------------------------ parsing


def is_reachable(candidate: str) -> bool:
    """Return whether a candidate (RFC 8839, without `candidate:`) is an address to try.

    Other valid candidates are of no use: TCP, and names, which only multicast DNS resolves, in a
    second; the viewer's own checks reveal its address. Raises BadOffer for an invalid candidate.
    """
    words = candidate.split()
    if len(words) < 8 or words[6].lower() != "typ" or not all(map(_TOKEN.fullmatch, words)):
        raise BadOffer("The ICE candidate cannot be parsed")
    options = dict(zip(words[8::2], words[9::2], strict=False))
    in_range = (
        whole(words[1], least=1, most=256),
        whole(words[3], most=0xFFFFFFFF),
        whole(words[5], most=0xFFFF),
        whole(options.get("rport", "0"), most=0xFFFF),
    )
    if None in in_range or len(candidate) > MOST_CANDIDATE_CHARS:
        raise BadOffer("The ICE candidate has an invalid number")
    address = words[4]
    try:
        ipaddress.ip_address(address)
    except ValueError:
        if not _HOST.fullmatch(address):
            raise BadOffer("The ICE candidate has an invalid address") from None
        return False
    return words[2].lower() == "udp"


def _split(text: str) -> tuple[list[str], list[Section]]:
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise BadOffer(f"The offer has more than {MAX_LINES} lines")
    if not lines or lines[0].strip() != "v=0":
        raise BadOffer("The offer is not SDP")
    session: list[str] = []
    blocks: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            blocks.append([line])
        else:
            (blocks[-1] if blocks else session).append(line)
    return session, [_section(block) for block in blocks]


def _section(block: list[str]) -> Section:
    words = block[0].removeprefix("m=").split()
    if len(words) < 4 or not all(map(_TOKEN.fullmatch, words)):
        raise BadOffer(f"The offer has an invalid section: {block[0][:80]!r}")
    mid = next(iter(_values(block, "mid")), None)
    if mid is not None and not _TOKEN.fullmatch(mid):
        raise BadOffer("The offer has a section with an invalid name")
    return Section(words[0], words[2], " ".join(words[3:]), mid, tuple(block[1:]))


def _values(lines: Iterable[str], name: str) -> list[str]:
    """Return the values of `a=name:` in these lines."""
    head = f"a={name}:"
    return [line[len(head) :].strip() for line in lines if line.startswith(head)]


def _flags(lines: Iterable[str]) -> set[str]:
    return {line[2:].strip() for line in lines if line.startswith("a=")}


def _first(places: Iterable[Iterable[str]], name: str) -> str | None:
    return next((value for lines in places for value in _values(lines, name)), None)


def _bundle(group: str) -> list[str]:
    kind, *mids = group.split() or [""]
    return mids if kind == "BUNDLE" else []


def _wants_to_receive(section: Section) -> bool:
    flags = _flags(section.lines)
    return "inactive" not in flags and "sendonly" not in flags


def _fingerprints(places: Iterable[Iterable[str]]) -> tuple[tuple[str, str], ...]:
    for lines in places:
        pairs = [tuple(value.split()) for value in _values(lines, "fingerprint")]
        found = tuple((pair[0].lower(), pair[1]) for pair in pairs if len(pair) == 2)
        if found:
            return found
    raise BadOffer("The offer has no DTLS fingerprint")


def _h264(section: Section) -> list[OfferedFormat]:
    """Return the section's H.264 formats in its order of preference."""
    words = (whole(word, most=LARGEST_TYPE) for word in section.formats.split())
    offered = [number for number in words if number is not None]
    encodings = dict(_by_type(section.lines, "rtpmap"))
    parameters = {number: _parameters(text) for number, text in _by_type(section.lines, "fmtp")}
    feedback: dict[int, set[str]] = {}
    anything = {v[2:].strip() for v in _values(section.lines, "rtcp-fb") if v.startswith("* ")}
    for number, text in _by_type(section.lines, "rtcp-fb"):
        feedback.setdefault(number, set()).add(" ".join(text.split()))
    rtx = {
        parameters.get(number, {}).get("apt"): number
        for number, encoding in encodings.items()
        if encoding.lower() == "rtx/90000" and number in offered
    }
    return [
        OfferedFormat(
            payload_type=number,
            rtx_payload_type=rtx.get(str(number)),
            parameters=parameters.get(number, {}),
            feedback=tuple(
                name for name in _FEEDBACK if name in feedback.get(number, set()) | anything
            ),
        )
        for number in offered
        if encodings.get(number, "").lower() == "h264/90000"
    ]


def _by_type(lines: Iterable[str], name: str) -> list[tuple[int, str]]:
    """Return the attributes that begin with a payload type."""
    found = []
    for value in _values(lines, name):
        word, _, rest = value.partition(" ")
        number = whole(word, most=LARGEST_TYPE)
        if number is not None and rest:
            found.append((number, rest.strip()))
    return found


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _rank(profile: bytes) -> int:
    """Rank a profile by its demands on a decoder: baseline 0, main 1, high 2, others 3."""
    return {0x42: 0, 0x4D: 1, 0x58: 1, 0x64: _HIGH}.get(profile[0], _HIGH + 1)
