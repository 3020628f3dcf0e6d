"""Cuts of files of every kind, against what each picture shows: its number, as a bar's width."""

from __future__ import annotations

import math
import threading
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from touchline.media.h264.codec import Codec
from touchline.media.mp4 import cut as mp4cut
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4.sample import ticks_to_ns
from touchline.studio.pictures.encoder import EncodedPicture, Encoder, EncoderQuality, with_lengths
from touchline.studio.pictures.film import Film
from touchline.studio.pictures.planes import new_frame
from touchline.studio.verbs import edges

START_NS = 1_770_847_361_000_000_000
PERIOD_NS = 33_333_333
SIZE = (640, 180)


def picture(number: int, size: tuple[int, int] = SIZE) -> av.VideoFrame:
    frame, planes = new_frame(*size)
    planes.fill_black()
    planes.y[:, : 4 * (number + 1)] = 220
    return frame


def number_of(frame: av.VideoFrame) -> int:
    row = frame.to_ndarray(format="gray")[90]
    return round(float((row > 120).sum()) / 4) - 1


@cache
def coded(
    numbers: range,
    *,
    b_frames: int,
    gop: int = 30,
    size: tuple[int, int] = SIZE,
    idr: str = "open-gop=0",
) -> tuple[Codec, list[EncodedPicture]]:
    """Pictures of these numbers in the order of decoding, at their times."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 90_000), Fraction(30)
    context.gop_size, context.max_b_frames = gop, b_frames
    context.flags |= av.codec.context.Flags.global_header
    context.options = {"preset": "fast", "crf": "20", "x264-params": f"scenecut=0:b-adapt=0:{idr}"}
    context.open()
    reference = Encoder(*size, Fraction(30), EncoderQuality(), None)
    codec = reference.codec._replace(avcc=_avcc(context))
    found = []
    frames: list[av.VideoFrame | None] = []
    for number in numbers:
        frame = picture(number, size)
        frame.pts = number * 3000
        frames.append(frame)
    for each in [*frames, None]:
        for packet in context.encode(each):
            at, decode = (START_NS + ticks_to_ns(t) for t in (packet.pts or 0, packet.dts or 0))
            found.append(
                EncodedPicture(with_lengths(bytes(packet)), at, packet.is_keyframe, decode)
            )
    return codec, found


def _avcc(context: av.VideoCodecContext) -> bytes:
    from touchline.studio.pictures.encoder import _avcc as made

    return made(bytes(context.extradata or b""))


def source(path: Path, numbers: range, **how: object) -> mp4cut.SegmentSource:
    codec, found = coded(numbers, **how)
    film = Film(path, codec)
    for each in found:
        film.append(each)
    film.finish(START_NS + numbers.stop * PERIOD_NS)
    return opened(path)


def opened(path: Path) -> mp4cut.SegmentSource:
    scan, table = mp4scan.index(path)
    start_ns = scan.start_unix_ns or 0
    return mp4cut.source_of(path, start_ns, start_ns + scan.duration_ns, table)


def cut(
    tmp_path: Path,
    sources: list[mp4cut.SegmentSource],
    from_ns: int,
    to_ns: int,
    longest_edge_s: float = math.inf,
) -> Path:
    """The file of a cut."""
    pieces: list[mp4cut.Recoded | mp4cut.Copy] = []
    planned = mp4cut.plan(sources, from_ns, to_ns, longest_edge_ns=longest_edge_s * 1e9)
    for number, piece in enumerate(planned):
        if isinstance(piece, mp4cut.Copy):
            pieces.append(piece)
            continue
        out = tmp_path / f"edge{number}.h264"
        result = edges.run(mp4cut.edge_spec(piece, out), lambda _: None, threading.Event())
        pieces.append(mp4cut.build_edge(out.read_bytes(), result, piece.source.codec))
    starts_ns = min(frame.at_ns for piece in pieces for frame in piece.frames)
    made = mp4cut.join(pieces, starts_ns=starts_ns, shows_ns=(from_ns, to_ns))
    path = tmp_path / "cut.mp4"
    with path.open("wb") as out_file:
        out_file.write(made.head)
        for part in made.body:
            if isinstance(part, bytes):
                out_file.write(part)
            else:
                data = part.path.read_bytes()
                out_file.write(data[part.offset : part.offset + part.size_bytes])
    assert path.stat().st_size == made.size_bytes
    return path


def shown(path: Path) -> list[tuple[int, float]]:
    """The number of each picture, and when it is shown."""
    with av.open(str(path)) as file:
        return [(number_of(f), float(f.time or 0.0)) for f in file.decode(video=0)]


def at(number: float) -> int:
    return START_NS + int(number * PERIOD_NS)


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize(
    ("first", "end"), [(0, 100), (13, 77), (30, 90), (31, 45), (59, 61), (88, 120), (7, 8)]
)
def test_a_cut_shows_exactly_its_pictures(
    tmp_path: Path, b_frames: int, first: int, end: int
) -> None:
    made = source(tmp_path / "a.mp4", range(120), b_frames=b_frames)
    path = cut(tmp_path, [made], at(first - 0.4), at(end - 0.4))
    assert path.read_bytes().count(b"avcC") == 1  # one description, which every player takes
    found = shown(path)
    assert [number for number, _ in found] == list(range(first, end))
    times = [time_s - found[0][1] for _, time_s in found]
    assert np.allclose(times, [n / 30 for n in range(end - first)], atol=2e-4)


OPEN_GOP = "open-gop=1"
"""Intra pictures that frames shown before them reach over: IDR pictures are the first alone."""


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize(("first", "end"), [(0, 100), (13, 77), (30, 90), (31, 45), (88, 120)])
@pytest.mark.parametrize("longest_edge_s", [math.inf, 0.5])
def test_a_cut_of_a_camera_without_idr_pictures_shows_exactly_its_pictures(
    tmp_path: Path, b_frames: int, first: int, end: int, longest_edge_s: float
) -> None:
    made = source(tmp_path / "a.mp4", range(120), b_frames=b_frames, idr=OPEN_GOP)
    path = cut(tmp_path, [made], at(first - 0.4), at(end - 0.4), longest_edge_s)
    found = shown(path)
    assert [number for number, _ in found] == list(range(first, end))
    times = [time_s - found[0][1] for _, time_s in found]
    assert np.allclose(times, [n / 30 for n in range(end - first)], atol=2e-4)
    if end - first > 40 and longest_edge_s < 1:
        planned = mp4cut.plan([made], at(first - 0.4), at(end - 0.4), longest_edge_ns=5e8)
        assert all(isinstance(piece, mp4cut.Copy) for piece in planned)


def test_segments_of_a_camera_without_idr_pictures_follow_each_other(tmp_path: Path) -> None:
    codec, found = coded(range(120), b_frames=0, idr=OPEN_GOP)
    segments = []
    for name, frames in (("a", found[:60]), ("b", found[60:])):
        path = tmp_path / f"{name}.mp4"
        film = Film(path, codec)
        for each in frames:
            film.append(each)
        film.finish(frames[-1].at_ns + PERIOD_NS)
        segments.append(opened(path))
    path = cut(tmp_path, segments, at(39.6), at(99.6), longest_edge_s=0.2)
    assert [number for number, _ in shown(path)] == list(range(40, 100))


def test_over_a_gap_the_last_picture_stands_still(tmp_path: Path) -> None:
    one = source(tmp_path / "a.mp4", range(40), b_frames=0)
    two = source(tmp_path / "b.mp4", range(100, 140), b_frames=0)
    found = shown(cut(tmp_path, [one, two], at(9.5), at(119.5)))
    assert [number for number, _ in found] == [*range(10, 40), *range(100, 120)]
    assert found[30][1] - found[29][1] == pytest.approx(61 / 30, abs=2e-3)


def test_what_was_coded_differently_is_joined_in_one_file(tmp_path: Path) -> None:
    one = source(tmp_path / "a.mp4", range(40), b_frames=0)
    two = source(tmp_path / "b.mp4", range(40, 80), b_frames=0, size=(640, 240))
    path = cut(tmp_path, [one, two], at(9.5), at(69.5))
    with av.open(str(path)) as file:
        sizes = {(f.width, f.height) for f in file.decode(video=0)}
    assert sizes == {(640, 180), (640, 240)}
    assert len(shown(path)) == 60


def test_nothing_is_planned_where_nothing_was_filmed(tmp_path: Path) -> None:
    made = source(tmp_path / "a.mp4", range(30), b_frames=0)
    assert mp4cut.plan([made], at(200), at(300)) == []


def test_the_parameter_sets_of_edge_and_rest_have_different_numbers(tmp_path: Path) -> None:
    made = source(tmp_path / "a.mp4", range(60), b_frames=2)
    edge = mp4cut.plan([made], at(4.5), at(50))[0]
    assert isinstance(edge, mp4cut.Edge)
    out = tmp_path / "edge"
    result = edges.run(mp4cut.edge_spec(edge, out), lambda _: None, threading.Event())
    from touchline.media.h264.units import parameter_sets

    sets = parameter_sets(bytes.fromhex(result["avcc"]))
    assert len(sets) == 4
    numbers = {edges._number(unit) for unit in sets}
    assert numbers == {0, 1}
