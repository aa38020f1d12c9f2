"""What a call will do is said before anybody confirms it, in the words that fit this kernel."""

from dataclasses import replace

from demarch.calls import parse
from demarch.effects import effect
from demarch.kernel import Extension, Run
from tests.clock import START

RUN = Run(
    id="abcd1234", goal="refactor auth", status="active", phase="review", phases=("review", "done"),
    created_at=START, updated_at=START, budget=100_000,
)  # fmt: skip


def test_extending_a_budget_says_what_this_kernel_does_for_it() -> None:
    call = parse("extend_budget", {"run_id": "abcd1234", "percent": 50})
    assert effect(call, RUN) == "The run “refactor auth” gets 50 % more tokens (50 k more)."
    assert (
        effect(call, replace(RUN, extension=Extension.FOLLOW_UP))
        == "A new run with a larger budget continues “refactor auth”; the old one is stopped."
    )
    assert (
        effect(call, replace(RUN, extension=Extension.DISPATCHES))
        == "The run “refactor auth” may start more agents."
    )
    assert effect(call) == "The run abcd1234 gets 50 % more tokens."
