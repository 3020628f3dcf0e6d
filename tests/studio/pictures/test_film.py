from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from touchline.media.h264.codec import Codec
from touchline.media.mp4 import scan as mp4scan
from touchline.studio.pictures.encoder import EncodedPicture, Encoder, EncoderQuality
from touchline.studio.pictures.film import Film
from touchline.studio.pictures.planes import new_frame

START_NS = 1_770_847_361_000_000_000
PERIOD_NS = 33_333_333


def coded(frames: int, *, first: int = 0) -> tuple[Codec, list[EncodedPicture]]:
    encoder = Encoder(320, 180, Fraction(30), EncoderQuality("ultrafast", 28, 1, 0.5), None)
    found: list[EncodedPicture] = []
    for number in range(first, first + frames):
        frame, planes = new_frame(320, 180)
        planes.fill_black()
        planes.y[:, : 2 + number % 300] = 200
        found += encoder.encode(frame, START_NS + number * PERIOD_NS)
    found += encoder.flush()
    return encoder.codec, found


def pictures(path: Path) -> list[tuple[float, int]]:
    """Time in seconds and the bar's width of each picture."""
    with av.open(str(path)) as file:
        return [
            (float(frame.time or 0.0), int((frame.to_ndarray(format="gray")[90] > 120).sum()))
            for frame in file.decode(video=0)
        ]


def test_a_film_is_an_ordinary_mp4_with_every_picture_at_its_time(tmp_path: Path) -> None:
    codec, frames = coded(75)
    film = Film(tmp_path / "film.mp4", codec)
    for each in frames:
        film.append(each)
    film.finish(frames[-1].at_ns + PERIOD_NS)
    found = pictures(film.path)
    assert len(found) == film.frames == 75
    assert np.allclose([t for t, _ in found], np.arange(75) / 30, atol=1e-4)
    assert np.abs(np.array([w for _, w in found]) - np.arange(2, 77)).max() <= 2
    scan = mp4scan.scan(film.path, checksums=True)
    assert scan.finalized
    assert scan.faults == ()
    assert scan.start_unix_ns == START_NS
    assert [f.capture_unix_ns for f in scan.fragments][1] == frames[15].at_ns


def test_what_a_crash_leaves_is_gone_on_with_and_nothing_doubled(tmp_path: Path) -> None:
    codec, frames = coded(75)
    film = Film(tmp_path / "film.mp4", codec)
    for each in frames[:50]:
        film.append(each)
    film.close()
    with film.path.open("ab") as file:  # the piece that was on its way
        file.write(os.urandom(1000))
    resumed = Film.resumed(film.path, codec)
    assert resumed is not None
    again, end_ns = resumed
    assert again.frames == 45  # three whole fragments of half a second
    assert abs(end_ns - frames[45].at_ns) < 20_000
    _, rest = coded(30, first=45)
    for each in rest:
        again.append(each)
    again.finish(rest[-1].at_ns + PERIOD_NS)
    found = pictures(film.path)
    assert len(found) == 75
    assert np.allclose([t for t, _ in found], np.arange(75) / 30, atol=1e-4)
    assert mp4scan.scan(film.path, checksums=True).faults == ()


def test_there_is_nothing_to_go_on_with_in_another_codecs_or_nobodys_file(tmp_path: Path) -> None:
    codec, frames = coded(40)
    path = tmp_path / "film.mp4"
    assert Film.resumed(path, codec) is None
    film = Film(path, codec)
    for each in frames:
        film.append(each)
    film.close()
    assert Film.resumed(path, codec._replace(width=640)) is None
    path.write_bytes(b"something else")
    assert Film.resumed(path, codec) is None
