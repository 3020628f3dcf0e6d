from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.frames import assert_gapless, counters
from touchline.media.picture.testpicture import TestPicture, counter_bottom, read_counter

SIZES = [(160, 90), (162, 92), (320, 240), (640, 360), (854, 480), (1280, 720), (1080, 1920)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("counter", [0, 1, 0x55555555, 0xAAAAAAAA, 0xFFFFFFFF])
def test_the_counter_is_read_back_at_any_size(width: int, height: int, counter: int) -> None:
    frame = TestPicture("CAM", width, height, 30).frame(counter, 0.0)
    assert len(frame) == width * height * 3 // 2
    assert read_counter(frame, width, height) == counter


@given(counter=st.integers(0, 2**40))
def test_the_counter_is_the_index_modulo_two_to_the_thirty_two(counter: int) -> None:
    assert read_counter(PICTURE.frame(counter, 0.0), 320, 180) == counter % 2**32


PICTURE = TestPicture("CAM", 320, 180, 30)


def test_the_lines_down_to_the_counter_are_enough() -> None:
    frame = PICTURE.frame(77, 0.0)
    lines = counter_bottom(180)
    assert read_counter(frame[: lines * 320], 320, 180) == 77
    assert read_counter(frame[: lines * 320 - 1], 320, 180) is None


def test_a_padded_plane_is_read_by_its_stride() -> None:
    frame = PICTURE.frame(4711, 0.0)
    padded = b"".join(frame[y * 320 : (y + 1) * 320] + b"\xff" * 64 for y in range(180))
    assert read_counter(memoryview(padded), 320, 180, stride=384) == 4711


@pytest.mark.parametrize("level", [0, 16, 128, 255])
def test_a_plain_picture_has_no_counter(level: int) -> None:
    assert read_counter(bytes((level,)) * (320 * 180), 320, 180) is None


def test_a_single_wrong_cell_is_noticed() -> None:
    frame = bytearray(PICTURE.frame(123456, 0.0))
    for column in range(1, 23):
        for row in (1, 2):
            broken = bytearray(frame)
            for y in range(row * 9, (row + 1) * 9):
                cell = slice(y * 320 + column * 8, y * 320 + (column + 1) * 8)
                broken[cell] = bytes(251 - level for level in broken[cell])
            assert read_counter(broken, 320, 180) is None, (column, row)


def test_a_grey_cell_is_not_guessed() -> None:
    frame = bytearray(PICTURE.frame(5, 0.0))
    for y in range(9, 18):
        frame[y * 320 + 40 : y * 320 + 48] = bytes((125,)) * 8
    assert read_counter(frame, 320, 180) is None


def test_the_same_index_and_time_draw_the_same_picture() -> None:
    other = TestPicture("CAM", 320, 180, 30)
    assert [other.frame(9, 5.0), other.frame(3, 1.0)] == [
        PICTURE.frame(9, 5.0),
        PICTURE.frame(3, 1.0),
    ]


def test_the_players_move_the_clock_runs_and_the_name_stays() -> None:
    first, second = PICTURE.frame(0, 100.0), PICTURE.frame(30, 100.01)

    def rows(frame: bytes, top: int, bottom: int) -> bytes:
        return frame[top * 9 * 320 : bottom * 9 * 320]

    assert rows(first, 4, 15) != rows(second, 4, 15)
    assert rows(first, 17, 19) != rows(second, 17, 19)
    assert rows(first, 15, 17) == rows(second, 15, 17)


def test_names_differ_in_the_picture_and_odd_characters_become_question_marks() -> None:
    def drawn(name: str) -> bytes:
        return TestPicture(name, 320, 180, 30).frame(0, 0.0)

    assert drawn("LEFT") != drawn("RIGHT")
    assert drawn("left") == drawn("LEFT")
    assert drawn("SÜD") == drawn("S?D")
    assert len(drawn("N" * 500)) == 320 * 180 * 3 // 2


@pytest.mark.parametrize(
    ("width", "height", "fps"),
    [(158, 90, 30), (160, 88, 30), (161, 90, 30), (160, 91, 30), (160, 90, 0)],
)
def test_an_impossible_picture_is_refused(width: int, height: int, fps: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        TestPicture("CAM", width, height, fps)


@pytest.mark.parametrize(("width", "height", "most_ms"), [(1280, 720, 2.0), (1920, 1080, 4.0)])
def test_a_frame_is_drawn_within_its_time(width: int, height: int, most_ms: float) -> None:
    picture = TestPicture("CAM", width, height, 30)

    def cpu_ms(index: int) -> float:
        began = time.thread_time()
        picture.frame(index, index / 30)
        return (time.thread_time() - began) * 1000

    # The fastest of many: the machine is shared, the work is the same each time.
    assert min(cpu_ms(index) for index in range(50)) <= most_ms


def encode(tmp_path: Path, width: int, height: int, frames: range, *options: str) -> Path:
    """A file of drawn frames through ffmpeg's x264."""
    path = tmp_path / "drawn.mp4"
    picture = TestPicture("CAM", width, height, 30)
    command = [
        *("ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p"),
        *("-s", f"{width}x{height}", "-r", "30", "-i", "-", "-c:v", "libx264"),
        *("-preset", "ultrafast", *options, str(path)),
    ]
    raw = b"".join(picture.frame(index, index / 30) for index in frames)
    subprocess.run(command, input=raw, check=True)
    return path


@pytest.mark.parametrize(
    ("width", "height", "kbps"), [(640, 360, 500), (160, 90, 60), (320, 180, 150)]
)
def test_the_counter_survives_a_low_bitrate(
    tmp_path: Path, width: int, height: int, kbps: int
) -> None:
    frames = range(2**24 - 60, 2**24 + 60)
    rate = ("-b:v", f"{kbps}k", "-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k", "-g", "30")
    path = encode(tmp_path, width, height, frames, *rate)
    assert counters(path) == list(frames)
    assert path.stat().st_size * 8 / 4 < kbps * 1000 * 1.3


@pytest.mark.parametrize("scale", ["320:180", "640:480", "1280:720", "854:480"])
def test_the_counter_survives_scaling(tmp_path: Path, scale: str) -> None:
    frames = range(1000, 1030)
    assert counters(encode(tmp_path, 640, 360, frames, "-vf", f"scale={scale}")) == list(frames)


def test_a_missing_frame_is_found(tmp_path: Path) -> None:
    path = encode(tmp_path, 320, 180, range(30), "-vf", "select=not(eq(n\\,7))", "-vsync", "0")
    with pytest.raises(AssertionError, match="1 gaps in 29 frames: frame 7: 6 -> 8"):
        assert_gapless(path)
