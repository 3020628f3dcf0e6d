from __future__ import annotations

import json
import socket
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from touchline import check as module
from touchline.capture import PROBED_ELEMENTS
from touchline.check import check, print_findings, probe_gstreamer
from touchline.finding import CheckFinding
from touchline.media.storage.diskspace import DiskSpace
from touchline.settings import Settings, load_settings
from touchline.system import hold_data_dir

TEST_CAMERA = {"kind": "test"}


def settings(tmp_path: Path, cameras: dict[str, Any] | None = None, **more: Any) -> Settings:
    capture = {"cameras": cameras or {}, **more.pop("capture", {})}
    return load_settings(
        flags={"data_dir": str(tmp_path / "data"), "port": 0},
        defaults={"capture": capture, **more},
    )


def everything(names: Collection[str]) -> dict[str, Any]:
    return {"version": "GStreamer 9", "elements": list(names)}


def without(*missing: str) -> Any:
    return lambda names: {
        "version": "GStreamer 9",
        "elements": [name for name in names if name not in missing],
    }


def found(findings: list[CheckFinding], what: str) -> CheckFinding:
    return next(finding for finding in findings if finding.what == what)


def test_a_machine_with_everything_lacks_nothing(tmp_path: Path) -> None:
    findings = check(settings(tmp_path, {"0": TEST_CAMERA}), probe=everything)
    assert [f for f in findings if f.state == "missing"] == []
    assert found(findings, "elements").state == "ok"
    assert found(findings, "disk").message.startswith(str(tmp_path / "data" / "recordings"))
    assert list((tmp_path / "data" / "recordings").iterdir()) == []
    assert list((tmp_path / "data" / "run").iterdir()) == []


def test_python_without_gstreamer_is_told_what_to_install(tmp_path: Path) -> None:
    findings = check(settings(tmp_path), probe=lambda _: {"error": "No module named 'gi'"})
    finding = found(findings, "GStreamer")
    assert finding.state == "missing"
    assert "No module named 'gi'" in finding.message
    assert "apt-get install python3-gi" in str(finding.mend)


def test_each_missing_element_is_named_with_its_package_and_who_needs_it(tmp_path: Path) -> None:
    cameras = {"0": {"kind": "rtsp", "url": "rtsp://127.0.0.1:1/x"}, "1": TEST_CAMERA}
    findings = check(settings(tmp_path, cameras), probe=without("mp4mux", "parsebin"))
    assert found(findings, "element mp4mux").message == "needed by every recording"
    assert found(findings, "element mp4mux").mend == (
        "sudo apt-get install gstreamer1.0-plugins-good"
    )
    assert found(findings, "element parsebin").message == "needed by camera 0"


def test_a_kind_of_camera_this_machine_cannot_drive_is_told_with_its_package(
    tmp_path: Path,
) -> None:
    findings = check(
        settings(tmp_path, {"3": {"kind": "argus"}}), probe=without("nvarguscamerasrc")
    )
    finding = found(findings, "camera 3")
    assert finding.state == "missing"
    assert "nvarguscamerasrc" in finding.message
    assert finding.mend == "sudo apt-get install nvidia-l4t-gstreamer"


def test_every_element_that_decides_a_pipeline_has_a_package() -> None:
    known = {name for names in module.PACKAGES.values() for name in names}
    assert set(PROBED_ELEMENTS) | set(module.WORKER_ELEMENTS) <= known


def test_a_disk_that_is_not_mounted_is_missing_and_no_folder_is_made_in_its_place(
    tmp_path: Path,
) -> None:
    """An earlier start has found the recordings under a mount point where nothing is now."""
    point = tmp_path / "mnt"
    point.mkdir()
    root, data = point / "recordings", tmp_path / "data"
    data.mkdir()
    memory = {"root": str(root), "mount_point": str(point)}
    (data / "recordings-disk.json").write_text(json.dumps(memory))
    one = settings(tmp_path, capture={"recordings_dir": str(root)})
    finding = found(check(one, probe=everything), "disk")
    assert finding.state == "missing"
    assert "not mounted" in finding.message
    assert f"mount {point}" in str(finding.mend)
    assert list(point.iterdir()) == []


