from __future__ import annotations

import io
from pathlib import Path

import pytest

from touchline.media.h264.codec import Codec
from touchline.media.mp4 import cut
from touchline.media.mp4.cut import Copy, Cut, Edge, FileFrame, FileSpan, Recoded, SegmentSource

MS = 1_000_000
CODEC = Codec(1920, 1080, bytes.fromhex("0164001fffe1000467640a1f010002680f"))
OTHER = CODEC._replace(width=1280)
FRAME_BYTES = 8


def film(
    path: Path, kinds: str, *, starts_ms: int = 0, codec: Codec = CODEC, shown: str = ""
) -> SegmentSource:
    """A segment with a frame each 40 ms: I an IDR picture, i an intra picture, p any other.

    `shown` gives the places, from 0, in which the frames are shown.
    """
    data = io.BytesIO()
    frames = []
    for n, kind in enumerate(kinds):
        unit = bytes([0x65 if kind == "I" else 0x41, n, 1, 1])
        place = int(shown[n]) if shown else n
        at_ns, decode_ns = (starts_ms + 40 * place) * MS, (starts_ms + 40 * n) * MS
        frames.append(FileFrame(at_ns, decode_ns, data.tell(), FRAME_BYTES, kind in "Ii"))
        data.write(len(unit).to_bytes(4, "big") + unit)
    path.write_bytes(data.getvalue())
    return SegmentSource(path, codec, frames, (starts_ms + 40 * len(kinds)) * MS)


