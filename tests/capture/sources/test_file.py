from __future__ import annotations

from pathlib import Path

from support.pipelinespecs import build
from touchline.capture.sources.file import FileSource
from touchline.ipc.wire import Element


def test_a_file_is_looped_and_its_h264_copied() -> None:
    spec = build({"kind": "file", "path": "/srv/a.mp4"})
    assert spec.source == (Element("filesrc", {"location": "/srv/a.mp4"}),)
    assert (spec.demux, spec.force_encode, spec.keep_running) == (True, False, False)
    assert (spec.paced, spec.loop) == (True, True)
    # Nothing is thrown away in front of the encoder: a file can wait.
    assert "leaky" not in spec.encode[0].properties


def test_a_file_is_found_where_it_can_be_read(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    source = FileSource(kind="file", path=film)
    missing = source.finding(2, required=False)
    assert (missing.what, missing.state, missing.mend) == ("camera 2", "missing", f"ls -l {film}")
    film.mkdir()
    assert source.finding(2, required=False).state == "missing"
    film.rmdir()
    film.write_bytes(b"x")
    assert source.finding(2, required=False).state == "ok"
