"""Makes the model providers out of the settings: addresses, credentials, bounds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from container.agent import ModelApi
from container.broker.bounds import Bounds
from container.broker.credentials import (
    Credential,
    Fixed,
    KeyFile,
    Missing,
    OAuthFile,
    key_headers,
    token_headers,
)
from container.broker.oauth_files import CLAUDE, CODEX, GEMINI, Shape
from container.broker.providers import Provider
from container.broker.refreshing import Refresher
from host.settings_pieces import ModelSettings, ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of a provider before anybody sets anything. The client ids are public."""

    title: str
    base_url: str
    shape: Shape
    refresh_url: str
    client_id: str = ""
    as_form: bool = False


_KNOWN = {
    ModelApi.ANTHROPIC: _Known(
        title="Anthropic",
        base_url="https://api.anthropic.com",
        shape=CLAUDE,
        refresh_url="https://platform.claude.com/v1/oauth/token",
        client_id="9d1c250a-e61b-44d9-88ed-5944d1962f5e",
    ),
    ModelApi.OPENAI: _Known(
        title="OpenAI",
        base_url="https://api.openai.com/v1",
        shape=CODEX,
        refresh_url="https://auth.openai.com/oauth/token",
        client_id="app_EMoamEEZ73f0CkXaXp7hrann",
    ),
    ModelApi.GEMINI: _Known(
        title="Google",
        base_url="https://generativelanguage.googleapis.com",
        shape=GEMINI,
        refresh_url="https://oauth2.googleapis.com/token",
        as_form=True,
    ),
}
#: where the sign-in of a person (and not a key) is good for models; it takes no bound for the output
_CHATGPT = "https://chatgpt.com/backend-api/codex"


def providers(settings: ModelSettings, now: Callable[[], datetime]) -> dict[ModelApi, Provider]:
    """All three; one without a credential says so when it is asked."""
    pieces = {
        ModelApi.ANTHROPIC: settings.anthropic,
        ModelApi.OPENAI: settings.openai,
        ModelApi.GEMINI: settings.gemini,
    }
    return {api: _provider(api, piece, now) for api, piece in pieces.items()}


def bounds(settings: ModelSettings) -> Bounds:
    return Bounds(
        connections=settings.connections,
        body=settings.body,
        bodies=2 * settings.body,
        first_byte=settings.first_byte,
        silence=settings.silence,
        answer=settings.answer,
        tries=settings.tries,
        patience=settings.patience,
    )


def _provider(api: ModelApi, piece: ProviderSettings, now: Callable[[], datetime]) -> Provider:
    known = _KNOWN[api]
    signed_in = api is ModelApi.OPENAI and (piece.oauth_file or piece.oauth_token) is not None
    return Provider(
        title=known.title,
        base_url=piece.base_url or (_CHATGPT if signed_in else known.base_url),
        credential=_credential(api, piece, known, now),
        capped=not signed_in,
    )


def _credential(
    api: ModelApi, piece: ProviderSettings, known: _Known, now: Callable[[], datetime]
) -> Credential:
    if piece.api_key is not None:
        return Fixed(key_headers(api, piece.api_key.get_secret_value()))
    if piece.api_key_file is not None:
        return KeyFile(api, piece.api_key_file.expanduser())
    if piece.oauth_token is not None:
        return Fixed(token_headers(api, piece.oauth_token.get_secret_value()))
    if piece.oauth_file is None:
        return Missing(f"INTERCOM_MODELS__{api.name}__API_KEY")
    refresher = Refresher(
        url=piece.refresh_url or known.refresh_url,
        client_id=piece.client_id or known.client_id,
        client_secret=piece.client_secret.get_secret_value() if piece.client_secret else "",
        as_form=known.as_form,
    )
    return OAuthFile(api, piece.oauth_file.expanduser(), known.shape, refresher, now)
