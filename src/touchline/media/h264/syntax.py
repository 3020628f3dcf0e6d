"""H.264 parameter sets (ITU-T H.264, clauses 7.3.2 and E.1).

All input comes from a camera, so every count is bounded and every fault is a ValueError. Standard
library only.
"""

from __future__ import annotations

from typing import NamedTuple

from touchline.media.h264.bits import Bits, payload

SLICE, IDR, SEI, SPS, PPS, AUD = 1, 5, 6, 7, 8, 9
P, B, I = 0, 1, 2  # noqa: E741  (the standard's own names of slice types)
MAX_SIDE = 16_384
_HIGH_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_INTRA_PROFILES = {44, 86, 100, 110, 122, 244}
_UNSPECIFIED = 2
_MAX_DPB_MBS = {
    10: 396, 11: 900, 12: 2376, 13: 2376, 20: 2376, 21: 4752, 22: 8100, 30: 8100, 31: 18000,
    32: 20480, 40: 32768, 41: 32768, 42: 34816, 50: 110_400, 51: 184_320, 52: 184_320,
    60: 696_320, 61: 696_320, 62: 696_320,
}  # fmt: skip


class Colour(NamedTuple):
    """Colours of a stream (ITU-T H.273) as code points; 2 means unspecified."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


class Sps(NamedTuple):
    """The fields of a sequence parameter set that are used here."""

    sps_id: int
    profile: int
    level: int
    width: int
    height: int
    chroma_format: int
    luma_bits: int
    chroma_bits: int
    separate_planes: bool
    frame_num_bits: int
    poc_type: int
    poc_lsb_bits: int
    delta_pic_order_always_zero: bool
    non_ref_offset: int
    ref_frame_offsets: tuple[int, ...]
    max_ref_frames: int
    frame_mbs_only: bool
    reorder_frames: int | None
    """`max_num_reorder_frames`, if the stream states it or its profile implies it."""
    max_dpb_frames: int
    frame_ns: int | None
    """Time per frame, if the stream states it."""
    colour: Colour | None
    """None if the stream states nothing about its colours."""


class Pps(NamedTuple):
    """The fields of a picture parameter set that are used here."""

    pps_id: int
    sps_id: int
    bottom_field_order: bool
    redundant_pictures: bool


def read_sps(unit: bytes) -> Sps:
    """Read a sequence parameter set. Raises ValueError with the reason if it is damaged."""
    try:
        return _sps(unit)
    except ValueError as error:
        raise ValueError(f"the sequence parameter set cannot be used: {error}") from None


def _sps(unit: bytes) -> Sps:
    if not unit or unit[0] & 0x1F != SPS:
        raise ValueError("it is of another type")
    bits = Bits(payload(unit))
    profile, constraints, level = bits.u(8), bits.u(8), bits.u(8)
    sps_id = bits.ue(31)
    chroma, separate_planes, luma_bits, chroma_bits = _chroma(bits, profile)
    frame_num_bits = bits.ue(12) + 4
    poc_type = bits.ue(2)
    poc_lsb_bits = bits.ue(12) + 4 if poc_type == 0 else 0
    always_zero, non_ref_offset, offsets = _order_cycle(bits, poc_type)
    max_ref_frames = bits.ue(16)
    bits.flag()
    width_mbs, height_units = bits.ue(MAX_SIDE // 16) + 1, bits.ue(MAX_SIDE // 16) + 1
    frame_mbs_only = bits.flag()
    if not frame_mbs_only:
        bits.flag()
    bits.flag()
    height_mbs = height_units * (1 if frame_mbs_only else 2)
    cut_x, cut_y = _cropping(bits, 0 if separate_planes else chroma, frame_mbs_only)
    width, height = width_mbs * 16 - cut_x, height_mbs * 16 - cut_y
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f"it describes pictures of {width}x{height}")
    level_frames = _MAX_DPB_MBS.get(level, 696_320) // (width_mbs * height_mbs)
    dpb_frames = max(min(level_frames, 16), max_ref_frames, 1)
    reorder: int | None = None
    if profile == 66 or poc_type == 2 or (constraints & 0x10 and profile in _INTRA_PROFILES):
        reorder = 0
    colour, frame_ns, stated, stated_dpb = _vui(bits)
    if stated is not None:
        reorder = stated
    if stated_dpb is not None:
        dpb_frames = max(stated_dpb, max_ref_frames)
    return Sps(
        sps_id=sps_id,
        profile=profile,
        level=level,
        width=width,
        height=height,
        chroma_format=chroma,
        luma_bits=luma_bits,
        chroma_bits=chroma_bits,
        separate_planes=separate_planes,
        frame_num_bits=frame_num_bits,
        poc_type=poc_type,
        poc_lsb_bits=poc_lsb_bits,
        delta_pic_order_always_zero=always_zero,
        non_ref_offset=non_ref_offset,
        ref_frame_offsets=offsets,
        max_ref_frames=max_ref_frames,
        frame_mbs_only=frame_mbs_only,
        reorder_frames=reorder,
        max_dpb_frames=dpb_frames,
        frame_ns=frame_ns,
        colour=colour,
    )


def _chroma(bits: Bits, profile: int) -> tuple[int, bool, int, int]:
    """Read chroma format, separate planes and bit depths; lower profiles imply 4:2:0, 8 bits."""
    if profile not in _HIGH_PROFILES:
        return 1, False, 8, 8
    chroma = bits.ue(3)
    separate_planes = chroma == 3 and bits.flag()
    depths = 8 + bits.ue(6), 8 + bits.ue(6)
    bits.flag()
    if bits.flag():
        _skip_scaling_lists(bits, 12 if chroma == 3 else 8)
    return chroma, separate_planes, *depths


def _order_cycle(bits: Bits, poc_type: int) -> tuple[bool, int, tuple[int, ...]]:
    """Read the parameters of order count type 1."""
    if poc_type != 1:
        return False, 0, ()
    always_zero, non_ref_offset = bits.flag(), bits.se()
    bits.se()
    return always_zero, non_ref_offset, tuple(bits.se() for _ in range(bits.ue(255)))


def _skip_scaling_lists(bits: Bits, lists: int) -> None:
    for number in range(lists):
        if not bits.flag():
            continue
        last = following = 8
        for _ in range(16 if number < 6 else 64):
            if following:
                following = (last + bits.se()) % 256
            last = following or last


def _cropping(bits: Bits, chroma: int, frame_mbs_only: bool) -> tuple[int, int]:  # noqa: FBT001
    """Read how many pixels the picture is narrower and lower than its macroblocks."""
    if not bits.flag():
        return 0, 0
    left, right, top, bottom = (bits.ue(MAX_SIDE) for _ in range(4))
    unit_x = 2 if chroma in {1, 2} else 1
    unit_y = (2 if chroma == 1 else 1) * (1 if frame_mbs_only else 2)
    return unit_x * (left + right), unit_y * (top + bottom)


def _vui(bits: Bits) -> tuple[Colour | None, int | None, int | None, int | None]:
    """Read colour, frame time, reordering depth and picture buffer size (VUI).

    Encoders truncate it or fill it wrongly without harm to their pictures, so faults in it only
    mean that the values are unknown.
    """
    colour, frame_ns = None, None
    try:
        if not bits.flag():
            return None, None, None, None
        colour = _colour(bits)
        if bits.flag():
            frame_ns = _frame_ns(bits.u(32), bits.u(32))
            bits.flag()
        nal_hrd = bits.flag() and _skip_hrd(bits)
        vcl_hrd = bits.flag() and _skip_hrd(bits)
        if nal_hrd or vcl_hrd:
            bits.flag()
        bits.flag()
        if not bits.flag():
            return colour, frame_ns, None, None
        bits.flag()
        for _ in range(4):
            bits.ue()
        reorder, dpb = bits.ue(16), bits.ue(16)
    except ValueError:
        return colour, frame_ns, None, None
    return colour, frame_ns, reorder, max(dpb, reorder)


def _colour(bits: Bits) -> Colour | None:
    """Read the colours; aspect ratio, overscan and chroma positions are skipped."""
    colour = None
    if bits.flag() and bits.u(8) == 255:
        bits.u(32)
    if bits.flag():
        bits.flag()
    if bits.flag():
        bits.u(3)
        colour = Colour(_UNSPECIFIED, _UNSPECIFIED, _UNSPECIFIED, full_range=bits.flag())
        if bits.flag():
            colour = Colour(bits.u(8), bits.u(8), bits.u(8), colour.full_range)
    if bits.flag():
        bits.ue(5)
        bits.ue(5)
    return colour


def _frame_ns(units: int, scale: int) -> int | None:
    """Return the time of a frame (two ticks), unless it is outside 1 to 240 frames a second."""
    if not units or not scale:
        return None
    frame_ns = 2 * units * 1_000_000_000 // scale
    return frame_ns if 1_000_000_000 // 240 <= frame_ns <= 1_000_000_000 else None


def _skip_hrd(bits: Bits) -> bool:
    count = bits.ue(31) + 1
    bits.u(8)
    for _ in range(count):
        bits.ue()
        bits.ue()
        bits.flag()
    bits.u(20)
    return True


def read_pps(unit: bytes) -> Pps:
    """Read a picture parameter set. Raises ValueError with the reason if it is damaged."""
    try:
        return _pps(unit)
    except ValueError as error:
        raise ValueError(f"the picture parameter set cannot be used: {error}") from None


def _pps(unit: bytes) -> Pps:
    if not unit or unit[0] & 0x1F != PPS:
        raise ValueError("it is of another type")
    bits = Bits(payload(unit))
    pps_id, sps_id = bits.ue(255), bits.ue(31)
    bits.flag()
    bottom_field_order = bits.flag()
    _skip_slice_groups(bits)
    bits.ue(31)
    bits.ue(31)
    bits.u(3)
    for _ in range(3):
        bits.se()
    bits.u(2)
    return Pps(pps_id, sps_id, bottom_field_order, bits.flag())


def _skip_slice_groups(bits: Bits) -> None:
    groups = bits.ue(7) + 1
    if groups == 1:
        return
    kind = bits.ue(6)
    if kind == 0:
        for _ in range(groups):
            bits.ue()
    elif kind == 2:
        for _ in range(2 * (groups - 1)):
            bits.ue()
    elif kind in {3, 4, 5}:
        bits.flag()
        bits.ue()
    elif kind == 6:
        size = (groups - 1).bit_length()
        for _ in range(bits.ue(MAX_SIDE * 64) + 1):
            bits.u(size)
