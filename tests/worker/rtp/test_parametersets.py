from __future__ import annotations

from support.rtpcamera import encoded
from touchline.media.h264 import units
from touchline.worker.rtp.parametersets import ParameterSets

X264 = "keyint=20:bframes=0"


def sets(width: int = 160) -> tuple[bytes, bytes]:
    nals = encoded(4, X264, width=width)[0].nals
    by_type = {n[0] & 31: n for n in nals}
    return by_type[7], by_type[8]


def test_a_sequence_set_takes_effect_with_the_keyframe_that_uses_it() -> None:
    known = ParameterSets()
    for each in sets():
        known.add(each)
    first = known.of_picture(0, may_change=True)
    assert first is not None
    codec, extra = known.begin(first, keyframe=True, may_change=True)
    assert ((codec.width, codec.height), extra) == ((160, 96), [])
    assert units.parameter_sets(codec.avcc) == list(sets())
    known.add(sets(320)[0])
    between = known.of_picture(0, may_change=False)
    assert between is not None
    assert between.sps.width == 160
    assert known.begin(between, keyframe=False, may_change=False)[0] is codec
    after = known.of_picture(0, may_change=True)
    assert after is not None
    assert known.begin(after, keyframe=True, may_change=True)[0].width == 320


def test_a_changed_picture_set_stands_in_front_of_every_keyframe_and_keeps_the_codec() -> None:
    known = ParameterSets()
    sps, pps = sets()
    other = next(n for n in encoded(4, X264 + ":qp=31")[0].nals if n[0] & 31 == 8 and n != pps)
    for each in (sps, pps):
        known.add(each)
    found = known.of_picture(0, may_change=True)
    assert found is not None
    codec, _ = known.begin(found, keyframe=True, may_change=True)
    known.add(other)
    assert known.begin(found, keyframe=False, may_change=False) == (codec, [other])
    assert known.begin(found, keyframe=False, may_change=False) == (codec, [])
    assert known.begin(found, keyframe=True, may_change=True) == (codec, [other])
    known.add(pps)
    assert known.begin(found, keyframe=False, may_change=False) == (codec, [pps])
    assert known.begin(found, keyframe=True, may_change=True) == (codec, [])


def test_a_picture_without_its_sets_has_none() -> None:
    known = ParameterSets()
    assert known.of_picture(0, may_change=True) is None
    known.add(sets()[1])
    assert known.of_picture(0, may_change=True) is None
