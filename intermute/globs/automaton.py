"""A pattern as a machine that reads paths: its states are in order, every way leads forward or stays."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from intermute.globs.contexts import ENDS, LOOPS, Context, moves
from intermute.globs.letters import Letters
from intermute.globs.tokens import Kind, Token, refused, tokens

STATES = 2048  #: of a pattern with wildcards; without braces there are about as many as characters

#: a place in the text, and what is known there
Place: TypeAlias = tuple[int, Context]
#: from where, reading what (None: nothing), to where
Way: TypeAlias = tuple[Place, Letters | None, Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Automaton:
    """State 0 is the first. From every state the end can be reached."""

    steps: Sequence[Sequence[tuple[Letters, int]]]  #: by state: reading one of these leads there
    skips: Sequence[Sequence[int]]  #: by state: where it may go without reading
    loops: Sequence[Letters | None]  #: by state: what it may read and stay
    accepting: frozenset[int]

    @property
    def size(self) -> int:
        return len(self.steps)


def automaton(text: str) -> Automaton:
    """The machine for a pattern. Raises InvalidRequest."""
    end, branches = _branches([*tokens(text), Token(Kind.SLASH)])
    places, ways = _follow(branches)
    ends = {place for place in places if place[0] == end and place[1] in ENDS}
    useful = _leading_to(ends, ways)
    if (0, Context.NOTHING) not in useful:
        raise refused("it names no path")
    return _numbered([place for place in places if place in useful], ways, ends)


def _branches(found: Sequence[Token]) -> tuple[int, Sequence[Sequence[tuple[Token | None, int]]]]:
    """The text as a graph, its last node first: by node the tokens that may come and where they lead."""
    nodes: list[list[tuple[Token | None, int]]] = [[]]
    opened: list[tuple[int, list[int]]] = []  # where alternatives fork, and where those that are over ended
    here = 0
    for token in found:
        nodes.append([])
        fresh = len(nodes) - 1
        if token.kind is Kind.OPEN:
            opened.append((here, []))
            nodes[here].append((None, fresh))
        elif token.kind is Kind.COMMA:
            fork, ended = opened[-1]
            ended.append(here)
            nodes[fork].append((None, fresh))
        elif token.kind is Kind.CLOSE:
            for last in (*opened.pop()[1], here):
                nodes[last].append((None, fresh))
        else:
            nodes[here].append((token, fresh))
        here = fresh
    return here, nodes


def _follow(branches: Sequence[Sequence[tuple[Token | None, int]]]) -> tuple[Sequence[Place], Sequence[Way]]:
    """Every place reading can come to, in order, and the ways between them."""
    known: defaultdict[int, set[Context]] = defaultdict(set)
    known[0].add(Context.NOTHING)
    places: list[Place] = []
    ways: list[Way] = []
    for node, branch in enumerate(branches):
        for context in sorted(known[node]):
            places.append((node, context))
            for token, target in branch:
                ahead = moves(context, token) if token else ((None, context),)
                known[target].update(then for _, then in ahead)
                ways += [((node, context), read, (target, then)) for read, then in ahead]
        if len(places) > STATES:
            raise refused("it is too complex")
    return places, ways


def _leading_to(ends: set[Place], ways: Sequence[Way]) -> set[Place]:
    useful = set(ends)
    for origin, _, target in reversed(
        ways
    ):  # a way's origin comes before the origins of the ways it leads to
        if target in useful:
            useful.add(origin)
    return useful


def _numbered(places: Sequence[Place], ways: Sequence[Way], ends: set[Place]) -> Automaton:
    number = {place: at for at, place in enumerate(places)}
    steps: list[list[tuple[Letters, int]]] = [[] for _ in places]
    skips: list[list[int]] = [[] for _ in places]
    for origin, read, target in ways:
        if origin not in number or target not in number:
            continue
        if read is None:
            skips[number[origin]].append(number[target])
        else:
            steps[number[origin]].append((read, number[target]))
    return Automaton(
        steps=steps,
        skips=skips,
        loops=list(_loops(places, ends)),
        accepting=frozenset(number[place] for place in ends),
    )


def _loops(places: Sequence[Place], ends: set[Place]) -> Iterator[Letters | None]:
    for place in places:
        yield ENDS[place[1]] if place in ends else LOOPS.get(place[1])
