from __future__ import annotations

from pathlib import Path

import av
import pytest

from support import segmentfiles
from support.coded import encoded
from support.frames import counters
from support.segments import write_open
from touchline.media.mp4 import cut as mp4cut
from touchline.media.mp4 import scan, writer
from touchline.media.mp4.fragment import MOOF_BYTES, TRUN_ENTRY_BYTES
from touchline.media.mp4.segment import SegmentPlace, mp4_segment, ts_segment


def content(cut: mp4cut.Cut) -> bytes:
    parts = [cut.head]
    for part in cut.body:
        if isinstance(part, bytes):
            parts.append(part)
            continue
        with part.path.open("rb") as file:
            file.seek(part.offset)
            parts.append(file.read(part.size_bytes))
    return b"".join(parts)


@pytest.mark.parametrize("bframes", [0, 2])
def test_both_containers_hold_the_same_frames_at_the_same_times(
    tmp_path: Path, bframes: int
) -> None:
    path = write_open(tmp_path / "open.mp4", encoded(50, gop=25, bframes=bframes))
    index = scan.index(path)
    fragments, codec = index.scan.fragments, index.table.codec
    place = SegmentPlace(4, 900_000, 0, index.table.early_ticks)
    as_mp4, as_ts = tmp_path / "a.mp4", tmp_path / "a.ts"
    cut = mp4_segment(path, fragments, place)
    as_mp4.write_bytes(writer.live_init(codec) + content(cut))
    assert cut.size_bytes == len(content(cut))
    as_ts.write_bytes(content(ts_segment(path, codec, fragments, place)))
    assert counters(as_mp4) == counters(as_ts) == list(range(50))
    times = []
    for each in (as_mp4, as_ts):
        with av.open(str(each)) as file:
            times.append([float(frame.time or 0) for frame in file.decode(video=0)])
    steps = [[round(b - times[n][0], 4) for b in times[n]] for n in (0, 1)]
    assert steps[0] == steps[1]
    assert times[0][0] == pytest.approx(10.0, abs=0.2)


def test_the_last_frame_lasts_as_long_as_it_is_told(tmp_path: Path) -> None:
    path = segmentfiles.write_segment(tmp_path / "a.mp4")
    fragments = scan.index(path).scan.fragments
    data = content(mp4_segment(path, fragments[:2], SegmentPlace(1, 0, longer_ticks=45_000)))
    plain = content(mp4_segment(path, fragments[:2], SegmentPlace(1, 0)))
    last = MOOF_BYTES + TRUN_ENTRY_BYTES * 19
    ticks = [int.from_bytes(d[last : last + 4], "big") for d in (data, plain)]
    assert ticks[0] - ticks[1] == 45_000


def test_a_file_that_changed_or_is_a_link_is_refused(tmp_path: Path) -> None:
    path = segmentfiles.write_segment(tmp_path / "a.mp4")
    fragments = scan.index(path).scan.fragments
    (tmp_path / "link.mp4").symlink_to(path)
    with pytest.raises(OSError, match="not a regular file"):
        mp4_segment(tmp_path / "link.mp4", fragments, SegmentPlace(1, 0))
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(ValueError, match="has changed"):
        mp4_segment(path, fragments, SegmentPlace(1, 0))
