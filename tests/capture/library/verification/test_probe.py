from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from touchline.capture.library.verification.probe import Prober, read_answer

pytestmark = pytest.mark.anyio

needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="ffmpeg is not installed"
)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


COUNTING = (
    "import sys; open(sys.argv[1] + '.asked', 'a').write('x');"
    'print(\'{"streams": [{"avg_frame_rate": "30/1"}], "format": {"duration": "2.0"}}\')'
)


@pytest.fixture(scope="session")
def h264(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("h264") / "cam0.mp4"
    command = [
        *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=2"),
        *("-c:v", "libx264", "-preset", "ultrafast", str(path)),
    ]
    subprocess.run(command, check=True)
    return path


@needs_ffmpeg
async def test_a_good_file_is_told_with_ffprobes_own_numbers(h264: Path) -> None:
    prober = Prober(timeout_s=8)
    probe = await prober.probe(h264)
    told = probe.to_json()
    assert told.pop("bit_rate").isdigit()
    assert told == {
        "checked": True,
        "ok": True,
        "error": None,
        "cached": False,
        "duration": "2.000000",
        "avg_frame_rate": "25/1",
    }
    again = await prober.probe(h264)
    assert again.cached
    assert again.duration == "2.000000"


@needs_ffmpeg
async def test_a_broken_file_is_told_in_ffprobes_own_words(h264: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(h264.read_bytes()[:5_000])
    probe = await Prober(timeout_s=8).probe(cut)
    assert probe.ok is False
    assert "moov atom not found" in str(probe.error)


@needs_ffmpeg
async def test_a_name_is_never_taken_for_an_option_or_a_protocol(
    h264: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-version", "concat:x.mp4"):
        shutil.copy(h264, tmp_path / name)
        assert (await Prober(timeout_s=8).probe(Path(name))).duration == "2.000000"


async def test_a_file_without_video_has_no_video_stream() -> None:
    assert read_answer(b'{"streams": [], "format": {"duration": "1"}}').error == "no_video_stream"


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"\xff", b'{"streams": [1]}', b'{"streams": {"a":1}}']
)
async def test_an_answer_that_makes_no_sense_is_an_error(text: bytes) -> None:
    probe = read_answer(text)
    assert probe.ok is False
    assert str(probe.error).startswith("ffprobe_exception:")


async def test_without_ffprobe_there_is_no_opinion(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    probe = await Prober(timeout_s=1, command=("no-such-ffprobe",)).probe(path)
    assert (probe.checked, probe.ok, probe.error) == (False, None, "ffprobe_not_available")


async def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    probe = await Prober(timeout_s=1).probe(tmp_path / "absent.mp4")
    assert probe.ok is False
    assert "absent.mp4" in str(probe.error)


async def test_a_program_that_hangs_is_killed_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    code = (
        "import os,sys,time; open(sys.argv[1]+'.pid','w').write(str(os.getpid())); time.sleep(60)"
    )
    began_s = time.monotonic()
    probe = await Prober(timeout_s=1, command=python(code)).probe(path)
    assert time.monotonic() - began_s < 10
    assert probe.error == "ffprobe_exception:no answer within 1 s"
    pid = (tmp_path / "a.mp4.pid").read_text()
    assert not Path("/proc", pid).exists()  # killed, and waited for


async def test_an_exit_without_words_is_told_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    probe = await Prober(timeout_s=5, command=python("raise SystemExit(3)")).probe(path)
    assert probe.error == "ffprobe_exit_3"


async def test_an_answer_is_kept_ten_seconds_and_only_for_the_same_file(tmp_path: Path) -> None:
    now = [100.0]
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    asked = tmp_path / "a.mp4.asked"
    prober = Prober(timeout_s=5, command=python(COUNTING), clock=lambda: now[0])

    assert not (await prober.probe(path)).cached
    now[0] = 109.9
    assert (await prober.probe(path)).cached
    now[0] = 110.1
    assert not (await prober.probe(path)).cached
    path.write_bytes(b"xy")
    assert not (await prober.probe(path)).cached
    assert asked.read_text() == "xxx"
