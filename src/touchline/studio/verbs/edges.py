"""The verb `edges`: encode the frames between a cut and the next keyframe again.

`spec` has `path`, `codec` (`width`, `height`, `avcc` in hexadecimal), `needed` (rows of a frame's
presentation time, offset, size and whether it is a keyframe, in decode order), `from_ns`, `to_ns`,
`period_ns` and `out`, the file that the data is written to.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import av

from touchline.foreign.files import create_new, open_regular
from touchline.media.h264.colour import colour_of
from touchline.media.h264.units import annex_b, parameter_sets
from touchline.media.mp4.writer import Codec
from touchline.studio.errors import StudioError
from touchline.studio.pictures.encoder import Encoder, EncoderQuality, convert_range, join_codecs
from touchline.studio.pictures.footage import fps_of
from touchline.studio.verbs import Tell

_NANO = Fraction(1, 1_000_000_000)
_PROFILES = {66: "baseline", 77: "main"}


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Write the data; return rows of a frame's presentation time, size and keyframe flag.

    `avcc` in the result fits the encoded frames and those that follow in the source.
    """
    del tell
    described = spec["codec"]
    codec = Codec(described["width"], described["height"], bytes.fromhex(described["avcc"]))
    quality = EncoderQuality(
        preset="superfast",
        crf=17,
        threads=2,
        gop_s=60.0,
        profile=_PROFILES.get(codec.avcc[1], "high"),
        set_number=_choose_unused_id(codec),
    )
    colour = colour_of(codec.avcc)
    fps = fps_of(int(spec["period_ns"]))
    encoder = Encoder(codec.width, codec.height, fps, quality, colour)
    rows: list[tuple[int, int, bool]] = []
    with os.fdopen(create_new(spec["out"], folders=0), "wb") as out:
        for frame, at_ns in _decode_frames(spec, codec):
            if stopping.is_set():
                raise StudioError("stopped", "It was stopped")
            for coded in encoder.encode(convert_range(frame, colour), at_ns):
                rows.append((coded.at_ns, len(coded.data), coded.keyframe))
                out.write(coded.data)
        for coded in encoder.flush():
            rows.append((coded.at_ns, len(coded.data), coded.keyframe))
            out.write(coded.data)
    if not rows:
        raise StudioError("no_footage", "No frame at the start of the clip could be decoded")
    return {"frames": rows, "avcc": join_codecs(encoder.codec, codec).avcc.hex()}


def _decode_frames(spec: Mapping[str, Any], codec: Codec) -> Iterator[tuple[av.VideoFrame, int]]:
    """Yield the wanted frames in presentation order."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 2
    from_ns, to_ns = int(spec["from_ns"]), int(spec["to_ns"])
    fd = open_regular(spec["path"])
    try:
        for frame in _frames(fd, spec["needed"], decoder, codec):
            at_ns = int(frame.pts or 0)
            if from_ns <= at_ns < to_ns:
                yield frame, at_ns
    finally:
        os.close(fd)


def _frames(
    fd: int, needed: list[list[int]], decoder: av.VideoCodecContext, codec: Codec
) -> Iterator[av.VideoFrame]:
    for number, (at_ns, offset, size, _) in enumerate(needed):
        packet = av.Packet(_with_sets(os.pread(fd, size, offset), codec, first=number == 0))
        packet.pts, packet.dts, packet.time_base = at_ns, None, _NANO
        yield from decoder.decode(packet)
    yield from decoder.decode(None)


def _with_sets(data: bytes, codec: Codec, *, first: bool) -> bytes:
    return annex_b(data, codec if first else codec._replace(avcc=b"\x01\0\0\0\xff\xe0\0"))


def _choose_unused_id(codec: Codec) -> int:
    """Return a parameter set id that the source does not use."""
    used = {_number(unit) for unit in parameter_sets(codec.avcc)}
    return min(set(range(1, 32)) - used)


def _number(unit: bytes) -> int:
    """Return the id of an SPS or PPS: its first Exp-Golomb number (H.264, 7.3.2.1 and 7.3.2.2)."""
    at = 4 if unit[0] & 0x1F == 7 else 1
    bits = "".join(f"{byte:08b}" for byte in unit[at : at + 6])
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
