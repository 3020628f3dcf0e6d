from __future__ import annotations

import pytest

from touchline.media.h264.sei import recovery_frames

USER_DATA = b"\x05\x02ab"
RECOVERY_IN_3 = b"\x06\x01\x24"


@pytest.mark.parametrize(
    ("messages", "frames"),
    [
        (RECOVERY_IN_3, 3),
        (USER_DATA + RECOVERY_IN_3, 3),
        (b"\x05\xff\x01" + b"x" * 256 + RECOVERY_IN_3, 3),
        (b"\x06\x01\xc4", 0),
        (USER_DATA, None),
        (b"\x06\x01\x00", None),
        (b"\x05\xff", None),
        (b"", None),
    ],
)
def test_a_recovery_point_is_found_behind_other_messages(
    messages: bytes, frames: int | None
) -> None:
    assert recovery_frames(b"\x06" + messages + b"\x80") == frames
