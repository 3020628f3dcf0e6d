"""Playlists and clips of matches whose files are partly unusable, or that end meanwhile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.segmentfiles import START_UNIX_NS, write_segment
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import file
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.library.playback.clips import Clips
from touchline.capture.library.playback.footage import Filmed, Footage
from touchline.core.errors import NotFound, Refused

pytestmark = pytest.mark.anyio

SECOND_NS = 1_000_000_000
FIRST, SECOND, LATER = (f"cam0_20260211_220241_{n:02d}.mp4" for n in range(3))
FRAGMENTS = 20
LASTS_S = FRAGMENTS * 0.4


class Match:
    """A match in a folder, running or not."""

    def __init__(self, root: Path) -> None:
        self.running = False
        self.folder = root / "final"
        self.segments = self.folder / "segments"
        self.library = Library(root, is_running=lambda _: self.running)
        self.write(FIRST, 0)

    def write(self, name: str, from_s: float) -> None:
        start_ns = START_UNIX_NS + round(from_s * SECOND_NS)
        write_segment(self.segments / name, FRAGMENTS, start_unix_ns=start_ns)

    def clips(self, footage: Footage | None = None) -> Clips:
        places = {"runtime_dir": self.folder, "log_dir": self.folder}
        return Clips(self.library, footage or Footage(), **places)

    async def text(self, clips: Clips) -> str:
        return await clips.playlist("final", "cam0", container="ts")


@pytest.fixture
def match(tmp_path: Path) -> Match:
    return Match(tmp_path / "recordings")


class EndsMeanwhile(Footage):
    """Reads what is there just before the match gets its last footage and ends."""

    def __init__(self, match: Match) -> None:
        super().__init__()
        self._match = match

    async def read(self, folder: Path, camera: str) -> Filmed:
        found = await super().read(folder, camera)
        if self._match.running:
            self._match.write(SECOND, LASTS_S)
            self._match.running = False
        return found


async def test_a_match_that_ends_while_its_playlist_is_made_has_no_end_yet(match: Match) -> None:
    match.running = True
    clips = match.clips(EndsMeanwhile(match))
    early, late = await match.text(clips), await match.text(clips)
    assert "#EXT-X-ENDLIST" not in early
    assert late.startswith(early)
    assert late.endswith("#EXT-X-ENDLIST\n")
    assert SECOND in late


async def test_a_segment_that_was_listed_is_the_same_when_the_match_has_ended(
    match: Match,
) -> None:
    match.running = True
    clips = match.clips(EndsMeanwhile(match))
    text = await match.clips().playlist("final", "cam0", container="mp4")
    listed = [int(number) for number in re.findall(r"/(\d+)\.m4s$", text, re.MULTILINE)]
    for sequence in listed:
        early = await clips.vod_segment("final", "cam0", FIRST, sequence, container="mp4")
        late = await clips.vod_segment("final", "cam0", FIRST, sequence, container="mp4")
        assert early.etag == late.etag
    assert listed
    assert not match.running


async def test_nothing_that_was_listed_changes_when_the_clock_is_set_and_at_the_end(
    match: Match,
) -> None:
    match.running = True
    match.write(SECOND, LASTS_S)
    clips = match.clips()
    early = await match.text(clips)
    match.write(LATER, 2 * LASTS_S)
    kept = rescan(match.folder)
    assert kept.clock is not None
    clock = kept.clock.model_copy(update={"unix_correction_ns": 7200 * SECOND_NS})
    file.save(match.folder, kept.model_copy(update={"clock": clock}))
    corrected = await match.text(clips)
    match.running = False
    finished = await match.text(clips)
    assert corrected.startswith(early)
    assert len(corrected) > len(early)
    assert finished.startswith(corrected)
    assert finished.endswith("#EXT-X-ENDLIST\n")
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in finished
    # Who asks a server that has said nothing of it while it ran gets the dates as they are known.
    anew = await match.text(match.clips())
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in anew
    dates = [re.findall(r"(?:TIME:|DATE=\")([^\"\n]+)", text) for text in (finished, anew)]
    assert len(dates[0]) == len(dates[1]) > 2
    assert not set(dates[0]) & set(dates[1])


async def test_a_playlist_says_when_the_match_began(match: Match) -> None:
    kept = rescan(match.folder)
    assert kept.clock is not None
    clock = kept.clock.model_copy(update={"start_unix_ns": START_UNIX_NS - SECOND_NS})
    file.save(match.folder, kept.model_copy(update={"clock": clock}))
    text = await match.text(match.clips())
    assert '#EXT-X-DATERANGE:ID="match",START-DATE="2026-02-11T22:02:40.000Z"' in text
    assert "#EXT-X-PROGRAM-DATE-TIME:2026-02-11T22:02:41.000Z" in text


async def test_a_clip_of_what_cannot_be_read_says_why(match: Match) -> None:
    (match.segments / SECOND).write_bytes(bytes(5000))
    clips = match.clips()
    begin_ns = START_UNIX_NS + round(LASTS_S * SECOND_NS)
    with pytest.raises(Refused) as refused:
        await clips.clip("final", "cam0", begin_ns, begin_ns + SECOND_NS)
    assert refused.value.code == "footage_unusable"
    assert SECOND in refused.value.message


async def test_a_clip_of_a_time_that_nobody_filmed_is_not_there(match: Match) -> None:
    clips = match.clips()
    begin_ns = START_UNIX_NS + 500 * SECOND_NS
    with pytest.raises(NotFound) as missing:
        await clips.clip("final", "cam0", begin_ns, begin_ns + SECOND_NS)
    assert missing.value.code == "no_footage_then"
