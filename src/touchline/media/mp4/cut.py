"""Frame-accurate cuts of segments without copying them: a plan of a new MP4.

Everything from an IDR picture on is used unchanged. Only frames before the first one are re-encoded
(elsewhere), with parameter sets of another number, so that one track holds both: other sets become
active only at an IDR picture (H.264, 7.4.1.2.1). Cameras that send intra pictures but no IDR
picture for a long time are cut roughly, and an edit list hides the excess. The new file starts with
its tables and is an ordinary MP4. Standard library only.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from touchline.foreign.files import reading
from touchline.media.h264 import units
from touchline.media.h264.codec import Codec
from touchline.media.mp4 import writer
from touchline.media.mp4.sample import SampleEntry, ticks, ticks_to_ns
from touchline.media.mp4.sampletable import SampleTable

_HEAD_BYTES = 4096
"""Bytes of a frame to read for its type: slices follow delimiter, parameter sets and messages."""


class FileFrame(NamedTuple):
    """A coded frame in a file: its presentation and decode times (Unix ns), and its position."""

    at_ns: int
    decode_ns: int
    offset: int
    size_bytes: int
    keyframe: bool


@dataclass(frozen=True)
class SegmentSource:
    """Frames of one segment in decode order."""

    path: Path
    codec: Codec
    frames: Sequence[FileFrame]
    end_ns: int


@dataclass(frozen=True)
class Edge:
    """Frames to re-encode: those shown from `from_ns` until before `to_ns`.

    Decoding starts with the first of `needed`, a keyframe: number `begin` of the source.
    """

    source: SegmentSource
    begin: int
    needed: Sequence[FileFrame]
    from_ns: int
    to_ns: int


@dataclass(frozen=True)
class Copy:
    """Frames that are used unchanged."""

    source: SegmentSource
    frames: Sequence[FileFrame]


@dataclass(frozen=True)
class Recoded:
    """A re-encoded edge: data, sizes, times, and a codec for both it and the copied frames."""

    data: bytes
    frames: Sequence[FileFrame]
    codec: Codec
    source_codec: Codec


class FileSpan(NamedTuple):
    """Bytes of a file."""

    path: Path
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class Cut:
    """A file to be sent: its first bytes, and the spans that follow."""

    head: bytes
    body: Sequence[FileSpan | bytes]

    @property
    def size_bytes(self) -> int:
        """Total size of the file."""
        parts = (len(p) if isinstance(p, bytes) else p.size_bytes for p in self.body)
        return len(self.head) + sum(parts)

    def between(self, start: int, end: int) -> Iterator[FileSpan | bytes]:
        """Yield the pieces of the file's bytes from `start` until before `end`."""
        at = 0
        for part in (self.head, *self.body):
            size = len(part) if isinstance(part, bytes) else part.size_bytes
            first, last = max(start - at, 0), min(end - at, size)
            at += size
            if first >= last:
                continue
            if isinstance(part, bytes):
                yield part[first:last]
            else:
                yield FileSpan(part.path, part.offset + first, last - first)

    @property
    def digest(self) -> str:
        """Digest of the file's own bytes and of the positions of the copied ones."""
        digest = hashlib.sha256(self.head)
        for part in self.body:
            if isinstance(part, bytes):
                digest.update(part)
            else:
                digest.update(repr((str(part.path), part.offset, part.size_bytes)).encode())
        return digest.hexdigest()[:32]


def plan(
    sources: Sequence[SegmentSource], from_ns: int, to_ns: int, *, longest_edge_ns: float = math.inf
) -> list[Edge | Copy]:
    """Plan a cut of everything shown in [from, to), in order; empty without frames.

    If more than `longest_edge_ns` would have to be re-encoded, more is copied instead, and `join`
    must hide what is shown outside. Reads the files. Raises OSError.
    """
    pieces: list[Edge | Copy] = []
    for source in sources:
        shown = [f for f in source.frames if from_ns <= f.at_ns < to_ns]
        if not shown:
            continue
        first_ns = min(f.at_ns for f in shown)
        key = _first_key(source, first_ns, to_ns, continues=_has_same_parameters(pieces, source))
        until_ns = to_ns if key is None else key.at_ns
        edge_ns = min(until_ns, source.end_ns) - first_ns
        if edge_ns > longest_edge_ns:
            key = source.frames[_edge(source, first_ns, to_ns).begin]
        elif key is None or key.at_ns > first_ns:
            pieces.append(_edge(source, first_ns, until_ns))
        if key is not None:
            pieces += _from_keyframe(source, key, to_ns, longest_edge_ns)
    return pieces


def _has_same_parameters(pieces: Sequence[Edge | Copy], source: SegmentSource) -> bool:
    """Return whether the preceding frames are decoded with the same parameter sets."""
    before = pieces[-1] if pieces else None
    return isinstance(before, Copy) and before.source.codec == source.codec


