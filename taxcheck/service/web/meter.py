"""What /metrics tells: requests by route, and what the store holds when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.types import Scope

from taxcheck.service.store.ready import Gauge

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.3, 1.0, 3.0, 10.0, 60.0)
_METHODS = frozenset(("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"))


class Meter:
    """The numbers of one application; a label is a route as it was written, never a path."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "taxcheck_request_seconds",
            "Time until a request was answered.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._requests = Counter(
            "taxcheck_requests",
            "Requests by what became of them.",
            ("method", "route", "status"),
            registry=self._registry,
        )

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request."""
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._seconds.labels(method, route).observe(seconds)
        self._requests.labels(method, route, str(status)).inc()

    def watch(self, gauges: Callable[[], Iterable[Gauge]]) -> None:
        """Ask for these whenever the numbers are read."""
        self._registry.register(_Watched(gauges))

    def text(self) -> bytes:
        """All numbers in Prometheus' text format."""
        return generate_latest(self._registry)


class _Watched:
    """What a function tells."""

    def __init__(self, gauges: Callable[[], Iterable[Gauge]]) -> None:
        self._gauges = gauges

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: asking for names would ask the store."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Each family once, with all of its labels."""
        families: dict[str, GaugeMetricFamily] = {}
        for name, told, labels, value in self._gauges():
            family = families.setdefault(name, GaugeMetricFamily(name, told, labels=list(labels)))
            family.add_metric(list(labels.values()), value)
        return families.values()
