"""Slice headers, and which slices belong to one picture (ITU-T H.264, 7.3.3 and 7.4.1.2.4)."""

from __future__ import annotations

from typing import NamedTuple

from touchline.media.h264.bits import Bits, payload
from touchline.media.h264.syntax import IDR, Pps, Sps

_SLICE_HEAD_BYTES = 48
"""Upper bound of the part of a slice header that is read here."""


class Slice(NamedTuple):
    """The fields of a slice header that distinguish pictures."""

    unit_type: int
    ref_idc: int
    first_mb: int
    slice_type: int
    pps_id: int
    frame_num: int
    field: bool
    bottom: bool
    idr_pic_id: int
    poc_lsb: int
    delta_bottom: int
    delta_0: int
    delta_1: int
    redundant: bool


def read_slice(unit: bytes, sps: Sps, pps: Pps) -> Slice:
    """Read a slice header (types 1, 2 and 5). Raises ValueError if it is damaged."""
    bits = Bits(payload(unit, _SLICE_HEAD_BYTES))
    unit_type, ref_idc = unit[0] & 0x1F, unit[0] >> 5 & 3
    first_mb, slice_type, pps_id = bits.ue(), bits.ue(9) % 5, bits.ue(255)
    if sps.separate_planes:
        bits.u(2)
    frame_num = bits.u(sps.frame_num_bits)
    field = not sps.frame_mbs_only and bits.flag()
    bottom = field and bits.flag()
    idr_pic_id = bits.ue(65_535) if unit_type == IDR else -1
    lsb = delta_bottom = delta_0 = delta_1 = 0
    if sps.poc_type == 0:
        lsb = bits.u(sps.poc_lsb_bits)
        if pps.bottom_field_order and not field:
            delta_bottom = bits.se()
    elif sps.poc_type == 1 and not sps.delta_pic_order_always_zero:
        delta_0 = bits.se()
        if pps.bottom_field_order and not field:
            delta_1 = bits.se()
    redundant = pps.redundant_pictures and bits.ue(127) > 0
    return Slice(
        unit_type, ref_idc, first_mb, slice_type, pps_id, frame_num, field, bottom, idr_pic_id,
        lsb, delta_bottom, delta_0, delta_1, redundant,
    )  # fmt: skip


def slice_start(unit: bytes) -> tuple[int, int, int]:
    """Read the fields of a slice that need no parameter set: macroblock, type and set id.

    Raises ValueError if it is damaged.
    """
    bits = Bits(payload(unit, _SLICE_HEAD_BYTES))
    return bits.ue(), bits.ue(9) % 5, bits.ue(255)


def same_numbers(a: Slice, b: Slice) -> bool:
    """Return whether two slices have the numbers of one primary picture (7.4.1.2.4)."""
    return (
        a.frame_num == b.frame_num
        and a.pps_id == b.pps_id
        and a.field == b.field
        and a.bottom == b.bottom
        and (a.ref_idc == 0) == (b.ref_idc == 0)
        and a.idr_pic_id == b.idr_pic_id
        and a.poc_lsb == b.poc_lsb
        and a.delta_bottom == b.delta_bottom
        and a.delta_0 == b.delta_0
        and a.delta_1 == b.delta_1
    )


def same_picture(a: Slice, b: Slice) -> bool:
    """Return whether a slice belongs to the primary picture of the slice before it.

    A repeated first macroblock also separates pictures that an encoder wrongly numbered alike.
    """
    return same_numbers(a, b) and (b.first_mb > 0 or b.redundant)


def second_field(a: Slice, b: Slice) -> bool:
    """Return whether `b` starts the other field of the frame of field `a`."""
    return (
        a.field
        and b.field
        and a.bottom != b.bottom
        and a.frame_num == b.frame_num
        and b.unit_type != IDR
        and (a.ref_idc > 0 or b.ref_idc == 0)
    )
