"""Session descriptions of cameras (SDP, RFC 4566): their video tracks."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from touchline.media.picturesize import Size, h264_size, h265_size
from touchline.worker.rtsp.errors import RtspError
from touchline.worker.rtsp.messages import printable

MAX_LINES = 4096
MAX_TRACKS = 32
MAX_FORMATS = 16

_RTPMAP = re.compile(r"(\d{1,3})\s+([A-Za-z0-9][\w.+-]{0,31})\s*/\s*(\d{1,9})", re.ASCII)
_FRAMESIZE = re.compile(r"(\d{1,3})\s+(\d{1,5})[-x](\d{1,5})", re.ASCII)
_DIMENSIONS = re.compile(r"\s*(\d{1,5})\s*,\s*(\d{1,5})", re.ASCII)
_IMAGEATTR = re.compile(r"\[x=(\d{1,5}),y=(\d{1,5})", re.ASCII)
_CLIPRECT = re.compile(r"\s*(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})", re.ASCII)
_STATIC = {26: ("JPEG", 90_000), 31: ("H261", 90_000), 32: ("MPV", 90_000), 33: ("MP2T", 90_000)}
_CODECS = {
    "H264": "h264",
    "H265": "h265",
    "HEVC": "h265",
    "JPEG": "mjpeg",
    "MP4V-ES": "mpeg4",
    "MPV": "mpeg2",
    "MP2T": "mpegts",
    "VP8": "vp8",
    "VP9": "vp9",
    "AV1": "av1",
    "H263": "h263",
    "H263-1998": "h263",
    "H263-2000": "h263",
}


@dataclass(frozen=True)
class TrackFormat:
    """A payload type of a track; parameter names are in lower case."""

    payload_type: int
    encoding: str
    clock_rate: int
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def codec(self) -> str:
        """The codec by its name in touchline, such as `h264` or `mjpeg`."""
        return _CODECS.get(self.encoding, self.encoding.lower())

    @property
    def readable(self) -> bool:
        """Whether its packets can be reassembled; H.264 in interleaved mode cannot."""
        interleaved = self.codec == "h264" and self.parameters.get("packetization-mode") == "2"
        return self.encoding in _CODECS and not interleaved

    def sets(self) -> tuple[bytes, ...]:
        """Return the parameter sets in the description as NAL units."""
        names = ("sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps")
        texts = [t for name in names for t in self.parameters.get(name, "").split(",") if t.strip()]
        return tuple(unit for text in texts[:64] if (unit := _decode_base64(text)))

    def size(self) -> Size | None:
        """Return the picture size according to the parameter sets."""
        read = {"h264": h264_size, "h265": h265_size}.get(self.codec)
        sizes = [size for unit in self.sets() if read and (size := read(unit))]
        return max(sizes, key=area, default=None)


@dataclass(frozen=True)
class CameraTrack:
    """A video track with its number among the video tracks and its description."""

    number: int
    control: str | None
    formats: tuple[TrackFormat, ...]
    size: Size | None
    keyframes_on_request: frozenset[str]
    protected: bool

    @property
    def format(self) -> TrackFormat | None:
        """The format to request: the first H.264, otherwise the first supported one."""
        readable = [each for each in self.formats if each.readable]
        return next((f for f in readable if f.codec == "h264"), readable[0] if readable else None)

    @property
    def label(self) -> str:
        """A short label of the track, such as `0 (trackID=1, h264, 1920x1080)`."""
        codec = self.format.codec if self.format else "/".join(f.encoding for f in self.formats)
        size = f"{self.size[0]}x{self.size[1]}" if self.size else "size unknown"
        control = printable(self.control or "no control", 60)
        return f"{self.number} ({control}, {codec or 'no format'}, {size})"


@dataclass(frozen=True)
class Description:
    """A session description: its own control attribute and the video tracks."""

    control: str | None
    tracks: tuple[CameraTrack, ...]


def area(size: Size | None) -> int:
    """Return the number of pixels; 0 if the size is unknown."""
    return size[0] * size[1] if size else 0


def parse_description(body: bytes) -> Description:
    """Parse a description. Raises RtspError for an invalid one."""
    lines = body.decode("utf-8", "replace").replace("\r", "\n").split("\n")
    lines = [line.strip() for line in lines if line.strip()]
    if len(lines) > MAX_LINES:
        raise RtspError(f"the camera's description has more than {MAX_LINES} lines")
    sections: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    if not any(line.startswith("v=") for line in sections[0]) and len(sections) == 1:
        raise RtspError("the camera answered without a description of its stream")
    if len(sections) > MAX_TRACKS + 1:
        raise RtspError(f"the camera describes more than {MAX_TRACKS} tracks")
    video = [section for section in sections[1:] if section[0].startswith("m=video")]
    tracks = tuple(_track(number, section) for number, section in enumerate(video))
    return Description(_attributes(sections[0]).get("control", [None])[0], tracks)


def choose_track(
    tracks: Sequence[CameraTrack], wanted: str | int | None, before: str | None = None
) -> CameraTrack:
    """Choose the video track to record. Raises RtspError if there is none.

    `wanted` is the setting: a track's number or the end of its control URL. Otherwise the largest
    track by the description is chosen; among equals the one of `before` (the control of the last
    session), the first H.264, or the first.
    """
    if wanted is not None:
        return _find_named(tracks, str(wanted))
    usable = [track for track in tracks if track.format is not None and not track.protected]
    if not usable:
        formats = ", ".join(f.encoding for track in tracks for f in track.formats)
        protected = " under SRTP" if any(track.protected for track in tracks) else ""
        what = f"only {printable(formats)}{protected}" if tracks else "no video"
        raise RtspError(f"the camera offers {what}, which cannot be recorded")
    largest = max(area(track.size) for track in usable)
    equals = [track for track in usable if area(track.size) == largest]
    remembered = [track for track in equals if before is not None and track.control == before]
    h264 = [track for track in equals if track.format and track.format.codec == "h264"]
    return (remembered or h264 or equals)[0]


def _find_named(tracks: Sequence[CameraTrack], wanted: str) -> CameraTrack:
    controls = [(track, track.control or "") for track in tracks]
    matches = (
        [t for t in tracks if wanted.isdecimal() and t.number == int(wanted)]
        or [t for t, control in controls if f"/{control}".endswith(f"/{wanted}")]
        or [t for t, control in controls if control.endswith(wanted)]
    )
    offered = "; ".join(track.label for track in tracks) or "no video"
    if not matches:
        raise RtspError(
            f"the camera offers no track {wanted!r}; it offers {offered}. Change the setting track"
        )
    track = matches[0]
    if track.format is None or track.protected:
        raise RtspError(f"track {track.label} cannot be recorded; the camera offers {offered}")
    return track


def _track(number: int, section: Sequence[str]) -> CameraTrack:
    attributes = _attributes(section)
    fields = section[0].removeprefix("m=").split()
    listed = [int(text) for text in fields[3:] if text.isdecimal() and len(text) <= 3]
    listed = [payload_type for payload_type in listed if payload_type < 128][:MAX_FORMATS]
    maps = {int(m[1]): m for text in attributes.get("rtpmap", ()) if (m := _RTPMAP.match(text))}
    parameters = _parameters(attributes.get("fmtp", ()))
    formats = []
    for payload_type in listed:
        encoding, rate = _STATIC.get(payload_type, ("", 0))
        if payload_type in maps:
            encoding, rate = maps[payload_type][2].upper(), int(maps[payload_type][3])
        if encoding and 1 <= rate <= 10_000_000:
            own = parameters.get(payload_type, {})
            formats.append(TrackFormat(payload_type, encoding, rate, own))
    track = CameraTrack(
        number=number,
        control=attributes.get("control", [None])[0],
        formats=tuple(formats),
        size=_size(attributes),
        keyframes_on_request=_feedback(attributes.get("rtcp-fb", ())),
        protected=len(fields) > 2 and "SAVP" in fields[2].upper(),
    )
    if track.size is None and track.format is not None:
        track = replace(track, size=track.format.size())
    return track


def _attributes(section: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in section:
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def _parameters(texts: Sequence[str]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for text in texts:
        payload_type, _, rest = text.partition(" ")
        if not (payload_type.isdecimal() and len(payload_type) <= 3):
            continue
        own = found.setdefault(int(payload_type), {})
        for pair in rest.split(";")[:64]:
            name, equals, value = pair.partition("=")
            if equals:
                own[name.strip().lower()] = value.strip()
    return found


def _size(attributes: Mapping[str, Sequence[str]]) -> Size | None:
    """Return the size in one of the attributes that cameras use for it."""
    sizes: list[Size] = []
    for name, pattern, width, height in (
        ("framesize", _FRAMESIZE, 2, 3),
        ("x-dimensions", _DIMENSIONS, 1, 2),
        ("imageattr", _IMAGEATTR, 1, 2),
        ("cliprect", _CLIPRECT, 4, 3),
    ):
        for text in attributes.get(name, ()):
            match = pattern.search(text)
            if match and int(match[width]) and int(match[height]):
                sizes.append((int(match[width]), int(match[height])))
        if sizes:
            return max(sizes, key=area)
    return None


def _feedback(texts: Sequence[str]) -> frozenset[str]:
    words = [" ".join(text.lower().split()[1:]) for text in texts]
    known = {"nack pli": "pli", "ccm fir": "fir"}
    return frozenset(known[word] for word in words if word in known)


def _decode_base64(text: str) -> bytes:
    text = text.strip()
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
