"""We send no faster than a receiver with default limits takes, so nothing is lost."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidechannel.errors import Refused
from sidechannel.peer.limiter import Limiter
from sidechannel.peer.pacer import Pacer
from sidechannel.peer.settings import Limits, Pacing
from tests.sidechannel.network import ENTRY, PLAIN, Network, Node


def test_a_burst_of_a_thousand_messages_arrives_whole_and_in_order() -> None:
    network = Network()
    ann, bob = network.line(PLAIN, "ann", "bob")

    for number in range(1000):
        network.say(ann, {"n": number, "pad": "x" * 20})
    assert 0 < len(bob.heard) < 1000
    network.drain()

    assert [each["n"] for each in bob.heard] == list(range(1000))
    assert bob.drops() == {}
    seconds = (network.now.steady - 5_000) / 1000
    size = sum(len(each.data) for each in network.wire)
    assert seconds == pytest.approx((size - 192_000) / 60_000, abs=0.1)


def test_large_messages_arrive_whole_too() -> None:
    network = Network()
    ann, bob = network.line(PLAIN, "ann", "bob")

    for number in range(8):
        network.say(ann, str(number) * 240_000)
    network.drain()

    assert [each[0] for each in bob.heard] == list("01234567")
    assert bob.drops() == {}


def test_relays_are_paced_as_well() -> None:
    network = Network()
    ann, bob, cat = network.line(replace(PLAIN, limits=Limits(rate=0)), "ann", "bob", "cat")
    dan = network.add("dan", PLAIN, ENTRY)
    network.connect(cat, dan)

    for number in range(600):
        network.say(ann, {"n": number, "pad": "x" * 100})
    network.drain()

    assert len(dan.heard) == len(bob.heard) == 600
    assert dan.drops() == {}


def say_all(network: Network, node: Node, count: int) -> None:
    for number in range(count):
        network.say(node, number)


def send_all(network: Network, node: Node, count: int) -> None:
    """Send, but leave the work undone."""
    for number in range(count):
        node.peer.commands.send(network.now, ENTRY, number)


def test_a_full_queue_refuses_its_own_messages_and_counts_what_others_lose() -> None:
    network = Network()
    small = replace(PLAIN, limits=Limits(rate=0), pacing=Pacing(burst=1_000, queued=10))
    ann, bob, _ = network.line(small, "ann", "bob", "cat")
    (number,) = ann.links

    with pytest.raises(Refused) as refused:
        say_all(network, ann, 100)
    assert refused.value.reason == "busy"
    waiting = ann.peer.stats()["queued"]
    network.drain()

    assert waiting == 10
    assert len(bob.heard) >= 10
    assert ann.drops() == {}
    assert number in ann.links


def test_work_that_waits_is_bounded() -> None:
    network = Network()
    ann = network.add("ann", replace(PLAIN, pow_bits=30, limits=Limits(waiting_for_work=3)), ENTRY)

    with pytest.raises(Refused) as refused:
        send_all(network, ann, 5)

    assert refused.value.reason == "busy"
    assert ann.peer.stats()["working"] == 3


@given(
    sizes=st.lists(st.integers(100, 255_900), min_size=1, max_size=40),
    steps=st.lists(st.integers(1, 4_000), min_size=1, max_size=40),
    late=st.integers(0, 900),
)
@example(sizes=[100, 58_177, 255_900], steps=[1], late=101)
@example(sizes=[100, 192_001, 192_001, 64_000], steps=[1], late=0)
@example(sizes=[60_000] * 3 + [255_900, 190_000, 255_900], steps=[1], late=900)
def test_no_pattern_of_sending_costs_the_receiver_a_strike(
    sizes: list[int], steps: list[int], late: int
) -> None:
    """Also when the network holds everything back and lets it go every `late` milliseconds."""
    pacer, limiter = Pacer(Pacing(), 0), Limiter(Limits(), 0)
    sent: list[tuple[int, int]] = []
    now = 0

    def let_go() -> None:
        for _, data, _ in pacer.ready(now):
            pacer.sent(len(data), now)
            sent.append((now, len(data)))

    for number, size in enumerate(sizes):
        assert pacer.put("x", bytes(size), gated=True)
        let_go()
        now += steps[number % len(steps)]
    while (at := pacer.next_at(now)) is not None:
        now = max(at, now)
        let_go()

    assert [size for _, size in sent] == sizes
    for at, size in sent:
        assert limiter.take(size, at if late == 0 else (at // late + 1) * late)
    assert pacer.queued_bytes == 0
