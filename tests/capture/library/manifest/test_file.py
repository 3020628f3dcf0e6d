from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from support import segmentfiles
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest import manifest as m
from touchline.core.errors import Refused

NAME = "cam0_20260211_220241_00.mp4"


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    manifest = m.Manifest(
        match_id="m1",
        state="recording",
        clock=m.MatchClock(start_unix_ns=1, start_monotonic_ns=2, boot_id="b"),
        cameras={"cam0": m.CameraFacts(kind="rtsp", name="Main stand", width=1920, height=1080)},
        segments=(m.SegmentRecord(name=NAME, camera="cam0", index=0, frames=3, verified=True),),
        gaps=(m.Gap(camera="cam0", from_unix_ns=1, to_unix_ns=None, reason="stalled"),),
        interruptions=(m.Interruption(at_unix_ns=5, reason="power", resumed=True),),
        integrity={"checked": True},
        process_after_recording=True,
        protected=True,
    )
    manifestfile.save(tmp_path, manifest)
    assert manifestfile.load(tmp_path) == manifest
    assert [p.name for p in tmp_path.iterdir()] == ["match.json"]


def test_a_save_that_fails_leaves_the_old_manifest(tmp_path: Path) -> None:
    old = m.Manifest(match_id="m1", state="recording")
    manifestfile.save(tmp_path, old)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))  # the new file cannot be written
    try:
        with pytest.raises(OSError, match="too large"):
            manifestfile.save(tmp_path, old.model_copy(update={"state": "finished"}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in tmp_path.iterdir()] == ["match.json"]
    assert manifestfile.load(tmp_path) == old


def test_a_folder_without_a_manifest_has_none(tmp_path: Path) -> None:
    assert manifestfile.load(tmp_path) is None


def test_a_damaged_manifest_is_put_aside_and_read_back_from_the_segments(tmp_path: Path) -> None:
    segmentfiles.write_segment(tmp_path / "segments" / NAME)
    (tmp_path / "match.json").write_text('{"match_id": "m')
    manifest = manifestfile.load(tmp_path)
    assert manifest is not None
    assert manifest.segments[0].frames == 50
    assert (tmp_path / "match.json.damaged").read_text() == '{"match_id": "m'
    assert manifestfile.load(tmp_path) == manifest


@pytest.mark.parametrize("extra", [{}, {"segments": "described otherwise by then"}])
def test_a_manifest_of_a_newer_version_is_left_alone(tmp_path: Path, extra: dict[str, str]) -> None:
    text = json.dumps({"format_version": 99, "match_id": "m1", "state": "finished", **extra})
    (tmp_path / "match.json").write_text(text)
    with pytest.raises(Refused) as raised:
        manifestfile.load(tmp_path)
    assert raised.value.code == "manifest_too_new"
    assert (tmp_path / "match.json").read_text() == text
