"""Cutting segments to the frame without copying them: a plan of what a new MP4 takes from where.

What begins at a keyframe is taken as it is. Only frames in front of the first keyframe are coded
anew (by somebody else), with parameter sets of another number, so that one track holds both. The
new file begins with its tables and is ordinary to every player. Pure standard library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from touchline.worker import mp4


class Frame(NamedTuple):
    """A coded frame in a file: when it is shown and decoded (Unix ns), and where it lies."""

    at_ns: int
    decode_ns: int
    offset: int
    size_bytes: int
    keyframe: bool


@dataclass(frozen=True)
class Source:
    """Frames of one segment in the order of decoding."""

    path: Path
    codec: mp4.Codec
    frames: Sequence[Frame]
    end_ns: int


@dataclass(frozen=True)
class Edge:
    """Frames that have to be coded anew: those shown from `from_ns` until before `to_ns`.

    Decoding them begins with the first of `needed`, which is a keyframe.
    """

    source: Source
    needed: Sequence[Frame]
    from_ns: int
    to_ns: int


@dataclass(frozen=True)
class Copy:
    """Frames that are taken as they are."""

    source: Source
    frames: Sequence[Frame]


@dataclass(frozen=True)
class Recoded:
    """An edge, coded: its data, sizes and times, and the codec that fits it and the copied rest."""

    data: bytes
    frames: Sequence[Frame]
    codec: mp4.Codec
    source_codec: mp4.Codec


class Span(NamedTuple):
    """Bytes of a file."""

    path: Path
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class Cut:
    """A file to be sent: its first bytes, and what follows them."""

    head: bytes
    body: Sequence[Span | bytes]

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        parts = (len(p) if isinstance(p, bytes) else p.size_bytes for p in self.body)
        return len(self.head) + sum(parts)


def plan(sources: Sequence[Source], from_ns: int, to_ns: int) -> list[Edge | Copy]:
    """What a cut of everything shown in [from, to) is made of, in order; empty without a frame."""
    pieces: list[Edge | Copy] = []
    for source in sources:
        shown = [f for f in source.frames if from_ns <= f.at_ns < to_ns]
        if not shown:
            continue
        first_shown_ns = min(f.at_ns for f in shown)
        key = next(
            (f for f in source.frames if f.keyframe and first_shown_ns <= f.at_ns < to_ns), None
        )
        until_ns = to_ns if key is None else key.at_ns
        if key is None or key.at_ns > first_shown_ns:
            pieces.append(_edge(source, first_shown_ns, until_ns))
        if key is not None:
            pieces += _from_keyframe(source, key, to_ns)
    return pieces


def _edge(source: Source, from_ns: int, to_ns: int) -> Edge:
    """The frames in question, and those without which they cannot be decoded."""
    wanted = [n for n, f in enumerate(source.frames) if from_ns <= f.at_ns < to_ns]
    begin = wanted[0]
    while begin > 0 and not source.frames[begin].keyframe:
        begin -= 1
    # What is shown early may be decoded late: up to the last of them in the order of decoding.
    return Edge(source, source.frames[begin : wanted[-1] + 1], from_ns, to_ns)


def _from_keyframe(source: Source, key: Frame, to_ns: int) -> list[Edge | Copy]:
    """What is shown from a keyframe on, until before the end.

    What leads the keyframe is shown before it and comes from the edge. Where pictures are reordered
    the last of them may need one that is not to be shown: their GOP is then an edge too.
    """
    begin = source.frames.index(key)
    wanted = [n for n in range(begin, len(source.frames)) if source.frames[n].at_ns < to_ns]
    taken = [f for f in source.frames[begin : wanted[-1] + 1] if f.at_ns >= key.at_ns]
    if all(frame.at_ns < to_ns for frame in taken):
        return [Copy(source, taken)]
    last = max(n for n, frame in enumerate(taken) if frame.keyframe and frame.at_ns < to_ns)
    whole: list[Edge | Copy] = [Copy(source, taken[:last])] if last else []
    return [*whole, _edge(source, taken[last].at_ns, to_ns)]


def join(pieces: Sequence[Recoded | Copy], *, starts_ns: int) -> Cut:
    """The file made of these pieces, in order. Its first instant is `starts_ns`."""
    codecs: list[mp4.Codec] = []
    timed: list[tuple[Frame, int]] = []  # with the number of its codec
    body: list[Span | bytes] = []
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
    table = mp4.SampleTable(*codecs)
    decode = _decode_ticks([frame for frame, _ in timed], starts_ns)
    done = 0
    for offset, frames, which in chunks:
        entries = [
            mp4.SampleEntry(
                decode[n],
                mp4.ticks(timed[n][0].at_ns - starts_ns),
                timed[n][0].size_bytes,
                timed[n][0].keyframe,
            )
            for n in range(done, done + frames)
        ]
        done += frames
        last_ticks = max(1, mp4.ticks(end_ns - starts_ns) - decode[done - 1])
        table.add(offset, entries, last_ticks, codec_number=which)
    return Cut(mp4.faststart(table, at), body)


def _codec_of(pieces: Sequence[Recoded | Copy], number: int) -> mp4.Codec:
    """A copied piece shares the codec of an edge beside it, which carries both sets."""
    piece = pieces[number]
    own = piece.source.codec if isinstance(piece, Copy) else piece.codec
    for beside in (*pieces[max(0, number - 1) : number], *pieces[number + 1 : number + 2]):
        if isinstance(beside, Recoded) and beside.source_codec == own:
            return beside.codec
    return own


def _decode_ticks(frames: Sequence[Frame], starts_ns: int) -> list[int]:
    """Rising decode times; a coded edge is decoded as early as the reordered rest needs it."""
    early_ns = max((f.at_ns - f.decode_ns for f in frames), default=0)
    ticks: list[int] = []
    for frame in frames:
        decode_ns = min(frame.decode_ns, frame.at_ns - early_ns)
        wanted = mp4.ticks(decode_ns - starts_ns + early_ns)
        ticks.append(wanted if not ticks else max(wanted, ticks[-1] + 1))
    return ticks


def _spans(piece: Copy) -> list[tuple[Span, int]]:
    """Runs of frames that lie behind each other, and how many each run has."""
    runs: list[tuple[Span, int]] = []
    for frame in piece.frames:
        if runs:
            span, frames = runs[-1]
            if span.offset + span.size_bytes == frame.offset:
                runs[-1] = (
                    span._replace(size_bytes=span.size_bytes + frame.size_bytes),
                    frames + 1,
                )
                continue
        runs.append((Span(piece.source.path, frame.offset, frame.size_bytes), 1))
    return runs


def _end_of(piece: Copy) -> int:
    """Where its last frame ends: where the next one begins, or the segment ends."""
    last = max(piece.frames, key=lambda f: f.at_ns)
    later = [f.at_ns for f in piece.source.frames if f.at_ns > last.at_ns]
    return min(later) if later else piece.source.end_ns


def _period_ns(frames: Sequence[Frame]) -> int:
    if len(frames) < 2:
        return 33_333_333
    return (frames[-1].at_ns - frames[0].at_ns) // (len(frames) - 1)


def edge_spec(edge: Edge, out: Path) -> dict[str, Any]:
    """What whoever codes an edge must know, as plain values; the data goes to `out`."""
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


def recoded(data: bytes, result: Mapping[str, Any], codec: mp4.Codec) -> Recoded:
    """The coded edge from its data and what was answered to `edge_spec`. Raises ValueError."""
    frames, at = [], 0
    for at_ns, size, keyframe in result["frames"]:
        frames.append(Frame(at_ns, at_ns, at, size, keyframe))
        at += size
    if at != len(data):
        msg = "the edge was not written whole"
        raise ValueError(msg)
    both = codec._replace(avcc=bytes.fromhex(result["avcc"]))
    return Recoded(data, frames, both, codec)


def source_of(path: Path, start_unix_ns: int, end_ns: int, table: mp4.SampleTable) -> Source:
    """A segment's frames on the clock of the match."""
    frames = [
        Frame(
            start_unix_ns + mp4.ticks_to_ns(entry.pts),
            start_unix_ns + mp4.ticks_to_ns(entry.dts),
            offset,
            entry.size_bytes,
            entry.keyframe,
        )
        for offset, entry in table.entries()
    ]
    return Source(path, table.codec, frames, end_ns)
