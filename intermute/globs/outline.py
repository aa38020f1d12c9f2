"""What all paths of a machine have in common: how they begin and end, and how deep they go at most.

Patterns whose outlines do not fit have no path in common, which a database can tell without a machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from intermute.globs.automaton import Automaton
from intermute.globs.letters import SLASH, Letters, meet


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Of paths with a slash after every segment."""

    beginning: str
    ending: str
    most: int | None  #: segments; None: any number

    @property
    def folder(self) -> str:
        """The beginning in whole segments."""
        return self.beginning[: self.beginning.rfind("/") + 1]


def plain(path: str) -> Outline:
    """That of a path and all that is below it."""
    return Outline(beginning=path, ending="", most=None)


def outline(machine: Automaton) -> Outline:
    return Outline(beginning=_beginning(machine), ending=_ending(machine), most=_most(machine))


def _beginning(machine: Automaton) -> str:
    read, state = "", 0
    while not machine.loops[state]:
        steps, skips = machine.steps[state], machine.skips[state]
        if len(skips) == 1 and not steps:
            state = skips[0]
        elif len(steps) == 1 and not skips and (character := _character(steps[0][0])):
            read, state = read + character, steps[0][1]
        else:
            break
    return read


def _ending(machine: Automaton) -> str:
    """The same backwards, from the only state that ends a path."""
    if len(machine.accepting) > 1:
        return ""
    before = _backwards(machine)
    read, (state,) = "", machine.accepting
    while not machine.loops[state] and len(before[state]) == 1:
        ((letters, origin),) = before[state]
        if letters and not (character := _character(letters)):
            break
        read, state = (character + read if letters else read), origin
    return read


def _backwards(machine: Automaton) -> Sequence[Sequence[tuple[Letters | None, int]]]:
    """By state: reading what (None: nothing) it is reached, and from where."""
    before: list[list[tuple[Letters | None, int]]] = [[] for _ in machine.steps]
    for state, (steps, skips) in enumerate(zip(machine.steps, machine.skips, strict=True)):
        for letters, target in steps:
            before[target].append((letters, state))
        for target in skips:
            before[target].append((None, state))
    return before


def _most(machine: Automaton) -> int | None:
    if any(loop and meet(loop, SLASH) for loop in machine.loops):
        return None
    most = [0] * machine.size
    for state in reversed(range(machine.size)):
        ahead = [most[target] + (letters == SLASH) for letters, target in machine.steps[state]]
        most[state] = max([*ahead, *(most[target] for target in machine.skips[state])], default=0)
    return most[0]


def _character(letters: Letters) -> str:
    """The only one of these, if there is only one."""
    ((first, last), *others) = letters
    return chr(first) if first == last and not others else ""
