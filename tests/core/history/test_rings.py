"""A week of figures: bounded, honest about gaps, and unmoved by clocks that are set."""

from __future__ import annotations

import json
from typing import Any

import pytest

from touchline.core.history.rings import RESOLUTIONS, ClockReading, History

UNIX_S = 1_790_000_000.0
BOOT = "a3c1"


def at(boot_s: float, *, unix_s: float | None = None, boot_id: str = BOOT) -> ClockReading:
    return ClockReading(boot_id, boot_s, UNIX_S + boot_s if unix_s is None else unix_s)


def filled(from_s: float, to_s: float, history: History | None = None) -> History:
    """Every two seconds; the load is the minute's number."""
    history = history or History(("cpu_percent", "temperature_c"))
    seconds = from_s
    while seconds < to_s:
        history.add(seconds, {"cpu_percent": seconds // 60})
        seconds += 2
    return history


def carried(history: History, before: ClockReading, after: ClockReading) -> History:
    """The same over a restart, by way of a file."""
    saved = json.loads(json.dumps(history.to_json(before)))
    again = History(history.names)
    again.restore(saved, after)
    return again


def cpu(
    history: History, now: ClockReading, wanted: Any = "hour"
) -> list[tuple[float, float | None]]:
    body = history.read(wanted, now)
    return list(zip(body["times"], body["series"]["cpu_percent"], strict=True))


def test_each_step_is_the_mean_of_what_was_noted_in_it() -> None:
    history = History(("cpu_percent",))
    for boot_s, value in ((100, 10.0), (104, 20.0), (108, None), (109, float("nan")), (110, 90.0)):
        history.add(boot_s, {"cpu_percent": value})
    assert cpu(history, at(112)) == [(UNIX_S + 100, 15.0)]


def test_what_is_not_known_is_null_and_no_zero() -> None:
    body = filled(0, 40).read("hour", at(40))
    assert body["series"]["temperature_c"] == [None] * 3


def test_an_hour_is_kept_finely_and_a_day_coarsely_and_never_more() -> None:
    history = filled(0, 30 * 3600)
    hour, day = (history.read(name, at(30 * 3600)) for name in ("hour", "day"))
    assert (hour["step_s"], len(hour["times"])) == (10, 359)
    assert (day["step_s"], len(day["times"])) == (120, 719)
    kept = history.to_json(at(30 * 3600))
    for name, resolution in RESOLUTIONS.items():
        most = min(resolution.points, 30 * 3600 // resolution.step_s)
        assert abs(len(kept["rings"][name]["now"]) - most) <= 1
    assert len(json.dumps(kept)) < 200_000


def test_a_week_is_kept_in_steps_that_a_chart_can_show() -> None:
    history = History(("cpu_percent",))
    for minute in range(8 * 24 * 60):
        history.add(minute * 60.0, {"cpu_percent": float(minute // 1440)})
    for wanted, step_s in (("day", 120), ("week", 840)):
        body = history.read(wanted, at(8 * 86_400.0))  # type: ignore[arg-type]
        assert body["step_s"] == step_s
        assert 700 < len(body["times"]) <= 720
    assert body["series"]["cpu_percent"][0] == 1.0
    assert body["series"]["cpu_percent"][-1] == 7.0


@pytest.mark.parametrize("boot_id", [BOOT, "b7"])
def test_the_day_of_an_earlier_version_goes_on_in_coarser_steps(boot_id: str) -> None:
    """It kept a day in steps of a minute, and no week."""
    saved = json.loads(json.dumps(filled(0, 60).to_json(at(3600))))
    day = [[minute, [float(minute), None]] for minute in range(60)]
    earlier = [[UNIX_S - 6000.0 + 60 * minute, [8.0, 1.0]] for minute in range(4)]
    saved["rings"] = {
        "hour": saved["rings"]["hour"],
        "day": {"step_s": 60, "before": earlier, "now": day},
    }
    again = History(("cpu_percent", "temperature_c"))
    now = at(4000, unix_s=UNIX_S + 4000, boot_id=boot_id)
    again.restore(saved, now)
    values = [value for _, value in cpu(again, now, "day")]
    assert values[:2] == [8.0, 8.0]
    assert [value for value in values[-20:] if value is not None] == [
        m + 0.5 for m in range(20, 60, 2)
    ]
    week = [value for _, value in cpu(again, now, "week") if value is not None]
    assert week[-4:] == [6.5, 20.5, 34.5, 48.5] or week[-5:-1] == [6.5, 20.5, 34.5, 48.5]


def test_steps_that_do_not_come_out_even_are_not_guessed() -> None:
    for step_s in (7, 0, -60, 0.5, True, "60", None):
        saved = json.loads(json.dumps(filled(0, 600).to_json(at(600))))
        for ring in saved["rings"].values():
            ring["step_s"] = step_s
        again = History(("cpu_percent",))
        again.restore(saved, at(601))
        assert cpu(again, at(601)) == []


def test_a_time_without_samples_is_a_gap_and_not_a_line() -> None:
    history = filled(0, 60)
    filled(600, 660, history)
    times = cpu(history, at(660))
    gap = [(when, value) for when, value in times if value is None]
    assert gap == [(UNIX_S + 60, None)]
    assert [when - UNIX_S for when, _ in times] == [
        0,
        10,
        20,
        30,
        40,
        50,
        60,
        600,
        610,
        620,
        630,
        640,
    ]


def test_a_server_that_restarts_goes_on_and_shows_the_gap() -> None:
    again = carried(filled(0, 120), at(120), at(300))
    filled(300, 400, again)
    values = [value for _, value in cpu(again, at(400))]
    assert values[:11] == [0.0] * 6 + [1.0] * 5
    assert values.count(None) == 1
    assert values[-1] == 6.0


def test_a_machine_that_restarts_keeps_the_day_under_its_dates() -> None:
    again = carried(filled(0, 120), at(120), at(30, unix_s=UNIX_S + 500, boot_id="b7"))
    later = at(60, unix_s=UNIX_S + 530, boot_id="b7")
    filled(30, 60, again)
    times = [when - UNIX_S for when, value in cpu(again, later) if value is not None]
    assert times == [*range(0, 110, 10), 500, 510]


def test_a_clock_that_is_set_moves_the_dates_and_loses_nothing() -> None:
    history = filled(0, 120)
    long_ago = cpu(history, at(120, unix_s=1000.0))
    corrected = cpu(history, at(120))
    assert [value for _, value in long_ago] == [value for _, value in corrected]
    assert [b - a for (a, _), (b, _) in zip(long_ago, corrected, strict=True)] == pytest.approx(
        [UNIX_S + 120 - 1000.0] * len(corrected)
    )


def test_a_clock_at_1970_hides_the_day_before_until_it_is_set() -> None:
    again = carried(filled(0, 120), at(120), at(5, unix_s=5.0, boot_id="b7"))
    filled(5, 60, again)
    assert len(cpu(again, at(60, unix_s=60.0, boot_id="b7"))) == 5
    corrected = at(60, unix_s=UNIX_S + 200, boot_id="b7")
    times = [when for when, _ in cpu(again, corrected)]
    assert len(times) > 15
    assert times == sorted(times)


def test_a_clock_that_was_ahead_before_the_restart_does_not_turn_time_round() -> None:
    again = carried(filled(0, 120), at(120, unix_s=UNIX_S + 9e6), at(5, boot_id="b7"))
    filled(5, 60, again)
    times = [when for when, _ in cpu(again, at(60, boot_id="b7"))]
    assert times == sorted(times)
    assert max(times) <= UNIX_S + 60


def test_steps_that_are_there_already_are_not_kept_twice() -> None:
    again = carried(filled(0, 120), at(120), at(115))
    filled(115, 180, again)
    times = [when for when, _ in cpu(again, at(180))]
    assert times == sorted(set(times))


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"offset_s": "soon"},
        {"offset_s": float("nan")},
        {"names": None},
        {"rings": {"hour": {"step_s": 10, "before": [[1, ["x", 1]]], "now": []}}},
        {"rings": {"hour": {"step_s": 10, "before": [[1]], "now": []}}},
        {"rings": {"hour": {"step_s": 10, "before": 7, "now": []}}},
        {"rings": []},
    ],
)
def test_a_file_of_another_form_is_refused(change: dict[str, Any]) -> None:
    saved = {**json.loads(json.dumps(filled(0, 60).to_json(at(60)))), **change}
    with pytest.raises(ValueError):  # noqa: PT011  (whatever is wrong with it)
        History(("cpu_percent",)).restore(saved, at(70))


@pytest.mark.parametrize("saved", [None, [], "x", 3, {}])
def test_what_is_no_history_at_all_is_refused(saved: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        History(("cpu_percent",)).restore(saved, at(70))


def test_figures_that_a_later_version_adds_are_null_before_it() -> None:
    saved = json.loads(json.dumps(filled(0, 60).to_json(at(60))))
    later = History(("streams", "cpu_percent"))
    later.restore(saved, at(61))
    body = later.read("hour", at(61))
    assert body["series"]["streams"] == [None] * 5
    assert body["series"]["cpu_percent"] == [0.0] * 5


def test_too_many_points_in_a_file_do_not_grow_the_history() -> None:
    saved = filled(0, 60).to_json(at(60))
    saved["rings"]["hour"]["now"] = [[number, [1.0, None]] for number in range(100_000)]
    again = History(("cpu_percent", "temperature_c"))
    again.restore(saved, at(2_000_000))
    assert len(again.to_json(at(2_000_000))["rings"]["hour"]["now"]) == 360
