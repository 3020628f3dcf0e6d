"""Small H.264 streams as an encoder makes them, and cameras that send them in RTP packets."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from touchline.ipc.tee import Frame

RATE = 90_000
MTU = 1400


@dataclass(frozen=True)
class Unit:
    """An access unit as the encoder made it, with its place in the order of showing."""

    nals: tuple[bytes, ...]
    shown: int
    keyframe: bool


@lru_cache
def encoded(
    frames: int = 60,
    x264: str = "keyint=20:min-keyint=20:scenecut=0:bframes=0",
    *,
    width: int = 160,
    height: int = 96,
    fps: int = 25,
    profile: str = "high",
) -> tuple[Unit, ...]:
    """A moving picture, coded with these x264 parameters; each picture is another."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps, 1)
    encoder.options = {
        "preset": "veryfast",
        "profile": profile,
        "x264-params": f"{x264}:threads=1:repeat-headers=1",
    }
    packets = []
    for n in range(frames):
        raw = av.VideoFrame.from_ndarray(picture(n, width, height), format="yuv420p")
        raw.pts = n
        packets += encoder.encode(raw)
    packets += encoder.encode(None)
    return tuple(Unit(nals(bytes(p)), int(p.pts or 0), bool(p.is_keyframe)) for p in packets)


def picture(number: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """Picture `number`: its number in 12 wide bars over moving noise."""
    rows, columns = np.mgrid[0 : height * 3 // 2, 0:width]
    image: npt.NDArray[np.uint8] = ((rows * 3 + columns * 5 + number * 7) % 64 + 96).astype(
        np.uint8
    )
    bar = width // 12
    for bit in range(12):
        level = 235 if number >> bit & 1 else 16
        image[: height // 2, bit * bar : (bit + 1) * bar] = level
    image[height:, :] = 128
    return image


def number_of(luma: npt.NDArray[np.uint8]) -> int:
    """The number that a decoded picture shows."""
    height, width = luma.shape
    bar = width // 12
    return sum(
        1 << bit
        for bit in range(12)
        if luma[height // 8 : height // 3, bit * bar + 2 : (bit + 1) * bar - 2].mean() > 128
    )


def nals(annex_b: bytes) -> tuple[bytes, ...]:
    """The units between start codes."""
    return tuple(n.rstrip(b"\0") for n in annex_b.split(b"\0\0\1") if n.rstrip(b"\0"))


@dataclass(frozen=True)
class Packet:
    """An RTP packet before it is packed."""

    payload: bytes
    time: int
    marker: bool = False
    number: int = 0
    ssrc: int = 0x1234
    payload_type: int = 96

    def pack(self) -> bytes:
        """Its bytes."""
        second = self.payload_type | self.marker << 7
        head = struct.pack(
            ">BBHII", 0x80, second, self.number & 0xFFFF, self.time & 0xFFFF_FFFF, self.ssrc
        )
        return head + self.payload


def payloads(nal: bytes, mtu: int = MTU) -> list[bytes]:
    """A unit as one payload or in fragments (FU-A)."""
    if len(nal) <= mtu:
        return [nal]
    pieces = [nal[at : at + mtu - 2] for at in range(1, len(nal), mtu - 2)]
    indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 0x1F
    return [
        bytes((indicator, kind | (0x80 * (n == 0)) | (0x40 * (n == len(pieces) - 1)))) + piece
        for n, piece in enumerate(pieces)
    ]


def stap_a(units: Sequence[bytes]) -> bytes:
    """Several units in one payload."""
    return b"\x78" + b"".join(len(u).to_bytes(2, "big") + u for u in units)


def packets(
    units: Iterable[Unit], *, fps: float = 25, first_time: int = 0, mtu: int = MTU
) -> list[list[Packet]]:
    """The packets of each access unit, as a well-behaved camera sends them."""
    number, sent = 0, []
    for unit in units:
        time = first_time + round(unit.shown * RATE / fps)
        parts = [part for nal in unit.nals for part in payloads(nal, mtu)]
        out = []
        for n, part in enumerate(parts, 1):
            out.append(Packet(part, time, n == len(parts), number))
            number += 1
        sent.append(out)
    return sent


def renumbered(sent: Iterable[Packet], first: int = 0) -> Iterator[Packet]:
    """The same packets, numbered one after the other."""
    for n, each in enumerate(sent):
        yield replace(each, number=first + n)


def avc(units: Iterable[bytes]) -> bytes:
    """Units with lengths, as files have them, without parameter sets."""
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in units if nal[0] & 31 not in {7, 8})


def avcc(unit: Unit) -> bytes:
    """The decoder configuration of a keyframe's parameter sets."""
    sps = next(nal for nal in unit.nals if nal[0] & 31 == 7)
    pps = next(nal for nal in unit.nals if nal[0] & 31 == 8)
    head = b"\x01" + sps[1:4] + b"\xff\xe1" + len(sps).to_bytes(2, "big") + sps
    return head + b"\x01" + len(pps).to_bytes(2, "big") + pps


def numbers(frames: Sequence[Frame]) -> list[int]:
    """The numbers of the pictures that a decoder shows, in the order of showing.

    Where the codec changes the decoder is a new one, as for a player of another file.
    """
    found: list[int] = []
    decoder, codec = None, None
    for frame in frames:
        if frame.codec != codec or decoder is None:
            found += _shown(decoder, None)
            decoder, codec = av.CodecContext.create("h264", "r"), frame.codec
            decoder.extradata = codec.avcc
            decoder.options = {"err_detect": "explode"}
        found += _shown(decoder, av.Packet(frame.data))
    return found + _shown(decoder, None)


def _shown(decoder: av.VideoCodecContext | None, packet: av.Packet[Any] | None) -> list[int]:
    pictures = [] if decoder is None else decoder.decode(packet)
    return [number_of(each.to_ndarray(format="gray").astype(np.uint8)) for each in pictures]
