from __future__ import annotations

from pathlib import Path
from typing import Any

from touchline.cameracheck import camera_findings
from touchline.finding import CheckFinding
from touchline.settings import load_settings


def found(cameras: dict[str, Any], **more: Any) -> list[CheckFinding]:
    settings = load_settings(defaults={"capture": {"cameras": cameras}, **more})
    return list(camera_findings(settings))


def test_no_camera_is_missing_with_an_example_unless_there_are_engines() -> None:
    (finding,) = found({})
    assert (finding.what, finding.state) == ("cameras", "missing")
    assert "[capture.cameras.0]" in str(finding.mend)
    engines = {"engines": {"runtime": {"kind": "process", "command": ["/bin/true"]}}}
    (finding,) = found({}, **engines)
    assert finding.state == "info"


def test_cameras_are_looked_at_where_they_are_in_their_order(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    findings = found(
        {
            "10": {"kind": "v4l2", "device": "/dev/no-such-camera"},
            "0": {"kind": "file", "path": str(film)},
            "1": {"kind": "file", "path": str(tmp_path / "gone.mp4")},
            "2": {"kind": "test"},
        }
    )
    assert [(each.what, each.state) for each in findings] == [
        ("camera 0", "ok"),
        ("camera 1", "missing"),
        ("camera 10", "missing"),
    ]
