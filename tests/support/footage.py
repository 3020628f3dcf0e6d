"""What a camera's files hold, compared with what the camera never sent.

A simulated camera that draws or encodes live leaves frames out while the machine is busy. It counts
them, or lists in its ledger what it delivered: every other frame that is missing was lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from support.frames import counters
from support.rtsp import RtspCamera
from support.server import Server, wait_for
from touchline.media.mp4 import scan
from touchline.sim.rtsp.ledger import Entry


def rising(*paths: Path | str) -> list[int]:
    """Read the counters of the files one after the other; no frame is shown twice or too late."""
    found = [counter for path in paths for counter in counters(path)]
    assert found, f"no frame at all in {[str(path) for path in paths]}"
    back = [f"{before} -> {after}" for before, after in pairwise(found) if after <= before]
    assert not back, f"{len(back)} steps back in {len(found)} frames: {'; '.join(back[:10])}"
    return found


def missing(found: Sequence[int]) -> int:
    """Count the frames that are missing between the first and the last."""
    return found[-1] - found[0] + 1 - len(found) if found else 0


def span(found: Sequence[int]) -> int:
    """Count the frames from the first to the last, whether they are there or not."""
    return found[-1] - found[0] + 1


def left_out(server: Server, camera: int) -> int:
    """Return how many frames the camera did not send, by its own count so far."""
    (told,) = [c for c in server.get("/cameras")["cameras"] if c["id"] == camera]
    return int(told["dropped"]["source"])


def assert_complete(
    server: Server, match_id: str, camera: int, part: int | None = None
) -> list[int]:
    """Read a camera's files, or one of them, which lack only what the camera never sent."""
    paths = server.segments(match_id, camera)
    found = rising(*(paths if part is None else [paths[part]]))
    _assert_left_out(server, camera, found)
    return found


def gaps(server: Server, match_id: str) -> list[dict[str, Any]]:
    """Return the listed gaps of a match, without those of frames that a camera left out itself."""
    return [gap for gap in server.manifest(match_id)["gaps"] if gap["kind"] != "frames"]


def assert_shown(server: Server, camera: int, film: Path) -> list[int]:
    """Read what a viewer took of a camera, which lacks only what the camera never sent."""
    found = rising(film)
    _assert_left_out(server, camera, found)
    return found


def _assert_left_out(server: Server, camera: int, found: Sequence[int]) -> None:
    absent = missing(found)
    what = f"as many frames left out by camera {camera} as the {absent} that are missing"
    # The count is told twice a second: the last of it may still be on its way.
    wait_for(lambda: left_out(server, camera) >= absent, what)


def on_disk(server: Server, match_id: str, camera: int) -> tuple[int, int]:
    """Return how many frames are on the disk, and how many the camera had left out by then."""
    paths = server.segments(match_id, camera)
    frames = sum(scan.scan(path, checksums=False).frames for path in paths)
    for _ in range(2):  # the second news from now on was certainly made later
        told = _told_frames(server, camera)
        wait_for(lambda: _told_frames(server, camera) != told, "told of")  # noqa: B023
    return frames, left_out(server, camera)


def assert_kept(path: Path, before: tuple[int, int]) -> list[int]:
    """Read a file whose worker died: it holds all that was on the disk before, in order."""
    (frames, camera_left_out), found = before, rising(path)
    assert len(found) >= frames
    assert missing(found[:frames]) <= camera_left_out
    return found


def assert_delivered(found: Sequence[int], ledger: Sequence[Entry]) -> None:
    """Insist that between the first and the last frame nothing is missing that was delivered."""
    sent = {entry["counter"] for entry in ledger if entry["event"] == "frame" and entry["whole"]}
    lost = sorted(sent.intersection(range(found[0], found[-1] + 1)) - set(found))
    assert not lost, f"{len(lost)} frames were delivered and are missing: {lost[:10]}"


def assert_all_delivered(server: Server, match_id: str, camera: int, by: RtspCamera) -> list[int]:
    """Read the files of an RTSP camera, which lack only what it never delivered."""
    found = rising(*server.segments(match_id, camera))
    assert_delivered(found, by.ledger())
    return found


def _told_frames(server: Server, camera: int) -> int:
    return int(server.status()["cameras"][f"camera_{camera}"]["frames"])
