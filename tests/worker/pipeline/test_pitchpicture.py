from __future__ import annotations

from pathlib import Path

from support.pitches import empty_pitch
from touchline.ipc.wire import SimulatedPicture
from touchline.media.picture.testpicture import TestPicture, read_counter
from touchline.worker.pipeline.pitchpicture import PitchPicture, open_picture

SIZE = (640, 360)


def test_the_picture_has_its_counter_and_leaves_no_trail() -> None:
    pitch = empty_pitch("left", *SIZE)
    one = PitchPicture("L", *SIZE, 30, side="left", pitch=pitch)
    other = PitchPicture("L", *SIZE, 30, side="left", pitch=pitch)
    for index in range(5):
        one.frame(index * 40, 0.0)
    late = one.frame(900, 1.0)
    assert late == other.frame(900, 1.0)
    assert read_counter(late, *SIZE) == 900


def test_without_the_pitch_the_pattern_is_shown(tmp_path: Path) -> None:
    missing = SimulatedPicture("L", *SIZE, 30, 1, side="left", scene=str(tmp_path / "none"))
    assert type(open_picture(missing)) is TestPicture
    short = tmp_path / "short.i420"
    short.write_bytes(b"123")
    assert (
        type(open_picture(SimulatedPicture("L", *SIZE, 30, 1, "left", str(short)))) is TestPicture
    )
