"""What becomes of a recording whose writer dies, of whatever it dies."""

from __future__ import annotations

import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from support.coded import FRAME_NS, frames
from support.recorded import DEADLINE_S, Rig, minded, recording
from touchline.media.h264.codec import Codec
from touchline.media.mp4 import writer as mp4writer
from touchline.media.mp4.fragment import fragment_part
from touchline.media.mp4.sampletable import SampleTable
from touchline.worker.recording import segments

POISON = b"poison"


class DiesAt:
    """Lets `mp4.fragment_part` raise at the named calls, or at each frame with poison in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
        self.calls: set[int] = set()
        self.called = 0
        self._error = error
        self._real = fragment_part
        monkeypatch.setattr(segments, "fragment_part", self._part)

    def _part(self, sequence: int, samples: Any, capture_unix_ns: int) -> bytes:
        self.called += 1
        if self.called in self.calls or any(POISON in sample.data for sample in samples):
            raise self._error
        return self._real(sequence, samples, capture_unix_ns)


def all_numbers(rig: Rig) -> list[int]:
    return [number for found in rig.numbers() for number in found]


@pytest.mark.parametrize(
    "error",
    [
        struct.error("argument out of range"),
        MemoryError(),
        RuntimeError("anything"),
        SystemExit(3),
        AssertionError("nobody expects it"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("call", [3, 4, 6], ids=["in a group", "later in it", "at a keyframe"])
def test_a_writer_that_dies_once_is_replaced_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, call: int
) -> None:
    dies = DiesAt(monkeypatch, error)
    dies.calls = {call}
    with recording(tmp_path) as rig:
        rig.push(frames(100, gop=25))
        report = rig.close()
    assert all_numbers(rig) == list(range(100))
    assert (report["finalized"], report["gaps"], report["error"]) == (True, [], None)
    assert report["dropped_disk"] == report["dropped_writer"] == 0
    assert [scan.faults for scan in rig.scans()] == [()] * len(rig.scans())
    (failed,) = rig.events("writer_failed")
    assert failed["deaths"] == 1
    assert failed["reason"]


def test_the_death_is_told_and_so_is_that_footage_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = DiesAt(monkeypatch, struct.error("argument out of range"))
    with recording(tmp_path) as rig:
        sent = frames(100, gop=25)
        rig.push(sent[:30])
        rig.written()
        dies.calls = {dies.called + 1}
        rig.push(sent[30:60])
        minded(rig.recorder, lambda: rig.events("writer_failed"), "word of the death")
        minded(rig.recorder, lambda: rig.events("writer_recovered"), "its successor")
        assert rig.recorder.status()["writer_error"] is None
        assert len(rig.events("writer_recovered")) == 1
        rig.push(sent[60:])
        rig.close()
    assert rig.events("writer_failed")[0]["reason"] == "error: argument out of range"
    assert all_numbers(rig) == list(range(100))


def test_a_frame_that_cannot_be_written_is_left_out_counted_and_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    DiesAt(monkeypatch, struct.error("argument out of range"))
    sent = frames(100, gop=25)
    sent[35] = sent[35]._replace(data=sent[35].data + POISON)
    with recording(tmp_path) as rig:
        rig.push(sent)
        report = rig.close()
    # What comes after it in its group of pictures cannot be decoded without it.
    assert all_numbers(rig) == [*range(35), *range(50, 100)]
    assert report["dropped_writer"] == 15
    assert report["dropped_disk"] == 0
    (gap,) = report["gaps"]
    assert gap["reason"] == "it could not be written: error: argument out of range"
    assert gap["to_unix_ns"] - gap["from_unix_ns"] == 15 * FRAME_NS
    assert len(rig.events("writer_failed")) == 2, "not tried for ever"
    assert report["finalized"]


def test_what_cannot_be_written_at_the_end_is_listed_though_no_footage_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    DiesAt(monkeypatch, struct.error("argument out of range"))
    sent = frames(100, gop=25)
    sent[85] = sent[85]._replace(data=sent[85].data + POISON)
    with recording(tmp_path) as rig:
        rig.push(sent)
        report = rig.close()
    assert all_numbers(rig) == list(range(85))
    assert report["dropped_writer"] == 15
    (gap,) = report["gaps"]
    assert gap["to_unix_ns"] - gap["from_unix_ns"] == 15 * FRAME_NS
    assert gap["kind"] == "writer"


def test_a_codec_that_cannot_be_written_costs_only_its_own_footage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mp4writer.init_part

    def init_part(codec: Codec) -> bytes:
        if codec.width == 77777:
            raise struct.error("ushort format requires 0 <= number <= 65535")
        return real(codec)

    monkeypatch.setattr(mp4writer, "init_part", init_part)
    sent = frames(100, gop=25)
    bad = sent[0].codec._replace(width=77777)
    sent[25:50] = [frame._replace(codec=bad) for frame in sent[25:50]]
    with recording(tmp_path) as rig:
        rig.push(sent)
        report = rig.close()
    assert all_numbers(rig) == [*range(25), *range(50, 100)]
    assert report["dropped_writer"] == 25
    assert len(report["gaps"]) == 1


def test_without_a_thread_for_the_writer_footage_waits_and_is_written_when_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refusing = threading.Thread.start, [True]

    def start(self: threading.Thread) -> None:
        if refusing[0] and self.name == "writer":
            raise RuntimeError("can't start new thread")
        real(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    with recording(tmp_path) as rig:
        rig.push(frames(60, gop=25))
        assert "can't start new thread" in str(rig.recorder.fault)
        assert not rig.recorder.started
        refusing[0] = False
        report = rig.close()
    assert all_numbers(rig) == list(range(60))
    assert report["finalized"]


def test_a_writer_that_dies_again_and_again_is_replaced_ever_more_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = DiesAt(monkeypatch, MemoryError())
    dies.calls = set(range(1, 6))
    with recording(tmp_path) as rig:
        rig.push(frames(30, gop=25))
        minded(rig.recorder, lambda: rig.recorder.started, "footage in the end")
        assert [event["deaths"] for event in rig.events("writer_failed")] == [1, 2, 3, 4, 5]
        report = rig.close()
    assert all_numbers(rig) == list(range(30)), "memory came back before it was given up"
    assert report["gaps"] == []


def test_closing_waits_for_the_successor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dies = DiesAt(monkeypatch, struct.error("late"))
    with recording(tmp_path) as rig:
        sent = frames(60, gop=25)
        rig.disk.runs.clear()
        rig.push(sent)
        assert rig.disk.waiting.wait(DEADLINE_S)
        dies.calls = {1, 8}
        rig.disk.runs.set()
        report = rig.close()
    assert all_numbers(rig) == list(range(60))
    assert report["finalized"]
    assert not report["timed_out"]


def test_a_writer_that_dies_finishing_a_segment_leaves_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = mp4writer.final_part, [1]

    def final_part(table: SampleTable, sequence: int) -> bytes:
        if left[0]:
            left[0] -= 1
            raise OverflowError("int too large to convert")
        return real(table, sequence)

    monkeypatch.setattr(mp4writer, "final_part", final_part)
    with recording(tmp_path, segment_s=1.0) as rig:
        rig.push(frames(100, gop=25))
        report = rig.close()
    assert all_numbers(rig) == list(range(100))
    assert report["finalized"]
    assert all(scan.finalized and not scan.faults for scan in rig.scans())
