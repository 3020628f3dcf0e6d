from __future__ import annotations

import pytest

from touchline.media.mp4.fragment import MOOF_BYTES, live_fragment, moof, read_moof
from touchline.media.mp4.sample import Mp4Sample


@pytest.mark.parametrize(
    ("sequence", "dts", "samples"), [(1, 0, 1), (2**32 - 1, 2**63 - 1, 100_000)]
)
def test_a_fragments_header_reads_back_what_was_written(
    sequence: int, dts: int, samples: int
) -> None:
    data = moof(sequence, dts, samples)
    assert len(data) == MOOF_BYTES
    assert read_moof(data) == (sequence, dts, samples)


@pytest.mark.parametrize("dts", [-5, 2**70])
def test_no_time_of_a_camera_breaks_a_header(dts: int) -> None:
    found = read_moof(moof(1, dts, 1))
    assert found is not None
    assert found[1] == min(max(dts, 0), 2**63 - 1)


def test_a_damaged_header_is_none() -> None:
    data = bytearray(moof(7, 90_000, 6))
    for at in range(MOOF_BYTES):
        data[at] ^= 0xFF
        assert read_moof(bytes(data)) != (7, 90_000, 6)
        data[at] ^= 0xFF
    assert read_moof(moof(7, 90_000, 0)) is None


def test_a_live_fragment_ends_with_its_frames() -> None:
    samples = [
        Mp4Sample(b"one", 0, 0, 3600, keyframe=True),
        Mp4Sample(b"two", 3600, 3600, 3600, False),
    ]
    assert live_fragment(1, samples).endswith(b"\0\0\0\x0emdatonetwo")
