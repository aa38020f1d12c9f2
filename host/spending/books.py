"""The book of one group's day, and the one decision that is made on it. In memory, and never waiting."""

from dataclasses import dataclass
from datetime import date

from container.broker.port import BudgetSpent, ModelRequest
from host.spending.prices import Tariff, input_cost, output_cost, output_for
from host.spending.words import limit_reached, nothing_granted, set_aside

LEAST_ANSWER = 4096  #: tokens; a request that could not be answered with so many is not made


@dataclass(slots=True, kw_only=True)
class Book:
    """What a group did with its money on one day; amounts in millionths of a US dollar."""

    folder: str
    day: date
    spent: int = 0
    reserved: int = 0
    extended: int = 0
    open: int = 0  #: requests under way
    warned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is set aside for a request, and how long its answer may be for that."""

    amount: int
    output_tokens: int


class Reached(BudgetSpent):
    """The limit is reached by what is spent, whatever else is under way."""

    def __init__(self, sentence: str, needs: int) -> None:
        super().__init__(sentence)
        self.needs = needs


def decide(book: Book, limit: int, tariff: Tariff, request: ModelRequest) -> Decision:
    """How much to set aside so that nothing under way can end above the limit. Raises BudgetSpent.

    One request takes at most half of what is left, so that others find something beside it; its answer is
    bounded to what that pays, but not below the least answer that is worth asking for.
    """
    if limit <= 0:
        raise BudgetSpent(nothing_granted())
    prompt = input_cost(tariff, request)
    least = min(request.output_tokens, LEAST_ANSWER)
    needs = prompt + output_cost(tariff, request, least)
    left = limit - book.spent - book.reserved
    if needs > limit - book.spent:
        raise Reached(limit_reached(book.spent, limit, needs), needs)
    if needs > left:
        raise BudgetSpent(set_aside(book.spent, book.reserved, limit))
    output = max(least, min(request.output_tokens, output_for(tariff, request, left // 2 - prompt)))
    return Decision(amount=prompt + output_cost(tariff, request, output), output_tokens=output)
