from __future__ import annotations

import pytest

from touchline.core.metrics import Metrics


def test_two_owners_of_a_name_share_one_metric() -> None:
    metrics = Metrics()
    metrics.counter("requests", "Requests.", ["endpoint"]).labels("root").inc()
    metrics.counter("requests", "Requests.", ["endpoint"]).labels("root").inc(2)
    assert 'requests_total{endpoint="root"} 3.0' in metrics.render().decode()


def test_the_same_name_with_another_kind_or_other_labels_is_an_error() -> None:
    metrics = Metrics()
    metrics.gauge("recording", "Whether a recording runs.")
    with pytest.raises(ValueError, match="recording exists already"):
        metrics.counter("recording", "Recordings.")
    with pytest.raises(ValueError, match="recording exists already"):
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
