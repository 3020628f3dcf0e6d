"""The camera's RTP times as one line of media time that has a place for every picture.

Steps are the camera's own. Pictures without a time of their own (doubled, constant or disordered
stamps) get one from the frame rate and their place in the bitstream. Where the stamps jump although
no such time has passed, the line goes on as time did.
"""

from __future__ import annotations

from collections.abc import Callable

from touchline.media.decodetimes import MAX_DEPTH, Order
from touchline.media.framerate import LEAST_NS, FrameRate
from touchline.worker.rtp.allowance import Allowance

AHEAD_NS = 150_000_000
"""A stamp that lies so far ahead has jumped: no picture arrives before its capture."""
MOST_AHEAD_NS = 400_000_000
"""Pictures without a time of their own are given none that lies farther ahead of their arrival."""
_DECODE_ORDER_EVIDENCE = 2


class MediaTime:
    """Places pictures that are given in decode order."""

    def __init__(self, clock_rate: int) -> None:
        self.jumps = 0
        self.last_jump = ""
        self.own_times = 0
        """Pictures that were given a time because theirs could not be used."""
        self._rate = clock_rate
        self._raw: int | None = None
        self._ticks = 0
        self._shift_ns = 0
        self._top_ns = 0
        self._stamped_ns = 0
        """The latest time that was the camera's own."""
        self._allowance = Allowance()
        self._arrived_ns = 0
        self._frame_rate = FrameRate()
        self._decode_order = 0
        self._sequence: tuple[int, int] | None = None
        self._report: tuple[int, int, int] | None = None

    @property
    def interval_ns(self) -> int:
        """The time from picture to picture."""
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
        """The media time of the next picture, in nanoseconds since the first.

        `raw` is its 32-bit RTP time, `frame_ns` what the stream says of its frame rate; `ahead_ns`
        says how far a media time lies ahead of the picture's arrival. None for a picture of which
        no time is left: more came than can have been taken since.
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
        # Cameras that stand still may still count a tick a picture, which is no time either.
        repeated = abs(step) * 1_000_000_000 // self._rate < LEAST_NS
        jumped = not repeated and self._jumped(stamp_ns + self._shift_ns, order, ahead_ns)
        ahead = ahead_ns(self._top_ns)
        room = self._allowance.spend(arrived_ns, self.interval_ns, needed=repeated)
        if not room or (repeated and ahead > MOST_AHEAD_NS):
            return None
        if jumped:
            self._jump(stamp_ns, arrived_ns, order)
        at_ns = stamp_ns + self._shift_ns
        if not (repeated and ahead > AHEAD_NS):  # a flood says nothing of the rate
            step_ns = (at_ns - self._top_ns) // order.pictures
            self._frame_rate.see(at_ns, arrived_ns, step_ns=step_ns, stated_ns=frame_ns)
        if not (repeated or jumped):
            self._stamped_ns = max(self._stamped_ns, at_ns)
        placed_ns = self._placed(at_ns, order, repeated=repeated)
        if placed_ns != at_ns:
            self.own_times += 1
        if order.first:
            self._sequence = (placed_ns, order.number)
        self._top_ns, self._arrived_ns = max(self._top_ns, placed_ns), arrived_ns
        return placed_ns

    def reported(self, rtp_time: int, ntp_ns: int, arrived_ns: int) -> None:
        """Take what the camera reports: this RTP time is that time on its wall clock."""
        self._report = (rtp_time, ntp_ns, arrived_ns)

    # ---------------------------------------------------------------- jumps

    def _jumped(self, at_ns: int, order: Order, ahead_ns: Callable[[int], int]) -> bool:
        behind = 2 if order.later else 1 - order.pictures + MAX_DEPTH
        # Times that were made up for a flood must not push the stamps behind it away.
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

    def _placed(self, at_ns: int, order: Order, *, repeated: bool) -> int:
        by_order_ns = self._top_ns + order.pictures * self.interval_ns
        if not order.later:
            return self._placed_earlier(at_ns, by_order_ns, repeated=repeated)
        if self._in_decode_order and not order.first and self._sequence is not None:
            began_ns, began_count = self._sequence
            at_ns = began_ns + (order.number - began_count) * self.interval_ns // 2
        if repeated:
            return by_order_ns
        if at_ns > self._top_ns:
            return at_ns
        return self._top_ns + max(self.interval_ns // 4, LEAST_NS)

    def _placed_earlier(self, at_ns: int, by_order_ns: int, *, repeated: bool) -> int:
        """A picture that is shown before one that came before it."""
        if repeated:
            return by_order_ns
        if at_ns >= self._top_ns or self._in_decode_order:
            self._decode_order = min(self._decode_order + (at_ns >= self._top_ns), 4)
            return by_order_ns
        self._decode_order = 0
        return at_ns

    @property
    def _in_decode_order(self) -> bool:
        """Whether the camera stamps pictures as it sends them and not as they are shown."""
        return self._decode_order >= _DECODE_ORDER_EVIDENCE
