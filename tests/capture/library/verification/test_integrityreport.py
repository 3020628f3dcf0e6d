from __future__ import annotations

from pathlib import Path

from support.wholematch import CAM0, spans, verify
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.library.verification.integrity import verify_match


def test_a_quick_look_does_not_undo_what_a_full_one_has_proven(match: Path) -> None:
    manifest = verify(match).add_to_manifest(rescan(match))
    quick = verify_match(match, manifest, checksums=False)
    assert [s.verified for s in quick.add_to_manifest(manifest).segments] == [True, True]


def test_a_report_says_where_each_fault_is(match: Path) -> None:
    path = match / "segments" / CAM0
    start, end = spans(path)[3]
    data = bytearray(path.read_bytes())
    data[(start + end) // 2] ^= 0xFF
    path.write_bytes(data)
    report = verify(match)
    (fault,) = report.to_json()["faults"]
    assert (fault["camera"], fault["segment"], fault["fragment"]) == ("cam0", CAM0, 4)
    assert fault["offset"] is not None
    assert start <= fault["offset"] < end
    assert str(report.faults[0]).startswith(f"{CAM0}, fragment 4, byte ")
