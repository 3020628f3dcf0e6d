from __future__ import annotations

import pytest

from support.codedbytes import CODEC, PPS, SPS, unit
from touchline.media.h264.units import (
    annex_b,
    codec_string,
    configuration_record,
    length_bytes,
    parameter_sets,
    split_annex_b,
    units,
)


def test_parameter_sets_come_out_of_the_decoder_configuration() -> None:
    assert parameter_sets(CODEC.avcc) == [SPS, PPS]
    assert length_bytes(CODEC.avcc) == 4
    assert codec_string(CODEC.avcc) == "avc1.42c01f"


@pytest.mark.parametrize(
    "avcc", [b"", CODEC.avcc[:5], CODEC.avcc[:10] + b"", b"\x01\x42\xc0\x1f\xff\xe1"]
)
def test_a_damaged_configuration_is_refused(avcc: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        parameter_sets(avcc)


def test_a_keyframe_gets_its_parameter_sets_in_front_unless_it_has_them() -> None:
    start = b"\0\0\0\1"
    bare = unit(b"\x65abc")
    assert annex_b(bare, CODEC) == start + SPS + start + PPS + start + b"\x65abc"
    whole = unit(SPS) + unit(PPS) + bare
    assert annex_b(whole, CODEC) == start + SPS + start + PPS + start + b"\x65abc"


def test_a_length_that_leads_outside_is_refused() -> None:
    assert [bytes(u) for u in units(unit(b"ab") + unit(b"") + unit(b"c"))] == [b"ab", b"c"]
    with pytest.raises(ValueError, match="longer"):
        list(units(b"\0\0\0\x09abc"))


def test_a_byte_stream_is_split_at_its_start_codes() -> None:
    stream = b"\0\0\0\1" + SPS + b"\0\0\1" + PPS + b"\0\0\0\1" + b"\x65abc"
    assert list(split_annex_b(stream)) == [SPS, PPS, b"\x65abc"]
    assert list(split_annex_b(b"")) == []


def test_a_configuration_has_the_sets_that_it_was_built_from() -> None:
    record = configuration_record([b"\x09\x10", SPS, PPS])
    assert parameter_sets(record) == [SPS, PPS]
    assert codec_string(record) == codec_string(CODEC.avcc)
