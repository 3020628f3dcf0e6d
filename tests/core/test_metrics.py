from __future__ import annotations

from typing import Any

import pytest

from touchline.core.metrics import Buckets, Family, Metrics


def test_two_owners_of_a_name_share_one_metric() -> None:
    metrics = Metrics()
    metrics.counter("requests", "Requests.", ["endpoint"]).labels("root").inc()
    metrics.counter("requests", "Requests.", ["endpoint"]).labels("root").inc(2)
    assert 'requests_total{endpoint="root"} 3.0' in metrics.render().decode()


def test_the_same_name_with_another_kind_or_other_labels_is_an_error() -> None:
    metrics = Metrics()
    metrics.gauge("recording", "Whether a recording runs.")
    with pytest.raises(ValueError, match="recording already exists"):
        metrics.counter("recording", "Recordings.")
    with pytest.raises(ValueError, match="recording already exists"):
        metrics.gauge("recording", "Whether a recording runs.", ["camera"])


def test_a_histogram_has_the_buckets_it_was_made_with() -> None:
    metrics = Metrics()
    metrics.histogram("wait_seconds", "Waits.", buckets=(0.1, 1)).observe(0.5)
    text = metrics.render().decode()
    assert 'wait_seconds_bucket{le="0.1"} 0.0' in text
    assert 'wait_seconds_bucket{le="1.0"} 1.0' in text


def test_two_registries_know_nothing_of_each_other() -> None:
    one, other = Metrics(), Metrics()
    one.gauge("only_here", "x").set(1)
    assert "only_here" not in other.render().decode()
    assert "process_cpu_seconds_total" in other.render().decode()


def rendered(*families: Family) -> list[str]:
    metrics = Metrics()
    metrics.add_source(lambda: families)
    return metrics.render().decode().splitlines()


def test_a_source_is_read_anew_at_each_rendering() -> None:
    metrics = Metrics()
    families: list[Family] = []
    metrics.add_source(lambda: families)
    family = Family("gauge", "cameras", "Cameras.", ("state",))
    assert "cameras" not in metrics.render().decode()
    families.append(family)
    for count in (1, 2):
        family.set(count, "running")
        assert f'cameras{{state="running"}} {count}.0' in metrics.render().decode().splitlines()


def test_a_family_says_what_it_is() -> None:
    family = Family("counter", "frames", "Frames.")
    family.set(5)
    lines = rendered(family)
    assert "# HELP frames_total Frames." in lines
    assert "# TYPE frames_total counter" in lines
    assert "frames_total 5.0" in lines


def test_buckets_counted_elsewhere_add_up() -> None:
    family = Family("histogram", "sync_seconds", "Syncs.", ("camera",))
    family.set(Buckets(bounds=(0.1, 1), counts=(3, 2, 1), total=4.5), "cam0")
    lines = rendered(family)
    for line in (
        'sync_seconds_bucket{camera="cam0",le="0.1"} 3.0',
        'sync_seconds_bucket{camera="cam0",le="1.0"} 5.0',
        'sync_seconds_bucket{camera="cam0",le="+Inf"} 6.0',
        'sync_seconds_count{camera="cam0"} 6.0',
        'sync_seconds_sum{camera="cam0"} 4.5',
    ):
        assert line in lines


@pytest.mark.parametrize(
    ("kind", "value"), [("gauge", Buckets((1,), (0, 0), 0.0)), ("histogram", 1.0)]
)
def test_a_value_of_the_wrong_kind_is_an_error(kind: Any, value: Any) -> None:
    family = Family(kind, "odd", "Odd.")
    family.set(value)
    with pytest.raises(TypeError, match="odd is a"):
        rendered(family)


def test_a_summary_has_number_and_sum() -> None:
    metrics = Metrics()
    for size in (10, 30):
        metrics.summary("size_bytes", "Sizes.", ["handler"]).labels("/").observe(size)
    text = metrics.render().decode()
    assert 'size_bytes_count{handler="/"} 2.0' in text
    assert 'size_bytes_sum{handler="/"} 40.0' in text
