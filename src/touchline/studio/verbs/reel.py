"""The verb `reel`: join frame-accurate ranges of a match to one file.

`spec` has `folder`, `camera`, `file` (the name of the result) and `stretches` (pairs of Unix
nanoseconds). Frames are copied where possible.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from touchline.foreign.files import create_new, read_bytes, reading
from touchline.media import matchfiles
from touchline.media.mp4 import cut as mp4cut
from touchline.studio.errors import StudioError, disk_trouble
from touchline.studio.pictures import footage
from touchline.studio.verbs import Tell, edges

_ARCHIVES = {"panorama": "panorama_archive.mp4", "follow": "follow_archive.mp4"}
_CHUNK_BYTES = 1 << 20


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Create the reel; ranges without footage are omitted."""
    folder, camera = Path(spec["folder"]), str(spec["camera"])
    files = _files(folder, camera)
    sources = [_source(each) for each in files.usable]
    pieces: list[mp4cut.Recoded | mp4cut.Copy] = []
    at_ns, shown = 0, 0
    for number, (from_ns, to_ns) in enumerate(spec["stretches"]):
        if stopping.is_set():
            raise StudioError("stopped", "It was stopped")
        planned = mp4cut.plan(sources, from_ns, to_ns)
        if planned:
            made = [_recode_edge(p, folder) if isinstance(p, mp4cut.Edge) else p for p in planned]
            begin_ns = min(frame.at_ns for piece in made for frame in piece.frames)
            pieces += [_shift_piece(piece, at_ns - begin_ns) for piece in made]
            at_ns = max(_end_ns(piece) for piece in pieces[-len(made) :])
            shown += 1
        tell({"done": number + 1, "total": len(spec["stretches"]) + 1})
    if not pieces:
        nothing = f"{camera} has no footage at these times"
        reason = f"{camera} has no usable footage at these times: {files.reason}"
        raise StudioError("no_footage", reason if files.refused else nothing)
    cut = mp4cut.join(pieces, starts_ns=0)
    try:
        _write(folder / str(spec["file"]), cut, stopping)
    except OSError as error:
        raise disk_trouble(error) from error
    return {
        "file": spec["file"],
        "stretches": shown,
        "duration_s": round(at_ns / 1e9, 3),
        **footage.left_out([files]),
    }


def _files(folder: Path, camera: str) -> matchfiles.Files:
    """Return a camera's files, or an archive. Raises StudioError if none is usable."""
    if camera in _ARCHIVES:
        files = matchfiles.usable([folder / _ARCHIVES[camera]])
    else:
        files = footage.usable_files(folder, camera)
    if not files.usable:
        reason = files.reason or f"This match has no footage of {camera}"
        raise StudioError("no_footage", reason)
    return files


def _source(file: matchfiles.Usable) -> mp4cut.SegmentSource:
    scan, table = file.indexed
    start_ns = scan.start_unix_ns or 0
    return mp4cut.source_of(file.path, start_ns, start_ns + scan.duration_ns, table)


def _recode_edge(edge: mp4cut.Edge, folder: Path) -> mp4cut.Recoded:
    out = folder / f".edge-{os.getpid()}.h264"
    try:
        result = edges.run(mp4cut.edge_spec(edge, out), lambda _: None, threading.Event())
        return mp4cut.build_edge(read_bytes(out), result, edge.source.codec)
    finally:
        out.unlink(missing_ok=True)


def _shift_piece(piece: mp4cut.Recoded | mp4cut.Copy, by_ns: int) -> mp4cut.Recoded | mp4cut.Copy:
    frames = [
        f._replace(at_ns=f.at_ns + by_ns, decode_ns=f.decode_ns + by_ns) for f in piece.frames
    ]
    if isinstance(piece, mp4cut.Recoded):
        return replace(piece, frames=frames)
    last_ns = max(frame.at_ns for frame in frames)
    later = [f.at_ns + by_ns for f in piece.source.frames if f.at_ns + by_ns > last_ns]
    end_ns = min(later) if later else piece.source.end_ns + by_ns
    return mp4cut.Copy(replace(piece.source, frames=frames, end_ns=end_ns), frames)


def _end_ns(piece: mp4cut.Recoded | mp4cut.Copy) -> int:
    if isinstance(piece, mp4cut.Copy):
        return piece.source.end_ns
    times = [frame.at_ns for frame in piece.frames]
    step = (times[-1] - times[0]) // max(1, len(times) - 1)
    return times[-1] + max(step, 1)


def _write(path: Path, cut: mp4cut.Cut, stopping: threading.Event) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with os.fdopen(create_new(partial), "wb") as out:
        out.write(cut.head)
        for part in cut.body:
            if stopping.is_set():
                raise StudioError("stopped", "It was stopped")
            if isinstance(part, bytes):
                out.write(part)
                continue
            with reading(part.path) as source:
                source.seek(part.offset)
                left = part.size_bytes
                while left:
                    data = source.read(min(left, _CHUNK_BYTES))
                    if not data:
                        raise StudioError("file_shrank", f"{part.path.name} was truncated")
                    out.write(data)
                    left -= len(data)
    partial.replace(path)
