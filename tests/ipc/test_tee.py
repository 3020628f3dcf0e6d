from __future__ import annotations

from support.coded import Take, frames
from touchline.ipc import tee as tees
from touchline.ipc.tee import Frame, Tee


def test_every_outlet_gets_every_frame_in_order() -> None:
    tee, first, second = Tee(), Take(), Take()
    tee.attach_outlet(first, with_gop=False)
    tee.attach_outlet(second, with_gop=False)
    sent = frames(10, gop=5)
    for frame in sent:
        tee.push(frame)
    assert first.frames == second.frames == sent


def test_an_outlet_hung_on_in_between_can_begin_with_the_newest_keyframe() -> None:
    tee, late = Tee(), Take()
    sent = frames(13, gop=5)
    for frame in sent[:8]:
        tee.push(frame)
    tee.attach_outlet(late, with_gop=True)
    for frame in sent[8:]:
        tee.push(frame)
    assert late.frames == sent[5:]
    assert late.frames[0].keyframe


def test_an_outlet_that_wants_no_past_gets_none() -> None:
    tee, late = Tee(), Take()
    sent = frames(6, gop=5)
    for frame in sent[:5]:
        tee.push(frame)
    tee.attach_outlet(late, with_gop=False)
    tee.push(sent[5])
    assert late.frames == sent[5:]


def test_nothing_comes_after_an_outlet_is_taken_off() -> None:
    tee, gone, stays = Tee(), Take(), Take()
    assert not tee.hung
    tee.attach_outlet(gone, with_gop=False)
    tee.attach_outlet(stays, with_gop=False)
    first, second = frames(2, gop=2)
    tee.push(first)
    tee.take_off(gone)
    tee.push(second)
    assert gone.frames == [first]
    assert stays.frames == [first, second]
    hung = [tee.hung]
    tee.take_off(stays)
    hung.append(tee.hung)
    assert hung == [True, False]


def test_a_break_is_passed_on_and_what_was_kept_is_forgotten() -> None:
    tee, there, late = Tee(), Take(), Take()
    tee.attach_outlet(there, with_gop=False)
    before = frames(3, gop=30)
    for frame in before:
        tee.push(frame)
    tee.interrupted("the cable was pulled")
    tee.attach_outlet(late, with_gop=True)
    assert there.breaks == ["the cable was pulled"]
    assert late.frames == []


def test_frames_without_a_keyframe_before_them_are_passed_on_but_not_kept() -> None:
    tee, there, late = Tee(), Take(), Take()
    tee.attach_outlet(there, with_gop=False)
    deltas = frames(3, gop=30)[1:]
    for frame in deltas:
        tee.push(frame)
    tee.attach_outlet(late, with_gop=True)
    assert there.frames == deltas
    assert late.frames == []


def test_a_gop_that_is_too_large_to_keep_is_not_kept() -> None:
    tee, late = Tee(), Take()
    half = bytes(tees.GOP_LIMIT_BYTES // 2)
    sent: list[Frame] = [frame._replace(data=half) for frame in frames(3, gop=30)]
    for frame in sent:
        tee.push(frame)
    tee.attach_outlet(late, with_gop=True)
    assert late.frames == []
    tee.push(frames(31, gop=30)[30])
    again = Take()
    tee.attach_outlet(again, with_gop=True)
    assert len(again.frames) == 1
