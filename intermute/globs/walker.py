"""Many states of one pattern's machine at once: a set of states is an int, one bit each.

One pattern is walked by the other: each state of the one carries the set of states the other can be in. That
is n·m bits in all, moved by whole machine words, and every state of the one is visited once.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from intermute.globs.automaton import Automaton
from intermute.globs.letters import Letters, meet

#: who stays, and who moves how far
_Moves = tuple[int, Sequence[tuple[int, int]]]


class Walker:
    """The machine that is walked. Made for one request; what it learns serves all candidates of it."""

    def __init__(self, machine: Automaton) -> None:
        self._machine = machine
        self._skipping = 0
        self._skips: dict[int, int] = {}
        self._moves: dict[Letters, _Moves] = {}
        self._reach: dict[Letters, Sequence[int]] = {}
        for state in reversed(range(machine.size)):
            if machine.skips[state]:
                self._skipping |= 1 << state
                self._skips[state] = _union(
                    1 << target | self._skips.get(target, 0) for target in machine.skips[state]
                )
        self.start = self._settled(1)
        self.accepting = _union(1 << state for state in machine.accepting)

    def step(self, states: int, read: Letters) -> int:
        """Where they can be after one of these characters."""
        staying, moving = self._moves_by(read)
        reached = states & staying
        for distance, movers in moving:
            reached |= (states & movers) << distance
        return self._settled(reached)

    def wander(self, states: int, read: Letters) -> int:
        """Where they can be after any number of these characters."""
        reach = self._reach_by(read)
        reached = left = states
        while left:
            ahead = reach[(left & -left).bit_length() - 1]
            reached |= ahead
            left &= ~ahead
        return reached

    def _settled(self, states: int) -> int:
        left = states & self._skipping
        while left:
            lowest = left & -left
            states |= self._skips[lowest.bit_length() - 1]
            left ^= lowest
        return states

    def _moves_by(self, read: Letters) -> _Moves:
        known = self._moves.get(read)
        if known is None:
            known = self._moves[read] = self._moves_for(read)
        return known

    def _moves_for(self, read: Letters) -> _Moves:
        staying, moving = 0, dict[int, int]()
        for state, (steps, loop) in enumerate(zip(self._machine.steps, self._machine.loops, strict=True)):
            if loop and meet(loop, read):
                staying |= 1 << state
            for letters, target in steps:
                if letters == read or meet(letters, read):
                    moving[target - state] = moving.get(target - state, 0) | 1 << state
        return staying, tuple(moving.items())

    def _reach_by(self, read: Letters) -> Sequence[int]:
        known = self._reach.get(read)
        if known is None:
            known = self._reach[read] = self._reach_for(read)
        return known

    def _reach_for(self, read: Letters) -> Sequence[int]:
        machine = self._machine
        reach = [0] * machine.size
        for state in reversed(range(machine.size)):
            ahead = [target for letters, target in machine.steps[state] if meet(letters, read)]
            reach[state] = 1 << state | _union(reach[target] for target in (*ahead, *machine.skips[state]))
        return reach


def overlaps(machine: Automaton, walker: Walker) -> bool:
    """Whether some path is read to the end by both."""
    standing = [0] * machine.size
    standing[0] = walker.start
    furthest = 0
    for state, loop in enumerate(machine.loops):
        if state > furthest:
            return False
        if not (states := standing[state]):
            continue
        if loop:
            states = walker.wander(states, loop)
        if state in machine.accepting and states & walker.accepting:
            return True
        moved = [(target, states) for target in machine.skips[state]]
        moved += [(target, walker.step(states, read)) for read, target in machine.steps[state]]
        for target, arriving in moved:
            standing[target] |= arriving
            furthest = max(furthest, target if arriving else 0)
    return False


def _union(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)
