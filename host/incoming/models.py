"""The models a group may choose from, and how a choice is read. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from host.phrases import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One row of the catalogue."""

    name: str
    runtime: str  #: which agent program runs it
    model: str = ""  #: what that program calls it; empty for its default

    def serves(self, runtime: str, model: str) -> bool:
        return (self.runtime, self.model) == (runtime, model)


#: what runs without any key
LOCAL = Model(name="local", runtime="local")


def listing(models: Sequence[Model], runtime: str, model: str) -> str:
    """The catalogue as numbered lines, what answers now marked in words."""
    lines = [
        f"{number}. {each.name}{' (answers here now)' if each.serves(runtime, model) else ''}"
        for number, each in enumerate(models, 1)
    ]
    return "\n".join(["Who may answer here:", *lines, "Choose with /model and a number or a name."])


def choose(models: Sequence[Model], wanted: str) -> Model | str:
    """By number, exact name or a part that only one name has; otherwise the sentence that says why not."""
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:6]) <= len(models):
        return models[int(wanted[:6]) - 1]
    sought = wanted.casefold()
    exact = [each for each in models if each.name.casefold() == sought]
    near = exact or [each for each in models if sought in each.name.casefold()]
    if len(near) == 1:
        return near[0]
    said = one_line(wanted, 60)
    if not near:
        return f"Nothing was changed: no model is called “{said}”. /model lists them."
    names = ", ".join(each.name for each in near[:6])
    return f"Nothing was changed: “{said}” may be {names}. Write one of them in full."
