"""The model providers as the settings make them; see `host/wiring/models.py`."""

from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError

from container.agent import ModelApi
from container.broker.credentials import KeyFile, NoCredential, OAuthFile
from host.settings import Settings, known_names
from host.settings_pieces import ModelSettings, ProviderSettings
from host.wiring.models import bounds, providers

NOW = datetime(2026, 11, 21, tzinfo=UTC)


async def shown(api: ModelApi, **piece: object) -> dict[str, str]:
    provider = providers(ModelSettings(**{api.value: ProviderSettings(**piece)}), lambda: NOW)[api]  # type: ignore[arg-type]
    async with aiohttp.ClientSession() as http:
        return dict(await provider.credential.headers(http))


async def test_a_key_is_shown_as_each_provider_wants_it() -> None:
    key = SecretStr("sk-1")
    assert await shown(ModelApi.ANTHROPIC, api_key=key) == {"x-api-key": "sk-1"}
    assert await shown(ModelApi.OPENAI, api_key=key) == {"authorization": "Bearer sk-1"}
    assert await shown(ModelApi.GEMINI, api_key=key) == {"x-goog-api-key": "sk-1"}


async def test_a_token_is_shown_as_each_provider_wants_it() -> None:
    token = SecretStr("tok")
    claude = await shown(ModelApi.ANTHROPIC, oauth_token=token)
    assert claude == {"authorization": "Bearer tok", "anthropic-beta": "oauth-2025-04-20"}
    assert await shown(ModelApi.OPENAI, oauth_token=token) == {"authorization": "Bearer tok"}
    assert await shown(ModelApi.GEMINI, oauth_token=token) == {"authorization": "Bearer tok"}


async def test_without_a_key_the_name_of_the_setting_is_told() -> None:
    for api in ModelApi:
        with pytest.raises(NoCredential, match=f"INTERCOM_MODELS__{api.name}__API_KEY") as refused:
            await shown(api)
        assert any(name in str(refused.value) for name in known_names())


def test_files_stand_behind_files() -> None:
    settings = ModelSettings(
        anthropic=ProviderSettings(api_key_file=Path("~/key")),
        openai=ProviderSettings(oauth_file=Path("~/.codex/auth.json")),
    )
    made = providers(settings, lambda: NOW)
    assert isinstance(made[ModelApi.ANTHROPIC].credential, KeyFile)
    assert isinstance(made[ModelApi.OPENAI].credential, OAuthFile)


def test_a_person_signed_in_at_openai_asks_elsewhere_and_without_a_bound() -> None:
    plain, signed_in, own = (
        providers(ModelSettings(openai=piece), lambda: NOW)[ModelApi.OPENAI]
        for piece in (
            ProviderSettings(api_key=SecretStr("k")),
            ProviderSettings(oauth_file=Path("auth.json")),
            ProviderSettings(oauth_file=Path("auth.json"), base_url="http://127.0.0.1:1/v1"),
        )
    )
    assert (plain.base_url, plain.capped) == ("https://api.openai.com/v1", True)
    assert (signed_in.base_url, signed_in.capped) == ("https://chatgpt.com/backend-api/codex", False)
    assert own.base_url == "http://127.0.0.1:1/v1"


def test_two_credentials_for_one_provider_do_not_fit() -> None:
    with pytest.raises(ValidationError, match="set one of"):
        ProviderSettings(api_key=SecretStr("k"), oauth_file=Path("auth.json"))


@pytest.mark.parametrize(
    "address", ["api.example.com", "ftp://x", "http://user@host", "http://h/?key=1", "http://"]
)
def test_a_base_url_is_an_address_and_nothing_else(address: str) -> None:
    with pytest.raises(ValidationError, match="it is written like"):
        ProviderSettings(base_url=address)


def test_every_secret_is_blotted_out_of_the_log() -> None:
    settings = Settings(
        models=ModelSettings(
            anthropic=ProviderSettings(api_key=SecretStr("sk-a")),
            openai=ProviderSettings(oauth_token=SecretStr("tok-o")),
            gemini=ProviderSettings(oauth_file=Path("f"), client_secret=SecretStr("cs-g")),
        )
    )
    assert {"sk-a", "tok-o", "cs-g"} <= set(settings.secrets())
    assert not {"sk-a", "tok-o", "cs-g"} & set(repr(settings).replace("'", " ").split())


def test_the_bounds_are_settings() -> None:
    made = bounds(ModelSettings(answer=60, tries=1, connections=4))
    assert (made.answer, made.tries, made.connections) == (60, 1, 4)
    assert made.bodies >= made.body
