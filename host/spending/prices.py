"""What models cost by their providers' public lists, and how a request is priced.

Read in November 2026 from what is public of platform.claude.com/docs/en/about-claude/pricing,
developers.openai.com/api/docs/pricing and ai.google.dev/gemini-api/docs/pricing. A price that is announced to
rise within weeks stands here as it will be; a model whose price we did not find is left to `Prices`' rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from types import MappingProxyType

from container.agent import ModelApi
from container.broker.port import ModelRequest, Usage
from host.spending.money import from_usd

_ENDS = ("", "-", "@", ":", "[")  #: what may follow the name a price is listed under: a date, a variant
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Millionths of a US dollar per million tokens."""

    input: int
    cache_read: int
    cache_write: int
    cache_write_hour: int
    output: int

    def of(self, usage: Usage) -> int:
        """Rounded up, so that many small requests are not free."""
        total = (
            usage.input * self.input
            + usage.cache_read * self.cache_read
            + usage.cache_write * self.cache_write
            + usage.cache_write_hour * self.cache_write_hour
            + usage.output * self.output
        )
        return -(-total // _MILLION)

    def highest(self, other: "Price") -> "Price":
        """The dearer of the two, kind by kind."""
        return Price(
            **{kind.name: max(getattr(self, kind.name), getattr(other, kind.name)) for kind in _KINDS}
        )


_KINDS = fields(Price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The prices of one model; a long prompt may make the whole request dearer."""

    usual: Price
    above: int = 0  #: tokens of prompt from which on `long` applies; 0: never
    long: Price | None = None

    def at(self, prompt: int) -> Price:
        return self.long if self.long is not None and prompt > self.above else self.usual

    def cost(self, usage: Usage) -> int:
        prompt = usage.input + usage.cache_read + usage.cache_write + usage.cache_write_hour
        return self.at(prompt).of(usage)


class Prices:
    """Finds a model's tariff: of the longest listed name it begins with, else the dearest of its provider."""

    def __init__(self, own: Mapping[str, Tariff] | None = None) -> None:
        self._own = {_plain(name): tariff for name, tariff in (own or {}).items()}
        self._dearest = {api: _dearest(tariffs) for api, tariffs in LIST.items()}
        self._find = lru_cache(maxsize=1000)(self._search)

    def tariff(self, api: ModelApi, model: str) -> Tariff:
        return self._find(api, model[:200])

    def listed(self, api: ModelApi, model: str) -> bool:
        """False when nobody told what it costs, so that it is counted as the dearest."""
        return self.tariff(api, model) is not self._dearest[api]

    def _search(self, api: ModelApi, model: str) -> Tariff:
        name = _plain(model)
        return _longest(self._own, name) or _longest(LIST[api], name) or self._dearest[api]


def input_cost(tariff: Tariff, request: ModelRequest) -> int:
    """What the prompt may cost: all of it written to the cache, which is the dearest usual way."""
    price = tariff.at(request.input_tokens)
    return -(-request.input_tokens * max(price.input, price.cache_write) // _MILLION)


def output_cost(tariff: Tariff, request: ModelRequest, tokens: int) -> int:
    """What an answer of so many tokens costs."""
    return -(-tokens * tariff.at(request.input_tokens).output // _MILLION)


def output_for(tariff: Tariff, request: ModelRequest, money: int) -> int:
    """How many tokens of answer the money pays."""
    price = tariff.at(request.input_tokens).output
    return max(0, money) * _MILLION // price if price else request.output_tokens


def flat(
    input: float,  # noqa: A002 - the word of the lists
    output: float,
    cache_read: float | None = None,
    cache_write: float | None = None,
    cache_write_hour: float | None = None,
) -> Price:
    """US dollars per million tokens; what is not said costs as much as plain input."""
    read = input if cache_read is None else cache_read
    write = input if cache_write is None else cache_write
    hour = write if cache_write_hour is None else cache_write_hour
    amounts = (input, read, write, hour, output)
    return Price(**dict(zip((kind.name for kind in _KINDS), map(from_usd, amounts), strict=True)))


def _claude(input: float, output: float, read: float | None = None) -> Tariff:  # noqa: A002
    """Writing to the cache costs a quarter more than plain input, for an hour twice as much."""
    return Tariff(usual=flat(input, output, read or input / 10, input * 1.25, input * 2))


def _gpt(input: float, output: float, read: float | None = None, write: float = 1.0) -> Tariff:  # noqa: A002
    """Above 272,000 tokens of prompt the input costs twice and the answer one and a half times as much."""
    cached = input / 10 if read is None else read
    return Tariff(
        usual=flat(input, output, cached, input * write),
        above=272_000,
        long=flat(input * 2, output * 1.5, cached * 2, input * write * 2),
    )


def _gemini(input: float, output: float) -> Tariff:  # noqa: A002
    return Tariff(usual=flat(input, output, input / 10))


def _gemini_pro(input: float, output: float) -> Tariff:  # noqa: A002
    """Above 200,000 tokens of prompt the input costs twice and the answer one and a half times as much."""
    usual, long = flat(input, output, input / 10), flat(input * 2, output * 1.5, input / 5)
    return Tariff(usual=usual, above=200_000, long=long)


LIST: Mapping[ModelApi, Mapping[str, Tariff]] = MappingProxyType(
    {
        ModelApi.ANTHROPIC: {
            "claude-fable-5-1": _claude(10, 50, 0.25),
            "claude-mythos-5-1": _claude(10, 50, 0.25),
            "claude-fable-5": _claude(10, 50),
            "claude-mythos-5": _claude(10, 50),
            "claude-opus-5-5": _claude(4, 20, 0.2),
            "claude-opus-5": _claude(5, 25),
            "claude-opus-4-8": _claude(5, 25),
            "claude-opus-4-7": _claude(5, 25),
            "claude-opus-4-6": _claude(5, 25),
            "claude-opus-4-5": _claude(5, 25),
            "claude-opus-4": _claude(15, 75),
            "claude-sonnet-5-5": _claude(2, 10, 0.1),
            "claude-sonnet-5": _claude(2, 10),
            "claude-sonnet-4-6": _claude(3, 15),
            "claude-sonnet-4": Tariff(
                usual=flat(3, 15, 0.3, 3.75, 6), above=200_000, long=flat(6, 22.5, 0.6, 7.5, 12)
            ),
            "claude-haiku-5-5": Tariff(
                usual=flat(0.1, 0.5, 0.01, 0.125, 0.2), above=100_000, long=flat(0.5, 2.5, 0.05, 0.625, 1)
            ),
            "claude-haiku-4-5": _claude(1, 5),
            "claude-3-5-haiku": _claude(0.8, 4),
        },
        ModelApi.OPENAI: {
            "gpt-6-astra": _gpt(10, 50, write=1.25),
            "gpt-6.1-sol": _gpt(2, 10, 0.1, write=1.25),
            "gpt-6.1-terra": _gpt(1, 5, 0.05, write=1.25),
            "gpt-6-sol": _gpt(2, 10, write=1.25),
            "gpt-6-luna": _gpt(0.1, 0.5, write=1.25),
            "gpt-5.6-sol": _gpt(4, 20, write=1.25),
            "gpt-5.6-terra": _gpt(2, 12, write=1.25),
            "gpt-5.6-luna": _gpt(0.2, 1.2, write=1.25),
            "gpt-5.5-pro": _gpt(30, 180),
            "gpt-5.5": _gpt(5, 30),
            "gpt-5.4-pro": _gpt(30, 180),
            "gpt-5.4-mini": _gpt(0.75, 4.5),
            "gpt-5.4": _gpt(2.5, 15),
            "gpt-5.3-codex": _gpt(1.75, 14),
            "gpt-5.2-pro": _gpt(21, 168),
            "gpt-5.2": _gpt(1.75, 14),
            "gpt-5.1": _gpt(1.25, 10),
            "gpt-5-pro": _gpt(15, 120),
            "gpt-5-mini": _gpt(0.25, 2),
            "gpt-5-nano": _gpt(0.05, 0.4),
            "gpt-5": _gpt(1.25, 10),
        },
        ModelApi.GEMINI: {
            # 3.6 to 3.8 Flash cost half of this until the end of 2026.
            "gemini-3.8-flash": _gemini(1.5, 7.5),
            "gemini-3.7-flash": _gemini(1.5, 7.5),
            "gemini-3.6-flash": _gemini(1.5, 7.5),
            # Its Flash-Lite counts as this one: cheaper, but we did not find by how much.
            "gemini-3.5-flash": _gemini(1.5, 9),
            "gemini-3.1-pro": _gemini_pro(2, 12),
            "gemini-3.1-flash-lite": _gemini(0.25, 1.5),
            "gemini-3-pro": _gemini_pro(2, 12),
            "gemini-3-flash": _gemini(0.5, 3),
            "gemini-2.5-pro": _gemini_pro(1.25, 10),
            "gemini-2.5-flash-lite": _gemini(0.1, 0.4),
            "gemini-2.5-flash": _gemini(0.3, 2.5),
        },
    }
)


def _plain(model: str) -> str:
    """Without the folders some providers put before a name: `models/gemini-3.1-pro`."""
    return model.strip().lower().rpartition("/")[2]


def _longest(tariffs: Mapping[str, Tariff], name: str) -> Tariff | None:
    fitting = [each for each in tariffs if name.startswith(each) and name[len(each) : len(each) + 1] in _ENDS]
    return tariffs[max(fitting, key=len)] if fitting else None


def _dearest(tariffs: Mapping[str, Tariff]) -> Tariff:
    prices = [price for each in tariffs.values() for price in (each.usual, each.long) if price is not None]
    highest = prices[0]
    for price in prices[1:]:
        highest = highest.highest(price)
    return Tariff(usual=highest)
