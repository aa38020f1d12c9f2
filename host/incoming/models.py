"""The models a group may choose from, and how a choice is read. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from container.agent import Runtime
from host.phrases import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One row of the catalogue."""

    name: str
    runtime: str  #: which agent program runs it
    model: str = ""  #: what that program calls it; empty for its default
    title: str = ""  #: what people call the program
    default: bool = True  #: it is what the program takes when no model is named

    def serves(self, runtime: str, model: str) -> bool:
        return self.runtime == runtime and (self.model == model or (self.default and not model))


#: what runs without any key
LOCAL = Model(name="local", runtime="local")
#: whose models are called so, for names the catalogue does not have
_FAMILIES = (
    (re.compile(r"claude-", re.IGNORECASE), "claude"),
    (re.compile(r"gemini-", re.IGNORECASE), "gemini"),
    (re.compile(r"gpt-|codex-|o[134]-", re.IGNORECASE), "codex"),
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,199}", re.ASCII)


def catalogue(runtimes: Iterable[Runtime]) -> tuple[Model, ...]:
    """Every model of every program; a program that needs none stands for itself."""
    found: list[Model] = []
    for runtime in runtimes:
        if not runtime.models:
            found.append(Model(name=runtime.name, runtime=runtime.name, title=runtime.title))
        for place, model in enumerate(runtime.models):
            found.append(
                Model(
                    name=model,
                    runtime=runtime.name,
                    model=model,
                    title=runtime.title or runtime.name,
                    default=place == 0,
                )
            )
    return tuple(found)


def listing(
    models: Sequence[Model], runtime: str, model: str, *, allowed: Sequence[str] = (), limit: int = 60
) -> str:
    """The catalogue as numbered lines, what answers now marked in words."""
    lines = [
        f"{number}. {each.name}{_beside(each)}{' (answers here now)' if each.serves(runtime, model) else ''}"
        for number, each in enumerate(models[:limit], 1)
        if may_answer(each, allowed)
    ]
    if not any(each.serves(runtime, model) for each in models):
        lines.append(f"Now {model or runtime} answers here, which is not in this list.")
    known = {each.model for each in models}
    more = [name for name in allowed if name not in known]
    if more:
        lines.append(f"Allowed here as well: {', '.join(one_line(name, 60) for name in more[:10])}.")
    return "\n".join(["Who may answer here:", *lines, "Choose with /model and a number or a name."])


def choose(
    models: Sequence[Model], wanted: str, *, runtime: str = "local", allowed: Sequence[str] = ()
) -> Model | str:
    """By number, name, program or a part that only one name has; otherwise the sentence that says why not.

    A name the catalogue does not have is taken if an owner allowed it in the group (`allowed`); its program
    is known by how it begins, else it is the group's own, `runtime`.
    """
    found = _found(models, wanted, runtime, allowed)
    if isinstance(found, Model) and not may_answer(found, allowed):
        return (
            f"Nothing was changed: {found.name} is not among the models an owner allows here. "
            "/model lists those."
        )
    return found


def may_answer(model: Model, allowed: Sequence[str]) -> bool:
    """An owner's list holds for programs that talk to a model; empty, it lets all of the catalogue."""
    return not allowed or not model.model or model.model in allowed


def _found(models: Sequence[Model], wanted: str, runtime: str, allowed: Sequence[str]) -> Model | str:
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:6]) <= len(models):
        return models[int(wanted[:6]) - 1]
    sought = wanted.casefold()
    exact = [each for each in models if each.name.casefold() == sought]
    program = [each for each in models if each.default and each.runtime.casefold() == sought]
    near = (exact or program)[:1] or [
        each for each in models if sought in each.name.casefold() and may_answer(each, allowed)
    ]
    if len(near) == 1:
        return near[0]
    if wanted in allowed and _NAME.fullmatch(wanted):
        return Model(name=wanted, runtime=_program(models, wanted, runtime), model=wanted, default=False)
    said = one_line(wanted, 60)
    if not near:
        return f"Nothing was changed: no model is called “{said}”. /model lists them."
    names = ", ".join(each.name for each in near[:6])
    return f"Nothing was changed: “{said}” may be {names}. Write one of them in full."


def _program(models: Sequence[Model], wanted: str, runtime: str) -> str:
    installed = {each.runtime for each in models}
    by_name = (program for family, program in _FAMILIES if family.match(wanted))
    return next((program for program in by_name if program in installed), runtime)


def _beside(model: Model) -> str:
    return f", {model.title}" if model.title and model.title.casefold() != model.name.casefold() else ""
