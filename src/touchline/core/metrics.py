"""The one registry of measurements, in Prometheus' terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

M = TypeVar("M", Counter, Gauge, Histogram)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Asking twice for a name gives the same metric; with another kind or labels it is an error."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._known: dict[str, tuple[Counter | Gauge | Histogram, tuple[str, ...]]] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:  # noqa: A002
        """A number that only grows; `_total` is added to the name when it is rendered."""
        return self._get(Counter, name, labels, lambda: Counter(name, help, labels, registry=None))

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Gauge:  # noqa: A002
        """A number that goes up and down."""
        return self._get(Gauge, name, labels, lambda: Gauge(name, help, labels, registry=None))

    def histogram(
        self,
        name: str,
        help: str,  # noqa: A002
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float] = Histogram.DEFAULT_BUCKETS,
    ) -> Histogram:
        """Observations counted by size; only the first caller's `buckets` count."""
        return self._get(
            Histogram,
            name,
            labels,
            lambda: Histogram(name, help, labels, registry=None, buckets=buckets),
        )

    def render(self) -> bytes:
        """Everything in the text format that `CONTENT_TYPE` names."""
        return generate_latest(self.registry)

    def _get(self, kind: type[M], name: str, labels: Sequence[str], make: Callable[[], M]) -> M:
        if name not in self._known:
            made = make()
            self.registry.register(made)
            self._known[name] = (made, tuple(labels))
        known, known_labels = self._known[name]
        if not isinstance(known, kind) or known_labels != tuple(labels):
            raise ValueError(f"the metric {name} exists already with another kind or other labels")
        return known