def test_a_disk_that_cannot_be_written_is_missing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    findings = check(settings(tmp_path), probe=everything)
    assert found(findings, "disk").state == "missing"
    assert found(findings, "sockets").state == "missing"


@pytest.mark.parametrize(
    ("free_bytes", "state", "minutes"),
    [(1000 * 10**9, "ok", 6659), (5 * 10**9, "warn", 26), (10**9, "missing", 0)],
)
def test_space_is_told_in_minutes_above_the_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_bytes: int, state: str, minutes: int
) -> None:
    space = DiskSpace(size_bytes=4000 * 10**9, used_bytes=10**9, free_bytes=free_bytes)
    monkeypatch.setattr("touchline.check.read_space", lambda _: space)
    one = settings(tmp_path, {"0": TEST_CAMERA, "1": {**TEST_CAMERA, "bitrate_kbps": 100}})
    finding = found(check(one, probe=everything), "space")
    expected_s = max(0, free_bytes - 2**30) * 8 / 20_100_000
    assert finding.state == state
    assert f"about {expected_s / 60:.0f} minutes at 20 Mbit/s" in finding.message
    assert abs(expected_s / 60 - minutes) < 30 * minutes / 1000 + 1


def test_a_server_that_has_measured_its_cameras_checks_with_that_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = DiskSpace(size_bytes=4000 * 10**9, used_bytes=10**9, free_bytes=101 << 30)
    monkeypatch.setattr("touchline.check.read_space", lambda _: space)
    one = settings(tmp_path, {"0": TEST_CAMERA})
    finding = found(check(one, probe=everything, measured_bps=6_000_000), "space")
    minutes = space.minutes_left(1 << 30, 6_000_000)
    assert f"about {minutes:.0f} minutes at 6 Mbit/s, measured" in finding.message


async def in_use(one: Settings) -> CheckFinding:
    async with hold_data_dir(one.data_dir):
        return await port_found(one)


async def port_found(one: Settings) -> CheckFinding:
    """What the check, which blocks, finds of the port."""
    findings = await anyio.to_thread.run_sync(partial(check, one, probe=everything))
    return found(findings, "port")


@pytest.mark.anyio
async def test_a_port_in_use_is_missing_unless_it_is_ours(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        one = load_settings(
            flags={"data_dir": str(tmp_path), "port": taken.getsockname()[1]},
        )
        finding = await port_found(one)
        assert finding.state == "missing"
        assert str(one.port) in str(finding.mend)
        assert (await in_use(one)).state == "ok"


def test_no_authentication_is_warned_of(tmp_path: Path) -> None:
    findings = check(settings(tmp_path, auth={"mode": "none"}), probe=everything)
    assert found(findings, "access").state == "warn"
    assert found(check(settings(tmp_path), probe=everything), "access").state == "ok"


def test_the_real_probe_knows_what_is_there_and_what_is_not() -> None:
    answer = probe_gstreamer(["fakesink", "no-such-element"])
    assert answer["elements"] == ["fakesink"]
    assert answer["version"].startswith("GStreamer 1.")


def test_people_get_a_table_with_the_mending_command_and_programs_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    findings = [
        CheckFinding("disk", "ok", "fine", "not shown"),
        CheckFinding("ffprobe", "missing", "needed", "sudo apt-get install ffmpeg"),
    ]
    print_findings(findings, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "ok      disk     fine",
        "missing ffprobe  needed",
        "                 → sudo apt-get install ffmpeg",
        "1 missing",
    ]
    print_findings(findings, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["findings"][1] == {
        "what": "ffprobe",
        "state": "missing",
        "message": "needed",
        "mend": "sudo apt-get install ffmpeg",
    }


@pytest.mark.parametrize(
    ("host", "reads", "told"),
    [("0.0.0.0", "false", True), ("0.0.0.0", "true", False), ("127.0.0.1", "false", False)],
)
def test_closing_reads_is_recommended_where_others_reach_the_server(
    tmp_path: Path, host: str, reads: str, *, told: bool
) -> None:
    findings = check(settings(tmp_path, host=host, auth={"reads": reads}), probe=everything)
    advice = [finding.mend for finding in findings if finding.what == "reads"]
    assert advice == (["auth.reads = true"] if told else [])
