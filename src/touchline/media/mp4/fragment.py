"""Fragments of a file: frames that can be decoded without what follows them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from touchline.media.mp4.record import FRAGMENT, record
from touchline.media.mp4.sample import I64_MAX, Mp4Sample, clamp_duration, clamp_offset

MOOF = struct.Struct(">I4s I4sII I4s I4sII I4sIQ I4sIIi")
MOOF_BYTES = MOOF.size
TRUN_ENTRY_BYTES = 16
KEYFRAME_FLAGS = 0x02000000  # depends on no other sample
DELTA_FLAGS = 0x01010000  # depends on others, is not a sync sample


def live_fragment(sequence: int, samples: Sequence[Mp4Sample]) -> bytes:
    """Return a fragment without a record, as it is sent to players."""
    return b"".join(_fragment(sequence, samples))


def fragment_part(sequence: int, samples: Sequence[Mp4Sample], capture_unix_ns: int) -> bytes:
    """Return a fragment and its record. `samples` is not empty; `sequence` counts from 1."""
    parts = _fragment(sequence, samples)
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    parts.append(record(FRAGMENT, sequence, len(samples), capture_unix_ns, crc))
    return b"".join(parts)


def _fragment(sequence: int, samples: Sequence[Mp4Sample]) -> list[bytes]:
    parts = [moof(sequence, samples[0].dts, len(samples))]
    parts += [
        struct.pack(
            ">IIIi",
            clamp_duration(s.duration),
            len(s.data),
            KEYFRAME_FLAGS if s.keyframe else DELTA_FLAGS,
            clamp_offset(s.pts - s.dts),
        )
        for s in samples
    ]
    parts.append(struct.pack(">I4s", 8 + sum(len(s.data) for s in samples), b"mdat"))
    parts += [s.data for s in samples]
    return parts


def moof(sequence: int, dts: int, samples: int) -> bytes:
    """Build a fragment's header up to the rows of its samples."""
    return MOOF.pack(*moof_fields(sequence, min(max(dts, 0), I64_MAX), samples))


def moof_fields(sequence: int, dts: int, samples: int) -> tuple[int | bytes, ...]:
    """Return the fields of a fragment's header, as `MOOF` packs them."""
    moof_bytes = MOOF_BYTES + TRUN_ENTRY_BYTES * samples
    return (
        *(moof_bytes, b"moof"),
        *(16, b"mfhd", 0, sequence),
        *(moof_bytes - 24, b"traf"),
        *(16, b"tfhd", 0x020000, 1),  # default-base-is-moof
        *(20, b"tfdt", 0x01000000, dts),
        *(20 + TRUN_ENTRY_BYTES * samples, b"trun", 0x01000F01, samples),
        moof_bytes + 8,
    )


def read_moof(data: bytes) -> tuple[int, int, int] | None:
    """Read sequence, decode time (ticks) and sample count of a header; None if damaged."""
    fields = MOOF.unpack(data)
    sequence, dts, samples = fields[5], fields[15], fields[19]
    if samples == 0 or moof_fields(sequence, dts, samples) != fields:
        return None
    return sequence, dts, samples
