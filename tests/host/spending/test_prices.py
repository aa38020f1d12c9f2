"""What a request costs by the lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.agent import ModelApi
from container.broker.port import ModelRequest, Usage
from container.runtimes import BUILT_IN
from host.settings_pieces import PriceSettings, SpendSettings
from host.spending.money import DOLLAR
from host.spending.prices import LIST, Prices, Tariff, flat, input_cost, output_cost, output_for
from host.spending.rules import rules_of

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("api", "model", "input_price", "output_price"),
    [
        (ModelApi.ANTHROPIC, "claude-opus-4-6", 5, 25),
        (ModelApi.ANTHROPIC, "claude-opus-4-6-20260205", 5, 25),
        (ModelApi.ANTHROPIC, "claude-opus-4-1-20250805", 15, 75),
        (ModelApi.ANTHROPIC, "claude-haiku-4-5@20251001", 1, 5),
        (ModelApi.ANTHROPIC, "Claude-Sonnet-4-6[1m]", 3, 15),
        (ModelApi.OPENAI, "gpt-5.3-codex", 1.75, 14),
        (ModelApi.OPENAI, "gpt-5-mini-2025-08-07", 0.25, 2),
        (ModelApi.GEMINI, "models/gemini-3.1-pro-preview", 2, 12),
        (ModelApi.GEMINI, "gemini-2.5-flash-lite", 0.1, 0.4),
    ],
)
def test_a_model_is_found_by_the_longest_name_it_begins_with(
    api: ModelApi, model: str, input_price: float, output_price: float
) -> None:
    price = Prices().tariff(api, model).usual
    assert (price.input, price.output) == (input_price * DOLLAR, output_price * DOLLAR)


@pytest.mark.parametrize("model", ["gpt-5.9", "gpt-55", "claude-opus-4-6", "", "x" * 5000])
def test_a_model_nobody_priced_costs_as_much_as_the_dearest(model: str) -> None:
    prices = Prices()
    price = prices.tariff(ModelApi.OPENAI, model).usual
    assert not prices.listed(ModelApi.OPENAI, model)
    for tariff in LIST[ModelApi.OPENAI].values():
        for other in (tariff.usual, tariff.long or tariff.usual):
            assert price.highest(other) == price


def test_every_model_of_the_catalogues_has_a_price() -> None:
    prices = Prices()
    named = [
        (row.api, model) for row in BUILT_IN if row.api is not None for model in row.models + row.own_models
    ]
    assert named
    assert [each for each in named if not prices.listed(*each)] == []


def test_what_is_cached_costs_less_and_what_is_kept_an_hour_more() -> None:
    tariff = Prices().tariff(ModelApi.ANTHROPIC, "claude-sonnet-4-6")
    kinds = ("input", "cache_read", "cache_write", "cache_write_hour", "output")
    costs = [tariff.cost(Usage(**{kind: MILLION})) for kind in kinds]
    assert costs == [3 * DOLLAR, 300_000, 3_750_000, 6 * DOLLAR, 15 * DOLLAR]
    assert tariff.cost(Usage(cache_read=1)) == 1, "a fraction is rounded up"
    assert tariff.cost(Usage()) == 0


def test_a_long_prompt_makes_the_whole_request_dearer() -> None:
    tariff = Prices().tariff(ModelApi.GEMINI, "gemini-2.5-pro")
    assert tariff.cost(Usage(input=100_000, cache_read=100_000, output=1000)) == 125_000 + 12_500 + 10_000
    assert tariff.cost(Usage(input=200_001)) == -(-200_001 * 2_500_000 // MILLION)


def test_own_prices_come_first_and_what_they_leave_out_costs_as_input() -> None:
    own = {
        "claude-opus-4-6": PriceSettings(input=1, output=2, cache_read=0.5),
        "my": PriceSettings(input=0, output=0),
    }
    rules = rules_of(SpendSettings(daily_usd=2.5, prices=own))
    prices = Prices(rules.prices)
    assert rules.daily == 2_500_000
    assert prices.tariff(ModelApi.ANTHROPIC, "claude-opus-4-6-x").usual == flat(1, 2, 0.5, 1, 1)
    assert prices.tariff(ModelApi.ANTHROPIC, "claude-opus-4-5").usual.input == 5 * DOLLAR
    assert prices.tariff(ModelApi.OPENAI, "my-model").cost(Usage(input=MILLION, output=MILLION)) == 0
    assert prices.listed(ModelApi.OPENAI, "my-model")


tariffs = st.sampled_from([tariff for listed in LIST.values() for tariff in listed.values()])


@given(tariff=tariffs, prompt=st.integers(0, MILLION), money=st.integers(0, 100 * DOLLAR))
def test_the_answer_that_money_pays_costs_no_more(tariff: Tariff, prompt: int, money: int) -> None:
    request = ModelRequest(api=ModelApi.OPENAI, model="m", input_tokens=prompt, output_tokens=10**9)
    assert output_cost(tariff, request, output_for(tariff, request, money)) <= money


@given(
    tariff=tariffs,
    prompt=st.integers(0, MILLION),
    cached=st.integers(0, MILLION),
    answer=st.integers(0, 10**5),
)
def test_what_is_set_aside_covers_every_way_to_use_it(
    tariff: Tariff, prompt: int, cached: int, answer: int
) -> None:
    request = ModelRequest(api=ModelApi.OPENAI, model="m", input_tokens=prompt, output_tokens=answer)
    aside = input_cost(tariff, request) + output_cost(tariff, request, answer)
    cached = min(cached, prompt)
    for usage in (
        Usage(input=prompt, output=answer),
        Usage(cache_write=prompt, output=answer),
        Usage(cache_read=cached, cache_write=prompt - cached, output=answer),
    ):
        assert tariff.cost(usage) <= aside
