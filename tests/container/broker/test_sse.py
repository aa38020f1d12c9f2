"""Server-sent events, however the network cuts them; see `container/broker/sse.py`."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from container.broker.sse import Events

_data = st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"").replace(b"\r", b""))


@given(
    events=st.lists(_data.filter(bool), max_size=8), cuts=st.lists(st.integers(0, 400)), crlf=st.booleans()
)
def test_events_are_the_same_however_they_are_cut(events: list[bytes], cuts: list[int], crlf: bool) -> None:
    end = b"\r\n" if crlf else b"\n"
    stream = b"".join(
        b"event: x" + end + b"data: " + data + end + b": comment" + end + end for data in events
    )
    places = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    reader = Events()
    found = [data for start, stop in itertools.pairwise(places) for data in reader.feed(stream[start:stop])]
    assert found == events


def test_lines_of_one_event_belong_together() -> None:
    assert Events().feed(b"data: a\ndata:b\nid: 3\n\n") == [b"a\nb"]


@given(sizes=st.lists(st.integers(1, 30), max_size=30))
def test_an_event_that_is_too_long_is_left_out_and_the_next_is_found(sizes: list[int]) -> None:
    stream = b"data: " + b"x" * 200 + b"\ndata: more\n\ndata: short\n\n"
    reader = Events(longest=50)
    found, at = [], 0
    for size in [*sizes, len(stream)]:
        found += reader.feed(stream[at : at + size])
        at += size
    assert found == [b"short"]
    assert reader.skipped == 1
