"""This version on a data directory that an earlier release wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from support import releases
from support.server import SMALL, Server, wait_for


@pytest.fixture(scope="module", params=releases.NAMES)
def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that has opened a copy, with cameras of another kind."""
    data = releases.copy_of(request.param, tmp_path_factory.mktemp("upgraded"))
    server = Server(data, {0: SMALL, 1: SMALL}, resume_after_crash=False)
    try:
        server.start()
        yield server
    finally:
        server.close()


def listed(server: Server) -> dict[str, dict[str, Any]]:
    found = server.get("/recordings")["recordings"]
    return dict(found) if isinstance(found, dict) else {each["match_id"]: each for each in found}


def test_its_matches_are_listed_and_the_interrupted_one_is_mended(upgraded: Server) -> None:
    assert set(listed(upgraded)) == {"derby", "cut off"}

    def mended() -> bool:
        manifest = json.loads((upgraded.recordings / "cut off" / "match.json").read_bytes())
        return manifest["state"] == "interrupted" and all(
            segment["finalized"] for segment in manifest["segments"]
        )

    wait_for(mended, "mended", deadline_s=60)


def test_its_segments_are_those_that_were_recorded(upgraded: Server) -> None:
    was = json.loads((releases.RELEASES / "0.1.0/recordings/derby/match.json").read_bytes())
    now = json.loads((upgraded.recordings / "derby" / "match.json").read_bytes())

    assert [s["name"] for s in now["segments"]] == [s["name"] for s in was["segments"]]
    assert now["protected"] is True
    for segment in was["segments"]:
        path = f"recordings/derby/segments/{segment['name']}"
        assert (upgraded.data / path).read_bytes() == (
            releases.RELEASES / "0.1.0" / path
        ).read_bytes()


@pytest.mark.parametrize("match_id", ["derby", "cut off"])
def test_its_matches_are_whole_to_the_byte(upgraded: Server, match_id: str) -> None:
    answer = upgraded.client.post(f"/recordings/{match_id}/verify")

    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert report["ok"], report


@pytest.mark.parametrize("match_id", ["derby", "cut off"])
def test_a_clip_is_cut_out_of_its_matches(upgraded: Server, match_id: str, tmp_path: Path) -> None:
    manifest = json.loads((upgraded.recordings / match_id / "match.json").read_bytes())
    filmed_ns = next(s["start_unix_ns"] for s in manifest["segments"] if s["camera"] == "cam1")
    at_s = (filmed_ns - manifest["clock"]["start_unix_ns"]) / 1e9 + 0.3
    answer = upgraded.client.get(
        f"/recordings/{match_id}/clip",
        params={"camera": "1", "start": f"{at_s:.3f}", "end": f"{at_s + 0.5:.3f}"},
    )

    assert answer.status_code == 200, answer.text
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(answer.content)
    with av.open(str(clip)) as opened:
        assert 13 <= sum(1 for _ in opened.decode(video=0)) <= 17


def test_its_markers_are_there(upgraded: Server) -> None:
    markers = upgraded.get("/recordings/derby/markers")["markers"]

    assert [(m["kind"], m["team"], m["text"], m["at"]) for m in markers] == [
        ("goal", "Reds", "", 1.5),
        ("corner", "", "ours", 2.25),
    ]


def test_its_events_are_there(upgraded: Server) -> None:
    root = str(upgraded.client.base_url).removesuffix("/").removesuffix("/api/v1")
    answer = upgraded.client.get(f"{root}/events", params={"limit": 100})

    assert answer.status_code == 200, answer.text
    found = answer.json()
    messages = [e["message"] for e in (found if isinstance(found, list) else found["events"])]
    assert {
        "Recording started for match: derby",
        "Recording stopped successfully",
        "sprites of derby is done",
        "Stream stream-1 ended: unspecified",
    } <= set(messages)


def test_its_calibration_job_list_and_variant_are_there(upgraded: Server) -> None:
    assert upgraded.get("/panorama/calibration")["calibrated"]
    (job,) = upgraded.get("/processing/jobs", match_id="derby")["jobs"]
    assert (job["kind"], job["state"]) == ("sprites", "done")

    root = str(upgraded.client.base_url).removesuffix("/").removesuffix("/api/v1")
    templates = upgraded.client.get(f"{root}/custom-variant/templates").json()
    assert templates["active_template_id"] == 3
    config = upgraded.client.get(f"{root}/custom-variant/config").json()
    assert config["memory_limit"] == "1g"
