"""Read files and playlists with parsers that know nothing of this program, nor of each other.

MP4: FFmpeg (ffprobe) and mp4box.js. Playlists: m3u8, hls-parser and FFmpeg.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import m3u8  # type: ignore[import-untyped]

NODE = Path(__file__).parents[1] / "node"
TICK_S = 2 / 90_000
"""Two ticks: times are whole ticks, and some of them rounded twice."""


@dataclass(frozen=True)
class Sample:
    dts_s: float
    pts_s: float
    size_bytes: int
    keyframe: bool


@dataclass(frozen=True)
class Film:
    """What a parser makes of a file. `colour` is None where the file says nothing."""

    width: int
    height: int
    duration_s: float
    samples: list[Sample]
    colour: tuple[int, int, int, bool] | None


def both(path: Path) -> Film:
    """A file as two parsers read it, who must not complain, and must agree on everything."""
    one, other = with_ffprobe(path), with_mp4box(path)
    assert (one.width, one.height) == (other.width, other.height), path
    assert one.colour == other.colour, path
    assert abs(one.duration_s - other.duration_s) < 0.002, path
    assert len(one.samples) == len(other.samples), path
    # FFmpeg takes the edit list into account, mp4box.js does not: times count from the first.
    for a, b in zip(_from_zero(one.samples), _from_zero(other.samples), strict=True):
        assert abs(a.dts_s - b.dts_s) < TICK_S, path
        assert abs(a.pts_s - b.pts_s) < TICK_S, path
        assert (a.size_bytes, a.keyframe) == (b.size_bytes, b.keyframe), path
    return one


def _from_zero(samples: list[Sample]) -> list[Sample]:
    dts_s, pts_s = samples[0].dts_s, min(sample.pts_s for sample in samples)
    return [Sample(s.dts_s - dts_s, s.pts_s - pts_s, s.size_bytes, s.keyframe) for s in samples]


_COLOURS = {
    "bt709": 1,
    "smpte170m": 6,
    "bt470bg": 5,
    "unknown": 2,
}


def with_ffprobe(path: Path) -> Film:
    """As FFmpeg reads it, down to each picture; it must have nothing to say."""
    found = subprocess.run(
        ["ffprobe", "-v", "warning", "-select_streams", "v", "-show_streams", "-show_packets",
         "-ignore_editlist", "1", "-show_format", "-of", "json", str(path)],
        capture_output=True, check=True,
    )  # fmt: skip
    assert found.stderr == b"", f"{path}: {found.stderr.decode()}"
    told = json.loads(found.stdout)
    stream = told["streams"][0]
    names = [stream.get(k, "unknown") for k in ("color_primaries", "color_transfer", "color_space")]
    named = any(name != "unknown" for name in names)
    full = stream.get("color_range") == "pc"
    first, second, third = (_COLOURS[name] for name in names)
    return Film(
        width=stream["width"],
        height=stream["height"],
        duration_s=float(told["format"]["duration"]),
        samples=[
            Sample(
                float(packet["dts_time"]),
                float(packet["pts_time"]),
                int(packet["size"]),
                "K" in packet["flags"],
            )
            for packet in told["packets"]
        ],
        colour=(first, second, third, full) if named else None,
    )


def with_mp4box(path: Path) -> Film:
    """As mp4box.js reads it; it must have nothing to say."""
    told = _read("mp4", path)
    assert told["error"] is None, f"{path}: {told['error']}"
    assert told["said"] == [], f"{path}: {told['said']}"
    colours = {None if c is None else (c[0], c[1], c[2], bool(c[3])) for c in told["colours"]}
    assert len(colours) == 1, f"{path} tells several colours: {colours}"
    return Film(
        width=told["width"],
        height=told["height"],
        duration_s=told["duration_s"],
        samples=[Sample(s["dts_s"], s["pts_s"], s["size"], s["keyframe"]) for s in told["samples"]],
        colour=colours.pop(),
    )


def _read(what: str, path: Path | None = None, text: str = "") -> dict[str, Any]:
    assert (NODE / "node_modules").is_dir(), "run scripts/setup dev: it installs the parsers"
    # `scripts/setup` installs Node.js beside this Python where the machine has none.
    found_at = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    node = shutil.which("node", path=found_at)
    assert node is not None, "run scripts/setup dev: it installs Node.js"
    command = [node, str(NODE / "readers.mjs"), what, *([] if path is None else [str(path)])]
    found = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    assert found.returncode == 0, found.stderr.decode()
    return dict(json.loads(found.stdout))


@dataclass(frozen=True)
class Listed:
    """A media segment of a playlist."""

    uri: str
    duration_s: float
    map_uri: str | None
    discontinuity: bool
    parts: list[tuple[str, float]]


@dataclass(frozen=True)
class Playlist:
    """What a parser makes of a playlist."""

    target_s: float
    part_target_s: float | None
    sequence: int
    ended: bool
    segments: list[Listed]


def playlist(text: str) -> Playlist:
    """A playlist as two strict parsers read it, who must agree on everything."""
    one, other = _with_m3u8(text), _with_hls_parser(text)
    assert one == other
    return one


def _with_m3u8(text: str) -> Playlist:
    read = m3u8.loads(text)
    # An empty dict where the playlist has no parts.
    target = getattr(read.part_inf, "part_target", None)
    return Playlist(
        target_s=float(read.target_duration),
        part_target_s=None if target is None else float(target),
        sequence=int(read.media_sequence or 0),
        ended=bool(read.is_endlist),
        segments=[
            Listed(
                s.uri,
                s.duration,
                s.init_section.uri if s.init_section is not None else None,
                bool(s.discontinuity),
                [(p.uri, float(p.duration)) for p in s.parts],
            )
            for s in read.segments
            if s.uri is not None
        ],
    )


def _with_hls_parser(text: str) -> Playlist:
    told = _read("hls", text=text)
    return Playlist(
        target_s=float(told["target_s"]),
        part_target_s=told["part_target_s"],
        sequence=told["sequence"],
        ended=told["ended"],
        segments=[
            Listed(
                s["uri"],
                s["duration_s"],
                s["map"],
                s["discontinuity"],
                [(p["uri"], p["duration_s"]) for p in s["parts"]],
            )
            for s in told["segments"]
            if s["uri"]
        ],
    )