def _first_key(
    source: SegmentSource, from_ns: int, to_ns: int, *, continues: bool
) -> FileFrame | None:
    """Return the first frame in [from, to) at which copying can begin."""
    first = source.frames[0]
    if continues and first.keyframe and from_ns <= first.at_ns < to_ns:
        return first
    candidates = [f for f in source.frames if f.keyframe and from_ns <= f.at_ns < to_ns]
    return next((f for f in candidates if _is_idr(source, f)), None)


def _is_idr(source: SegmentSource, frame: FileFrame) -> bool:
    with reading(source.path) as file:
        file.seek(frame.offset)
        head = file.read(min(_HEAD_BYTES, frame.size_bytes))
    return units.is_idr_frame(head, units.length_bytes(source.codec.avcc))


def _edge(source: SegmentSource, from_ns: int, to_ns: int) -> Edge:
    """Return the frames to re-encode, with those they need for decoding."""
    wanted = [n for n, f in enumerate(source.frames) if from_ns <= f.at_ns < to_ns]
    first_ns = min(source.frames[n].at_ns for n in wanted)
    begin = wanted[0]
    # Leading pictures of a keyframe need the keyframe before it.
    while begin > 0 and not (
        source.frames[begin].keyframe and source.frames[begin].at_ns <= first_ns
    ):
        begin -= 1
    # Frames shown early may be decoded late, so include all up to the last in decode order.
    return Edge(source, begin, source.frames[begin : wanted[-1] + 1], from_ns, to_ns)


def _from_keyframe(
    source: SegmentSource, key: FileFrame, to_ns: int, longest_edge_ns: float
) -> list[Edge | Copy]:
    """Plan the frames shown from a keyframe until before the end.

    Leading pictures of the keyframe are shown before it and come from the edge. With reordering,
    the last frames may need one that must not be shown; then those from the last IDR picture on are
    also an edge.
    """
    begin = source.frames.index(key)
    wanted = [n for n in range(begin, len(source.frames)) if source.frames[n].at_ns < to_ns]
    taken = [f for f in source.frames[begin : wanted[-1] + 1] if f.at_ns >= key.at_ns]
    if all(frame.at_ns < to_ns for frame in taken):
        return [Copy(source, taken)]
    keys = (n for n in reversed(range(len(taken))) if taken[n].keyframe and taken[n].at_ns < to_ns)
    last = next((n for n in keys if _is_idr(source, taken[n])), 0)
    if to_ns - taken[last].at_ns > longest_edge_ns:
        return [Copy(source, taken)]
    whole: list[Edge | Copy] = [Copy(source, taken[:last])] if last else []
    return [*whole, _edge(source, taken[last].at_ns, to_ns)]


def join(
    pieces: Sequence[Recoded | Copy], *, starts_ns: int, shows_ns: tuple[int, int] | None = None
) -> Cut:
    """Build a file of these pieces, in order. Its first frame is shown at `starts_ns`.

    Frames outside of `shows_ns`, from and until before, are in the file but not shown.
    """
    codecs: list[Codec] = []
    timed: list[tuple[FileFrame, int]] = []  # with the number of its codec
    body: list[FileSpan | bytes] = []
    chunks: list[tuple[int, int, int]] = []  # offset, frames, codec
    at, end_ns = 0, starts_ns
    for number, piece in enumerate(pieces):
        codec = piece.codec if isinstance(piece, Recoded) else _codec_of(pieces, number)
        if codec not in codecs:
            codecs.append(codec)
        which = codecs.index(codec) + 1
        if isinstance(piece, Recoded):
            body.append(piece.data)
            chunks.append((at, len(piece.frames), which))
            at += len(piece.data)
            last_ns = piece.frames[-1].at_ns
            end_ns = max(end_ns, last_ns + _period_ns(piece.frames))
        else:
            for span, frames in _spans(piece):
                body.append(span)
                chunks.append((at, frames, which))
                at += span.size_bytes
            end_ns = max(end_ns, _end_of(piece))
        timed += [(frame, which) for frame in piece.frames]
    table = SampleTable(*codecs)
    decode = _decode_ticks([frame for frame, _ in timed], starts_ns)
    done = 0
    for offset, frames, which in chunks:
        entries = [
            SampleEntry(
                decode[n],
                ticks(timed[n][0].at_ns - starts_ns),
                timed[n][0].size_bytes,
                timed[n][0].keyframe,
            )
            for n in range(done, done + frames)
        ]
        done += frames
        last_ticks = max(1, ticks(end_ns - starts_ns) - decode[done - 1])
        table.add(offset, entries, last_ticks, codec_number=which)
    return Cut(
        writer.faststart(table, at, shows=_find_shown_ticks(timed, starts_ns, shows_ns)), body
    )


