from __future__ import annotations

from touchline.worker.recording.pace import DiskPace

S = 1_000_000_000


def write(pace: DiskPace, at_s: float, took_s: float) -> float:
    pace.begin(int(at_s * S))
    return pace.end(int((at_s + took_s) * S))


def test_one_slow_fragment_is_no_complaint_and_the_second_is() -> None:
    pace = DiskPace(0.5)
    assert write(pace, 0, 0.25) == 0.25
    write(pace, 1, 0.75)
    assert pace.complaint(2 * S) is None
    write(pace, 2, 0.75)
    assert pace.complaint(3 * S) == "2 of the last 3 fragments took longer than 0.5 s"


def test_a_fragment_in_progress_is_reported_once_it_takes_twice_its_length() -> None:
    pace = DiskPace(0.5)
    pace.begin(0)
    assert pace.complaint(1 * S) is None
    assert pace.complaint(2 * S) == "writing a fragment has taken 2.0 s so far"
    pace.pause()
    assert pace.complaint(3 * S) is None


def test_a_disk_has_recovered_after_five_seconds_without_a_slow_fragment() -> None:
    pace = DiskPace(0.5)
    write(pace, 0, 1)
    write(pace, 1, 1)
    assert pace.complaint(7 * S) is not None
    assert pace.complaint(7 * S + 1) is None
    write(pace, 8, 1)
    assert pace.complaint(9 * S) is None, "the earlier ones count no more"


def test_old_fragments_are_forgotten() -> None:
    pace = DiskPace(0.5)
    write(pace, 0, 1)
    for number in range(100):
        write(pace, 1 + number / 1000, 0)
    write(pace, 2, 1)
    assert pace.complaint(3 * S) is None
