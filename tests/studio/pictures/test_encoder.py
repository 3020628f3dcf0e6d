from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from touchline.media.h264.colour import colour_of
from touchline.media.h264.syntax import Colour, read_sps
from touchline.media.h264.units import SPS, annex_b, parameter_sets
from touchline.studio.pictures.encoder import (
    EncodedPicture,
    Encoder,
    EncoderQuality,
    convert_range,
    join_codecs,
    range_of,
)
from touchline.studio.pictures.planes import new_frame

FULL = Colour(1, 1, 1, full_range=True)
LIMITED = Colour(1, 1, 1, full_range=False)
STEP_NS = 40_000_000


def grey(level: int) -> av.VideoFrame:
    frame, planes = new_frame(64, 48)
    planes.fill_black()
    planes.y[:] = level
    return frame


def encoded(encoder: Encoder, count: int) -> list[EncodedPicture]:
    found: list[EncodedPicture] = []
    for number in range(count):
        found += encoder.encode(grey(40 + number), number * STEP_NS)
    return [*found, *encoder.flush()]


def encoder(colour: Colour | None = None, **quality: object) -> Encoder:
    given = EncoderQuality(**{"preset": "ultrafast", **quality})  # type: ignore[arg-type]
    return Encoder(64, 48, Fraction(25), given, colour)


def test_every_picture_comes_out_at_its_time_with_a_keyframe_a_second() -> None:
    made = encoder()
    found = encoded(made, 60)
    assert [each.at_ns for each in found] == [n * STEP_NS for n in range(60)]
    assert [n for n, each in enumerate(found) if each.keyframe] == [0, 25, 50]
    decoder = av.CodecContext.create("h264", "r")
    packets = [av.Packet(annex_b(each.data, made.codec)) for each in found]
    shown = [frame for each in [*packets, None] for frame in decoder.decode(each)]
    assert len(shown) == 60
    assert float(shown[-1].to_ndarray(format="gray").mean()) > 40


def test_without_latency_a_picture_comes_out_before_the_next_goes_in() -> None:
    made = encoder(zero_latency=True, bitrate_kbps=500)
    assert [len(list(made.encode(grey(90), n * STEP_NS))) for n in range(5)] == [1] * 5


@pytest.mark.parametrize("colour", [FULL, LIMITED, None])
def test_the_stream_states_the_colours_of_its_pictures(colour: Colour | None) -> None:
    assert colour_of(encoder(colour).codec.avcc) == colour
    assert range_of(colour) == (ColorRange.JPEG if colour is FULL else ColorRange.MPEG)


def test_a_picture_of_the_right_range_is_not_copied_and_another_is_converted() -> None:
    frame = grey(235)
    assert convert_range(frame, LIMITED) is frame
    converted = convert_range(frame, FULL)
    assert float(np.asarray(converted.to_ndarray())[:48].mean()) > 250, "white stays white"


def test_two_streams_are_described_together_by_sets_of_different_numbers() -> None:
    first, second = encoder(profile="baseline"), encoder(preset="veryfast", set_number=3)
    joined = join_codecs(first.codec, second.codec)
    sets = parameter_sets(joined.avcc)
    assert len(sets) == 4
    sps = [read_sps(unit) for unit in sets if unit[0] & 0x1F == SPS]
    assert sorted(each.sps_id for each in sps) == [0, 3]
    assert joined.avcc[1] == 100, "a decoder of both needs the higher profile"