def _find_shown_ticks(
    timed: Sequence[tuple[FileFrame, int]], starts_ns: int, shows_ns: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Return the part that is shown, from and until before; None if that is everything."""
    times = [frame.at_ns for frame, _ in timed]
    if shows_ns is None or all(shows_ns[0] <= at_ns < shows_ns[1] for at_ns in times):
        return None
    # Start with the first frame to show: an instant earlier would show the one before.
    from_ns = min(at_ns for at_ns in times if at_ns >= shows_ns[0])
    later = [at_ns for at_ns in times if at_ns >= shows_ns[1]]
    end_ns = min(later) if later else shows_ns[1]
    return ticks(from_ns - starts_ns), ticks(end_ns - starts_ns)


def _codec_of(pieces: Sequence[Recoded | Copy], number: int) -> Codec:
    """Return the codec of a piece; a copy uses that of an adjacent edge, which has both sets."""
    piece = pieces[number]
    own = piece.source.codec if isinstance(piece, Copy) else piece.codec
    for beside in (*pieces[max(0, number - 1) : number], *pieces[number + 1 : number + 2]):
        if isinstance(beside, Recoded) and beside.source_codec == own:
            return beside.codec
    return own


def _decode_ticks(frames: Sequence[FileFrame], starts_ns: int) -> list[int]:
    """Return rising decode times; an edge is decoded early enough for the reordered frames."""
    early_ns = max((f.at_ns - f.decode_ns for f in frames), default=0)
    found: list[int] = []
    for frame in frames:
        decode_ns = min(frame.decode_ns, frame.at_ns - early_ns)
        wanted = ticks(decode_ns - starts_ns + early_ns)
        found.append(wanted if not found else max(wanted, found[-1] + 1))
    return found


def _spans(piece: Copy) -> list[tuple[FileSpan, int]]:
    """Return runs of adjacent frames in the file, with the number of frames in each."""
    runs: list[tuple[FileSpan, int]] = []
    for frame in piece.frames:
        if runs:
            span, frames = runs[-1]
            if span.offset + span.size_bytes == frame.offset:
                runs[-1] = (
                    span._replace(size_bytes=span.size_bytes + frame.size_bytes),
                    frames + 1,
                )
                continue
        runs.append((FileSpan(piece.source.path, frame.offset, frame.size_bytes), 1))
    return runs


def _end_of(piece: Copy) -> int:
    """Return the end of the last frame: the start of the next one or the segment's end."""
    last = max(piece.frames, key=lambda f: f.at_ns)
    later = [f.at_ns for f in piece.source.frames if f.at_ns > last.at_ns]
    return min(later) if later else piece.source.end_ns


def _period_ns(frames: Sequence[FileFrame]) -> int:
    if len(frames) < 2:
        return 33_333_333
    return (frames[-1].at_ns - frames[0].at_ns) // (len(frames) - 1)


def edge_spec(edge: Edge, out: Path) -> dict[str, Any]:
    """Return the order to encode an edge as plain values; the data is written to `out`."""
    codec = edge.source.codec
    times = sorted(frame.at_ns for frame in edge.needed)
    return {
        "path": str(edge.source.path),
        "codec": {"width": codec.width, "height": codec.height, "avcc": codec.avcc.hex()},
        "needed": [[f.at_ns, f.offset, f.size_bytes, f.keyframe] for f in edge.needed],
        "from_ns": edge.from_ns,
        "to_ns": edge.to_ns,
        "period_ns": max(1, (times[-1] - times[0]) // max(1, len(times) - 1)),
        "out": str(out),
    }


def build_edge(data: bytes, result: Mapping[str, Any], codec: Codec) -> Recoded:
    """Create an encoded edge from its data and the answer to `edge_spec`. Raises ValueError."""
    frames, at = [], 0
    for at_ns, size, keyframe in result["frames"]:
        frames.append(FileFrame(at_ns, at_ns, at, size, keyframe))
        at += size
    if at != len(data):
        raise ValueError("the edge was not written completely")
    both = codec._replace(avcc=bytes.fromhex(result["avcc"]))
    return Recoded(data, frames, both, codec)


def source_of(path: Path, start_unix_ns: int, end_ns: int, table: SampleTable) -> SegmentSource:
    """Return a segment's frames on the clock of the match."""
    frames = [
        FileFrame(
            start_unix_ns + ticks_to_ns(entry.pts),
            start_unix_ns + ticks_to_ns(entry.dts),
            offset,
            entry.size_bytes,
            entry.keyframe,
        )
        for offset, entry in table.entries()
    ]
    return SegmentSource(path, table.codec, frames, end_ns)
