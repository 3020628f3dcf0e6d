from __future__ import annotations

import re
import struct
from itertools import pairwise
from pathlib import Path

import pytest

from support.segmentfiles import START_UNIX_NS, write_segment
from touchline.capture.library.playback.announcements import Terms
from touchline.capture.library.playback.footage import Footage, FootageFile
from touchline.capture.library.playback.playback import Container, playlist, segment_media
from touchline.core.errors import NotFound
from touchline.media.mp4.cut import FileSpan

pytestmark = pytest.mark.anyio

SECOND_NS = 1_000_000_000
FIRST, SECOND = (f"cam0_20260211_220241_{n:02d}.mp4" for n in range(2))
VOD = Terms("VOD", 0)
FRAGMENTS, LASTS_S = 20, 8.0


async def pieces_of(tmp_path: Path, *, gap_s: float = 0.0) -> tuple[FootageFile, ...]:
    """Two files of eight seconds each, which follow each other."""
    later_ns = START_UNIX_NS + round((LASTS_S + gap_s) * SECOND_NS)
    write_segment(tmp_path / "segments" / FIRST, FRAGMENTS)
    write_segment(tmp_path / "segments" / SECOND, FRAGMENTS, start_unix_ns=later_ns)
    return (await Footage().read(tmp_path, "cam0")).pieces


def text_of(
    pieces: tuple[FootageFile, ...],
    *,
    growing: bool = False,
    terms: Terms = VOD,
    container: Container = "ts",
) -> str:
    return playlist(
        "a match", "cam0", pieces,
        growing=growing, terms=terms, origin_ns=START_UNIX_NS, container=container,
    )  # fmt: skip


def uris_of(text: str) -> list[tuple[str, int]]:
    """The files and sequences of the media segments."""
    found = re.findall(r"^/\S+/media/(\S+)/(\d+)\.(?:ts|m4s)$", text, re.MULTILINE)
    return [(name, int(sequence)) for name, sequence in found]


async def test_a_whole_match_is_listed_to_its_end(tmp_path: Path) -> None:
    text = text_of(await pieces_of(tmp_path))
    assert text.startswith("#EXTM3U\n#EXT-X-VERSION:3\n")
    assert text.endswith("#EXT-X-ENDLIST\n")
    assert "#EXT-X-PLAYLIST-TYPE:VOD\n" in text
    assert "/api/v1/recordings/a%20match/vod/cam0/media/" in text
    assert [name for name, _ in uris_of(text)] == [FIRST, FIRST, SECOND, SECOND]
    lasts_s = [float(found) for found in re.findall(r"#EXTINF:([\d.]+),", text)]
    assert sum(lasts_s) == pytest.approx(2 * LASTS_S, abs=0.001)
    longest_s = int(re.findall(r"TARGETDURATION:(\d+)", text)[0])
    assert max(lasts_s) <= longest_s


async def test_a_growing_playlist_is_only_appended_to(tmp_path: Path) -> None:
    both = await pieces_of(tmp_path)
    terms = Terms("EVENT", 0)
    texts = [
        text_of(both[:1], growing=True, terms=terms),
        text_of(both, growing=True, terms=terms),
        text_of(both, terms=terms),
    ]
    for early, late in pairwise(texts):
        assert late.startswith(early)
        assert len(uris_of(late)) > len(uris_of(early))
    assert [text.count("ENDLIST") for text in texts] == [0, 0, 1]


async def test_dates_are_those_of_capture_as_corrected(tmp_path: Path) -> None:
    text = text_of(await pieces_of(tmp_path), terms=Terms("VOD", 90 * SECOND_NS))
    began = "2026-02-11T22:04:11.000Z"
    assert f'#EXT-X-DATERANGE:ID="match",START-DATE="{began}"' in text
    dates = re.findall(r"PROGRAM-DATE-TIME:(\S+)", text)
    assert dates[0] == began
    assert dates == sorted(dates)
    assert len(dates) == len(uris_of(text))


@pytest.mark.parametrize(("gap_s", "breaks"), [(0.0, 0), (0.5, 0), (30.0, 1)])
async def test_a_long_gap_is_a_discontinuity(tmp_path: Path, gap_s: float, breaks: int) -> None:
    text = text_of(await pieces_of(tmp_path, gap_s=gap_s))
    assert text.count("#EXT-X-DISCONTINUITY\n") == breaks


async def test_fragmented_segments_share_one_initialization_section(tmp_path: Path) -> None:
    text = text_of(await pieces_of(tmp_path), container="mp4")
    assert "#EXT-X-VERSION:7\n" in text
    assert re.findall(r'#EXT-X-MAP:URI=".*/init/(\S+)"', text) == [FIRST]


async def test_each_segment_of_a_playlist_can_be_had(tmp_path: Path) -> None:
    pieces = await pieces_of(tmp_path)
    footage_bytes = 0
    for number, (name, sequence) in enumerate(uris_of(text_of(pieces, container="mp4")), 1):
        made = segment_media(pieces, name, sequence, growing=False, container="mp4")
        assert struct.unpack_from(">4s4xI", made.head, made.head.index(b"mfhd"))[1] == number
        spans = [part for part in made.body if isinstance(part, FileSpan)]
        assert {span.path.name for span in spans} == {name}
        footage_bytes += sum(span.size_bytes for span in spans)
    assert footage_bytes == sum(e.size_bytes for p in pieces for _, e in p.index.table.entries())


@pytest.mark.parametrize(
    ("name", "sequence", "growing"),
    [(FIRST, 2, False), (FIRST, 999, False), ("cam9.mp4", 1, False), (SECOND, 15, True)],
)
async def test_what_no_playlist_lists_is_not_found(
    tmp_path: Path, name: str, sequence: int, *, growing: bool
) -> None:
    pieces = await pieces_of(tmp_path)
    with pytest.raises(NotFound) as raised:
        segment_media(pieces, name, sequence, growing=growing, container="ts")
    assert raised.value.code == "segment_not_found"


async def test_the_segment_of_a_file_that_has_gone_is_not_found(tmp_path: Path) -> None:
    pieces = await pieces_of(tmp_path)
    pieces[0].path.unlink()
    with pytest.raises(NotFound):
        segment_media(pieces, FIRST, 1, growing=False, container="ts")
