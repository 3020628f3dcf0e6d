"""Session description (SDP, RFC 8866) of a camera."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import NamedTuple

from touchline.sim.rtsp.media.source import VideoTrack
from touchline.sim.rtsp.misbehaviour import Misbehaviour

JPEG, PCMA = 26, 8
METADATA = 107
_FILLER_LINE = b"a=x-filler:" + b"x" * 87 + b"\r\n"


class SimulatedTrack(NamedTuple):
    """A track as addressed by clients."""

    number: int
    kind: str
    """`video`, `audio` or `metadata`."""
    payload_type: int
    clock_hz: int


def tracks_of(
    videos: Sequence[VideoTrack], odd: Misbehaviour, *, audio: bool
) -> list[SimulatedTrack]:
    """Return all tracks of the camera in numerical order."""
    found = []
    for video in videos:
        kind = JPEG if video.coding.codec == "mjpeg" else odd.payload_type
        found.append(SimulatedTrack(video.number, "video", kind, 90_000))
    if audio:
        found.append(SimulatedTrack(len(found), "audio", PCMA, 8000))
    if odd.metadata_track:
        found.append(SimulatedTrack(len(found), "metadata", METADATA, 90_000))
    return found


def describe(
    tracks: Sequence[SimulatedTrack],
    videos: Sequence[VideoTrack],
    odd: Misbehaviour,
    *,
    base: str,
    alternate: bool,
) -> bytes:
    """Build the description; `base` is the base of the control URLs."""
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=simulated camera",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        f"a=control:{base if odd.control == 'absolute' else '*'}",
        "a=range:npt=now-",
    ]
    ordered = list(tracks)
    metadata = [t for t in ordered if t.kind == "metadata"]
    video = [t for t in ordered if t.kind == "video"]
    if odd.second_first != alternate:
        video.reverse()
    rest = [t for t in ordered if t.kind == "audio"]
    for track in [*metadata, *video, *rest]:
        lines += _media(track, odd, base)
        if track.kind == "video":
            lines += _video(track, videos[track.number], odd)
    text = "".join(f"{line}\r\n" for line in lines).encode()
    return text + _FILLER_LINE * -(-odd.huge_sdp // len(_FILLER_LINE))


def _media(track: SimulatedTrack, odd: Misbehaviour, base: str) -> list[str]:
    control = {
        "relative": f"trackID={track.number}",
        "absolute": f"{base.rstrip('/')}/trackID={track.number}",
        "path": f"/{base.split('/', 3)[3].rstrip('/')}/trackID={track.number}",
        "star": "*",
    }[odd.control]
    if track.kind == "audio":
        head = [f"m=audio 0 RTP/AVP {PCMA}", f"a=rtpmap:{PCMA} PCMA/8000"]
    elif track.kind == "metadata":
        name = "vnd.onvif.metadata/90000"
        head = [f"m=application 0 RTP/AVP {METADATA}", f"a=rtpmap:{METADATA} {name}"]
    else:
        head = [f"m=video 0 RTP/AVP {track.payload_type}"]
    return [*head, f"a=control:{control}"]


def _video(track: SimulatedTrack, video: VideoTrack, odd: Misbehaviour) -> list[str]:
    coding, kind = video.coding, track.payload_type
    lines = []
    if coding.codec != "mjpeg":
        lines.append(f"a=rtpmap:{kind} {coding.codec.upper()}/90000")
        lines.append(f"a=fmtp:{kind} {_format(video, odd)}")
    if odd.sdp_rate != "none":
        rate = 1.0 if odd.sdp_rate == "wrong" else float(coding.fps)
        lines.append(f"a=framerate:{rate:.3f}".rstrip("0").rstrip("."))
    width, height = coding.width, coding.height
    lines += {
        "x-dimensions": [f"a=x-dimensions:{width},{height}"],
        "framesize": [f"a=framesize:{kind} {width}-{height}"],
        "cliprect": [f"a=cliprect:0,0,{height},{width}"],
        "none": [],
    }[odd.sdp_size]
    return lines


def _format(video: VideoTrack, odd: Misbehaviour) -> str:
    shown = video.parameter_sets if odd.parameter_sets in {"both", "sdp"} else ()
    coded = [base64.b64encode(each).decode() for each in shown]
    if video.coding.codec == "h265":
        names = ("sprop-vps", "sprop-sps", "sprop-pps")
        pairs = [f"{name}={value}" for name, value in zip(names, coded, strict=False)]
        return "; ".join(pairs) or "tx-mode=SRST"
    parts = ["packetization-mode=1"]
    if coded:
        profile = video.parameter_sets[0][1:4].hex().upper()
        parts += [f"profile-level-id={profile}", f"sprop-parameter-sets={','.join(coded)}"]
    return ";".join(parts)