def told(pieces: list[Edge | Copy]) -> list[tuple[str, list[int]]]:
    """What each piece shows, in ms: copied frames, or the bounds of an edge."""
    return [
        ("copy", [f.at_ns // MS for f in piece.frames])
        if isinstance(piece, Copy)
        else ("edge", [piece.from_ns // MS, piece.to_ns // MS])
        for piece in pieces
    ]


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "pieces"),
    [
        (0, 320, [("copy", [0, 40, 80, 120, 160, 200, 240, 280])]),
        (160, 240, [("copy", [160, 200])]),
        (0, 80, [("copy", [0, 40])]),
        (40, 240, [("edge", [40, 160]), ("copy", [160, 200])]),
        (40, 120, [("edge", [40, 120])]),
        (30, 50, [("edge", [40, 50])]),
        (320, 900, []),
        (41, 79, []),
    ],
)
def test_only_frames_in_front_of_the_first_idr_picture_are_coded_anew(
    tmp_path: Path, from_ms: int, to_ms: int, pieces: list[tuple[str, list[int]]]
) -> None:
    source = film(tmp_path / "a.mp4", "IpppIppp")
    assert told(cut.plan([source], from_ms * MS, to_ms * MS)) == pieces


def test_an_edge_has_what_is_needed_to_decode_it(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", "IpppIppp")
    (edge,) = cut.plan([source], 80 * MS, 160 * MS)
    assert isinstance(edge, Edge)
    assert [f.at_ns // MS for f in edge.needed] == [0, 40, 80, 120]
    spec = cut.edge_spec(edge, tmp_path / "out")
    assert spec["path"] == str(source.path)
    assert [needed[0] // MS for needed in spec["needed"]] == [0, 40, 80, 120]
    assert (spec["from_ns"], spec["to_ns"]) == (80 * MS, 160 * MS)
    assert (spec["period_ns"], spec["codec"]["avcc"]) == (40 * MS, CODEC.avcc.hex())


def test_an_intra_picture_that_is_no_idr_picture_begins_no_copy(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", "IpipppIp")
    assert told(cut.plan([source], 80 * MS, 320 * MS)) == [
        ("edge", [80, 240]),
        ("copy", [240, 280]),
    ]


def test_an_edge_that_is_too_long_is_copied_roughly(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", "IppppppI")
    (copied, *_) = cut.plan([source], 200 * MS, 320 * MS, longest_edge_ns=50 * MS)
    assert isinstance(copied, Copy)
    assert copied.frames[0].at_ns == 0


def test_a_segment_that_goes_on_is_copied_from_its_first_keyframe(tmp_path: Path) -> None:
    first = film(tmp_path / "a.mp4", "Ippp")
    same = film(tmp_path / "b.mp4", "ippp", starts_ms=160)
    other = film(tmp_path / "c.mp4", "ippp", starts_ms=160, codec=OTHER)
    assert [kind for kind, _ in told(cut.plan([first, same], 0, 320 * MS))] == ["copy", "copy"]
    assert [kind for kind, _ in told(cut.plan([first, other], 0, 320 * MS))] == ["copy", "edge"]


def test_reordered_pictures_behind_the_end_make_the_end_an_edge(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", "IppIppp", shown="0123645")
    pieces = cut.plan([source], 0, 200 * MS)
    assert told(pieces) == [("copy", [0, 40, 80]), ("edge", [120, 200])]


def test_frames_that_lie_behind_each_other_are_one_span(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", "IpppIppp")
    made = cut.join([Copy(source, [*source.frames[:2], *source.frames[4:]])], starts_ns=0)
    assert list(made.body) == [
        FileSpan(source.path, 0, 2 * FRAME_BYTES),
        FileSpan(source.path, 4 * FRAME_BYTES, 4 * FRAME_BYTES),
    ]
    assert made.size_bytes == len(made.head) + 6 * FRAME_BYTES
    assert made.head[4:8] == b"ftyp"


def test_a_coded_edge_stands_in_front_of_what_is_copied(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", "IpppIppp")
    answer = {"frames": [[40 * MS, 3, True], [80 * MS, 2, False]], "avcc": "01aa"}
    edge = cut.build_edge(b"abcde", answer, CODEC)
    made = cut.join([edge, Copy(source, source.frames[4:])], starts_ns=40 * MS)
    assert made.body[0] == b"abcde"
    assert made.head.count(b"avcC") == 1, "both share one codec, that of the edge"
    assert bytes.fromhex("01aa") in made.head


def test_an_edge_that_was_not_written_whole_is_refused() -> None:
    answer = {"frames": [[0, 3, True]], "avcc": "01"}
    with pytest.raises(ValueError, match="completely"):
        cut.build_edge(b"ab", answer, CODEC)


@pytest.mark.parametrize(
    ("start", "end", "parts"),
    [
        (0, 4, [b"head"]),
        (2, 6, [b"ad", b"xy"]),
        (4, 7, [b"xyz"]),
        (6, 9, [b"z", FileSpan(Path("a"), 100, 2)]),
        (8, 12, [FileSpan(Path("a"), 101, 4)]),
        (12, 99, []),
        (5, 5, []),
    ],
)
def test_any_range_of_a_cut_can_be_sent(
    start: int, end: int, parts: list[FileSpan | bytes]
) -> None:
    made = Cut(b"head", [b"xyz", FileSpan(Path("a"), 100, 5)])
    assert list(made.between(start, end)) == parts
    assert made.size_bytes == 12


def test_a_cut_is_told_from_any_other() -> None:
    made = [
        Cut(b"head", [b"xyz"]),
        Cut(b"head", [b"xy"]),
        Cut(b"heads", [b"xyz"]),
        Cut(b"head", [FileSpan(Path("a"), 1, 3)]),
        Cut(b"head", [FileSpan(Path("a"), 2, 3)]),
        Cut(b"head", [FileSpan(Path("b"), 1, 3)]),
    ]
    assert len({each.digest for each in made}) == len(made)
    assert made[0].digest == Cut(b"head", [b"xyz"]).digest


def test_coded_and_copied_frames_keep_an_order_of_decoding() -> None:
    coded = [FileFrame(n * 40 * MS, n * 40 * MS, n, 1, n == 0) for n in range(3)]
    edge = Recoded(b"abc", coded, CODEC, CODEC)
    assert cut.join([edge], starts_ns=0).digest != cut.join([edge], starts_ns=-40 * MS).digest
