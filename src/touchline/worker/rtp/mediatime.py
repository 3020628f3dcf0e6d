"""Conversion of the camera's RTP times to one media timeline with a place for every picture.

Intervals are the camera's own. Pictures without a usable time (duplicate, constant or disordered
timestamps) get one from the frame rate and their position in the bitstream. If timestamps jump
although no such time has passed, the timeline continues with the elapsed time.
"""

from __future__ import annotations

from collections.abc import Callable

from touchline.media.decodetimes import MAX_DEPTH, Order
from touchline.media.framerate import LEAST_NS, FrameRate
from touchline.worker.rtp.allowance import Allowance

AHEAD_NS = 150_000_000
"""A timestamp this far ahead has jumped: no picture arrives before its capture."""
MOST_AHEAD_NS = 400_000_000
"""Limit ahead of the arrival for times assigned to pictures without one of their own."""
_DECODE_ORDER_EVIDENCE = 2


class MediaTime:
    """Media times of pictures that are given in decode order."""

    def __init__(self, clock_rate: int) -> None:
        self.jumps = 0
        self.last_jump = ""
        self.own_times = 0
        """Pictures that were assigned a time because theirs was unusable."""
        self._rate = clock_rate
        self._raw: int | None = None
        self._ticks = 0
        self._shift_ns = 0
        self._top_ns = 0
        self._stamped_ns = 0
        """Latest time that came from the camera."""
        self._allowance = Allowance()
        self._arrived_ns = 0
        self._frame_rate = FrameRate()
        self._decode_order = 0
        self._sequence: tuple[int, int] | None = None
        self._report: tuple[int, int, int] | None = None

    @property
    def interval_ns(self) -> int:
        """Time between consecutive pictures."""
        return self._frame_rate.interval_ns

    def place(
        self,
        raw: int,
        arrived_ns: int,
        order: Order,
        *,
        frame_ns: int | None,
        ahead_ns: Callable[[int], int],
    ) -> int | None:
        """Return the media time of the next picture, in nanoseconds since the first.

        `raw` is its 32-bit RTP time, `frame_ns` the frame duration according to the stream;
        `ahead_ns` says how far a media time is ahead of the picture's arrival. None for a picture
        for which no time is left: more pictures came than can have been captured.
        """
        if self._raw is None:
            self._raw, self._arrived_ns = raw, arrived_ns
            self._frame_rate.see(0, arrived_ns, step_ns=None, stated_ns=frame_ns)
            self._sequence = (0, order.number)
            return 0
        step = (raw - self._raw + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
        self._raw = raw
        self._ticks += step
        stamp_ns = self._ticks * 1_000_000_000 // self._rate
        # Cameras with stuck timestamps may add a tick per picture, which is no usable time either.
        repeated = abs(step) * 1_000_000_000 // self._rate < LEAST_NS
        jumped = not repeated and self._is_jump(stamp_ns + self._shift_ns, order, ahead_ns)
        ahead = ahead_ns(self._top_ns)
        room = self._allowance.accept_picture(arrived_ns, self.interval_ns, needed=repeated)
        if not room or (repeated and ahead > MOST_AHEAD_NS):
            return None
        if jumped:
            self._jump(stamp_ns, arrived_ns, order)
        at_ns = stamp_ns + self._shift_ns
        if not (repeated and ahead > AHEAD_NS):  # a flood does not show the rate
            step_ns = (at_ns - self._top_ns) // order.pictures
            self._frame_rate.see(at_ns, arrived_ns, step_ns=step_ns, stated_ns=frame_ns)
        if not (repeated or jumped):
            self._stamped_ns = max(self._stamped_ns, at_ns)
        placed_ns = self._place(at_ns, order, repeated=repeated)
        if placed_ns != at_ns:
            self.own_times += 1
        if order.first:
            self._sequence = (placed_ns, order.number)
        self._top_ns, self._arrived_ns = max(self._top_ns, placed_ns), arrived_ns
        return placed_ns

    def reported(self, rtp_time: int, ntp_ns: int, arrived_ns: int) -> None:
        """Record a sender report: this RTP time is that time of the camera's wall clock."""
        self._report = (rtp_time, ntp_ns, arrived_ns)

    # ---------------------------------------------------------------- jumps

    def _is_jump(self, at_ns: int, order: Order, ahead_ns: Callable[[int], int]) -> bool:
        behind = 2 if order.later else 1 - order.pictures + MAX_DEPTH
        # Times assigned during a flood must not displace later timestamps.
        made_up_ns = min(max(self._top_ns - self._stamped_ns, 0), MOST_AHEAD_NS)
        if at_ns < self._top_ns - behind * self.interval_ns - made_up_ns:
            return True
        return at_ns > self._top_ns and ahead_ns(at_ns) > AHEAD_NS

    def _jump(self, stamp_ns: int, arrived_ns: int, order: Order) -> None:
        passed_ns = arrived_ns - self._arrived_ns
        step_ns = self.interval_ns * max(order.pictures, 1)
        to_ns = self._top_ns + (step_ns if passed_ns < 2 * step_ns else passed_ns)
        if not order.later:
            to_ns = self._top_ns + order.pictures * self.interval_ns
        by_s = (stamp_ns + self._shift_ns - to_ns) / 1e9
        self.jumps += 1
        self.last_jump = f"the camera's time stamps jumped by {by_s:+.3f} s"
        self._shift_ns = to_ns - stamp_ns
        self._frame_rate.forget()
        self._sequence = None

    # ---------------------------------------------------------------- places

    def _place(self, at_ns: int, order: Order, *, repeated: bool) -> int:
        by_order_ns = self._top_ns + order.pictures * self.interval_ns
        if not order.later:
            return self._place_earlier(at_ns, by_order_ns, repeated=repeated)
        if self._in_decode_order and not order.first and self._sequence is not None:
            began_ns, began_count = self._sequence
            at_ns = began_ns + (order.number - began_count) * self.interval_ns // 2
        if repeated:
            return by_order_ns
        if at_ns > self._top_ns:
            return at_ns
        return self._top_ns + max(self.interval_ns // 4, LEAST_NS)

    def _place_earlier(self, at_ns: int, by_order_ns: int, *, repeated: bool) -> int:
        """Return the time of a picture that is shown before one that came earlier."""
        if repeated:
            return by_order_ns
        if at_ns >= self._top_ns or self._in_decode_order:
            self._decode_order = min(self._decode_order + (at_ns >= self._top_ns), 4)
            return by_order_ns
        self._decode_order = 0
        return at_ns

    @property
    def _in_decode_order(self) -> bool:
        """Return whether the camera timestamps pictures when sent instead of when shown."""
        return self._decode_order >= _DECODE_ORDER_EVIDENCE
