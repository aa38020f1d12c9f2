"""What Prometheus may read: how far behind we are, how long things take, how often they fail."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)


class Metrics:
    """All series of this process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.inbox_lag = Gauge(
            "intercom_inbox_lag_seconds", "Age of the oldest update not handled yet", registry=registry
        )
        self.outbox_waiting = Gauge(
            "intercom_outbox_waiting", "Messages not yet shown as they should be", registry=registry
        )
        self.approvals_open = Gauge(
            "intercom_approvals_open", "Questions that wait for a person", registry=registry
        )
        self.turns_running = Gauge("intercom_turns_running", "Turns under way", registry=registry)
        self.card_seconds = Histogram(
            "intercom_card_seconds",
            "From an approval to its card in the chat",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._counters: dict[str, Counter] = {}
        self._durations: dict[str, Histogram] = {}
        self.loop_lag = Gauge(
            "intercom_loop_lag_seconds", "How late the event loop was, last time we looked", registry=registry
        )
        self.ready = Gauge("intercom_ready", "1 when a part is well", ["part"], registry=registry)

    def count(self, name: str, **labels: str) -> None:
        """One more of what the conversation counts (`host.meter.Meter`)."""
        self.add(name, 1, **labels)

    def add(self, name: str, amount: float, **labels: str) -> None:
        """So much more of it: tokens, money."""
        counter = self._counters.get(name)
        if counter is None:
            counter = Counter(
                f"intercom_{_plain(name)}_total", _words(name), sorted(labels), registry=self._registry
            )
            self._counters[name] = counter
        (counter.labels(**labels) if labels else counter).inc(amount)

    def observe(self, name: str, seconds: float) -> None:
        """One more duration of what the conversation times (`host.meter.Meter`)."""
        duration = self._durations.get(name)
        if duration is None:
            duration = Histogram(
                f"intercom_{_plain(name)}_seconds", _words(name), buckets=_BUCKETS, registry=self._registry
            )
            self._durations[name] = duration
        duration.observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)


def _plain(name: str) -> str:
    return name.replace(".", "_")


def _words(name: str) -> str:
    return name.replace("_", " ").replace(".", " ").capitalize()
