"""The settings of the spending in its own terms: whole millionths, tariffs."""

from host.settings_pieces import PriceSettings, SpendSettings
from host.spending.events import SpendRules
from host.spending.money import from_usd
from host.spending.prices import Tariff, flat


def rules_of(settings: SpendSettings) -> SpendRules:
    return SpendRules(
        daily=from_usd(settings.daily_usd),
        warn_percent=settings.warn_percent,
        prices={name: _tariff(price) for name, price in settings.prices.items()},
    )


def _tariff(price: PriceSettings) -> Tariff:
    usual = flat(price.input, price.output, price.cache_read, price.cache_write, price.cache_write_hour)
    return Tariff(usual=usual)
