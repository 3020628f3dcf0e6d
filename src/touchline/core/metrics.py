"""The registry of metrics, in Prometheus terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    Summary,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from touchline.foreign.text import shown

V = TypeVar("V")
M = TypeVar("M", Counter, Gauge, Histogram, Summary)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Buckets:
    """A histogram that was counted elsewhere: `counts` has one more entry than `bounds`.

    The last count is that of observations above every bound.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


@dataclass
class Family:
    """A metric whose values are read from memory at each rendering.

    The keys of `values` are label values in the order of `labels`.
    """

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    values: dict[tuple[str, ...], float | Buckets] = field(default_factory=dict)

    def set(self, value: float | Buckets, *labels: str) -> None:
        """Set the value for these label values."""
        self.values[labels] = value


Source = Callable[[], Iterable[Family]]


class Metrics:
    """A registry of metrics; the same name always returns the same metric."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._known: dict[str, tuple[Counter | Gauge | Histogram | Summary, tuple[str, ...]]] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:  # noqa: A002
        """Return a counter; `_total` is appended to its name on rendering."""
        return self._get(Counter, name, labels, lambda: Counter(name, help, labels, registry=None))

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Gauge:  # noqa: A002
        """Return a gauge."""
        return self._get(Gauge, name, labels, lambda: Gauge(name, help, labels, registry=None))

    def histogram(
        self,
        name: str,
        help: str,  # noqa: A002
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float] = Histogram.DEFAULT_BUCKETS,
    ) -> Histogram:
        """Return a histogram; `buckets` has an effect only on the first call."""
        return self._get(
            Histogram,
            name,
            labels,
            lambda: Histogram(name, help, labels, registry=None, buckets=buckets),
        )

    def summary(self, name: str, help: str, labels: Sequence[str] = ()) -> Summary:  # noqa: A002
        """Return a summary: the number and the sum of observations."""
        return self._get(Summary, name, labels, lambda: Summary(name, help, labels, registry=None))

    def add_source(self, read: Source) -> None:
        """Call `read` at each rendering, for values that are kept elsewhere."""
        self.registry.register(_SourceCollector(read))

    def render(self) -> bytes:
        """Render all metrics in the text format that `CONTENT_TYPE` names."""
        return generate_latest(self.registry)

    def _get(self, kind: type[M], name: str, labels: Sequence[str], make: Callable[[], M]) -> M:
        if name not in self._known:
            made = make()
            self.registry.register(made)
            self._known[name] = (made, tuple(labels))
        known, known_labels = self._known[name]
        if not isinstance(known, kind) or known_labels != tuple(labels):
            raise ValueError(f"the metric {name} already exists with another type or labels")
        return known


class _SourceCollector(Collector):
    """Adapts a source to the library's collector interface."""

    def __init__(self, read: Source) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Return nothing: names are known only once read, and registering reads nothing."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Convert the values of the source. Called at each rendering."""
        for family in self._read():
            yield _FORMS[family.kind](family)


def _escape_labels(values: Mapping[tuple[str, ...], V]) -> Iterator[tuple[list[str], V]]:
    for labels, value in values.items():
        yield [shown(label) for label in labels], value


def _simple(form: type[CounterMetricFamily | GaugeMetricFamily], family: Family) -> Metric:
    metric = form(family.name, family.help, labels=family.labels)
    for labels, value in _escape_labels(family.values):
        if isinstance(value, Buckets):
            raise TypeError(f"{family.name} is a {family.kind} and has buckets")
        metric.add_metric(labels, value)
    return metric


def _histogram(family: Family) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in _escape_labels(family.values):
        if not isinstance(value, Buckets):
            raise TypeError(f"{family.name} is a histogram and has no buckets")
        so_far, buckets = 0, []
        bounds = (*(repr(float(bound)) for bound in value.bounds), "+Inf")
        for bound, count in zip(bounds, value.counts, strict=True):
            so_far += count
            buckets.append((bound, float(so_far)))
        metric.add_metric(labels, buckets, sum_value=value.total)
    return metric


_FORMS: Mapping[str, Callable[[Family], Metric]] = {
    "counter": lambda family: _simple(CounterMetricFamily, family),
    "gauge": lambda family: _simple(GaugeMetricFamily, family),
    "histogram": _histogram,
}
