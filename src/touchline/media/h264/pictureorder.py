"""Order in which pictures are shown, from their slice headers (ITU-T H.264, clause 8.2.1)."""

from __future__ import annotations

from touchline.media.h264.slices import Slice
from touchline.media.h264.syntax import IDR, Sps


class PictureOrder:
    """Computes picture order counts, which rise in presentation order.

    An IDR picture restarts the count.
    """

    def __init__(self) -> None:
        self._prev_msb = self._prev_lsb = 0
        self._prev_frame_num = self._prev_offset = 0

    def count(self, head: Slice, sps: Sps) -> int:
        """Return the order count of the picture with this first slice; call it in decode order."""
        if sps.poc_type == 0:
            return self._type_0(head, sps)
        offset = self._frame_num_offset(head, sps)
        if sps.poc_type == 2:
            return 2 * (offset + head.frame_num) - (head.ref_idc == 0)
        return self._type_1(head, sps, offset)

    def _type_0(self, head: Slice, sps: Sps) -> int:
        size = 1 << sps.poc_lsb_bits
        if head.unit_type == IDR:
            self._prev_msb = self._prev_lsb = 0
        msb, half = self._prev_msb, size // 2
        if head.poc_lsb < self._prev_lsb and self._prev_lsb - head.poc_lsb >= half:
            msb += size
        elif head.poc_lsb > self._prev_lsb and head.poc_lsb - self._prev_lsb > half:
            msb -= size
        if head.ref_idc:
            self._prev_msb, self._prev_lsb = msb, head.poc_lsb
        return msb + head.poc_lsb + min(head.delta_bottom, 0)

    def _frame_num_offset(self, head: Slice, sps: Sps) -> int:
        if head.unit_type == IDR:
            offset = 0
        elif self._prev_frame_num > head.frame_num:
            offset = self._prev_offset + (1 << sps.frame_num_bits)
        else:
            offset = self._prev_offset
        self._prev_frame_num, self._prev_offset = head.frame_num, offset
        return offset

    def _type_1(self, head: Slice, sps: Sps, offset: int) -> int:
        cycle = len(sps.ref_frame_offsets)
        number = offset + head.frame_num if cycle else 0
        if head.ref_idc == 0 and number > 0:
            number -= 1
        count = 0
        if number > 0:
            whole, rest = divmod(number - 1, cycle)
            count = whole * sum(sps.ref_frame_offsets) + sum(sps.ref_frame_offsets[: rest + 1])
        if head.ref_idc == 0:
            count += sps.non_ref_offset
        return count + head.delta_0 + min(head.delta_1, 0)
