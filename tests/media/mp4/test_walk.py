from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import segmentfiles
from support.walked import assert_located, rescan
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4.fragment import MOOF, MOOF_BYTES, moof_fields

FRAGMENTS = 4
many = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_every_changed_byte_is_found_and_located(clean: Path) -> None:
    """Exhaustive: each byte of the file, all of its bits at once."""
    whole = mp4scan.scan(clean, checksums=True)
    original = clean.read_bytes()
    for at in range(len(original)):
        damaged = bytearray(original)
        damaged[at] ^= 0xFF
        found = rescan(clean, damaged)
        assert found.faults, f"byte {at} of {len(original)} was changed and nobody saw it"
        assert_located(whole, found, at)


@many
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_change_of_a_byte_is_found_and_located(clean: Path, place: float, flip: int) -> None:
    whole = mp4scan.scan(clean, checksums=True)
    assert not whole.faults
    original = clean.read_bytes()
    at = int(place * len(original))
    damaged = bytearray(original)
    damaged[at] ^= flip
    try:
        found = rescan(clean, damaged)
        assert found.faults, f"byte {at} of {len(original)}, flip {flip:#x}"
        assert_located(whole, found, at)
    finally:
        clean.write_bytes(original)


def test_each_single_bit_of_a_fragments_header_is_watched(clean: Path) -> None:
    """A `moof` is one flipped bit away from a `moov`, which would end the file."""
    whole = mp4scan.scan(clean, checksums=True)
    original = clean.read_bytes()
    for fragment in (whole.fragments[0], whole.fragments[-1]):
        for at in range(fragment.offset, fragment.offset + MOOF_BYTES):
            for bit in range(8):
                damaged = bytearray(original)
                damaged[at] ^= 1 << bit
                found = rescan(clean, damaged)
                assert_located(whole, found, at)
                assert found.faults


def test_every_truncation_is_found(finished: Path) -> None:
    original = finished.read_bytes()
    for length in range(len(original)):
        found = rescan(finished, original[:length])
        assert found.faults, f"cut to {length} of {len(original)} bytes and nobody saw it"
        assert not found.finalized


def test_a_truncation_of_an_open_segment_is_found_unless_it_falls_between_fragments(
    unfinished: Path,
) -> None:
    whole = mp4scan.scan(unfinished, checksums=True)
    between = {whole.fragments[0].offset, *(f.offset + f.size_bytes for f in whole.fragments)}
    original = unfinished.read_bytes()
    for length in range(len(original)):
        found = rescan(unfinished, original[:length])
        assert bool(found.faults) == (length not in between), length
        kept = [f for f in whole.fragments if f.offset + f.size_bytes <= length]
        assert list(found.fragments) == kept
        if found.faults and length > whole.fragments[0].offset:
            assert found.faults[0].fragment == len(kept) + 1
            assert found.faults[0].offset == length


def test_bytes_that_follow_a_finished_segment_are_found(finished: Path) -> None:
    for extra in (b"\0", bytes(100), segmentfiles.fragment(5, start_unix_ns=0)):
        assert rescan(finished, finished.read_bytes() + extra).faults


def test_a_fragment_taken_out_of_the_middle_is_missed(clean: Path) -> None:
    whole = mp4scan.scan(clean, checksums=True)
    gone = whole.fragments[1]
    data = clean.read_bytes()
    found = rescan(clean, data[: gone.offset] + data[gone.offset + gone.size_bytes :])
    assert 2 in {fault.fragment for fault in found.faults}


def test_two_fragments_exchanged_are_found(unfinished: Path) -> None:
    parts = [segmentfiles.fragment(n, start_unix_ns=0) for n in (1, 3, 2, 4)]
    found = rescan(unfinished, segmentfiles.join(parts))
    assert found.faults
    assert found.faults[0].fragment == 2


def test_damage_over_several_fragments_costs_only_those(clean: Path) -> None:
    whole = mp4scan.scan(clean, checksums=True)
    damaged = bytearray(clean.read_bytes())
    second, third = whole.fragments[1:3]
    damaged[second.offset : third.offset + 100] = bytes(third.offset + 100 - second.offset)
    found = rescan(clean, damaged)
    assert {fault.fragment for fault in found.faults} == {2, 3}
    assert [f.sequence for f in found.fragments] == [1, 4]
    assert found.finalized == whole.finalized


def test_without_checksums_the_structure_is_still_checked(clean: Path) -> None:
    whole = mp4scan.scan(clean, checksums=False)
    second = whole.fragments[1]
    damaged = bytearray(clean.read_bytes())
    damaged[second.offset + second.size_bytes - 100] ^= 1  # a byte of a picture
    clean.write_bytes(damaged)
    assert mp4scan.scan(clean, checksums=False).faults == ()
    damaged[second.offset + 4] ^= 1
    clean.write_bytes(damaged)
    assert [f.fragment for f in mp4scan.scan(clean, checksums=False).faults] == [2]


def test_a_header_that_claims_millions_of_frames_is_not_believed(unfinished: Path) -> None:
    rows = 50_000_000
    moof = MOOF.pack(*moof_fields(1, 0, rows))
    found = rescan(unfinished, segmentfiles.join([moof, bytes(5000)]))
    assert [f.what for f in found.faults] == ["a fragment's header is damaged"]
