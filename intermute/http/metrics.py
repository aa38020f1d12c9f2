"""What Prometheus may read of the service: requests by route, how long they took, numbers of the rooms."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

MEDIA = "text/plain; version=0.0.4; charset=utf-8"

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Read = Callable[[], float]


@dataclass(slots=True)
class Route:
    """Counts of one row of the interface; plain numbers, for they change with every request."""

    method: str
    path: str
    statuses: dict[int, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def answered(self, status: int, seconds: float | None) -> None:
        """None: nothing that is to be quick."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if seconds is None:
            return
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class Meters(Collector):
    """All series of one service. Names of agents, projects or paths are never labels."""

    def __init__(self) -> None:
        self._routes: list[Route] = []
        self._gauges: dict[str, tuple[str, Read]] = {}
        self._counters: dict[str, tuple[str, Read]] = {}
        self.under_way = 0
        self.gauge("requests_under_way", "Requests not answered yet", lambda: self.under_way)

    def route(self, method: str, path: str) -> Route:
        route = Route(method, path)
        self._routes.append(route)
        return route

    def gauge(self, name: str, words: str, read: Read) -> None:
        """A number that goes up and down; `read` must be quick."""
        self._gauges[name] = (words, read)

    def counter(self, name: str, words: str, read: Read) -> None:
        """A number that only grows; `read` must be quick."""
        self._counters[name] = (words, read)

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield self._durations()
        for name, (words, read) in self._gauges.items():
            yield GaugeMetricFamily(f"intermute_{name}", words, value=read())
        for name, (words, read) in self._counters.items():
            yield CounterMetricFamily(f"intermute_{name}", words, value=read())

    def text(self) -> bytes:
        """The exposition of this service alone."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def _requests(self) -> Metric:
        labels = ("method", "path", "status")
        family = CounterMetricFamily("intermute_requests", "Requests answered", labels=labels)
        for route in self._routes:
            for status, count in sorted(route.statuses.items()):
                family.add_metric((route.method, route.path, str(status)), count)
        return family

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            "intermute_request_seconds", "From a request's head to its answer", labels=("method", "path")
        )
        for route in self._routes:
            if any(route.buckets):
                family.add_metric((route.method, route.path), _cumulative(route.buckets), route.seconds)
        return family


def _cumulative(buckets: Sequence[int]) -> list[tuple[str, float]]:
    total, series = 0, []
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
        total += count
        series.append((bound, float(total)))
    return series
