"""The settings by what they are about: each part of the program is given its own piece only."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    model_validator,
)

_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"


def _web_address(address: str) -> str:
    if address and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", address):
        raise ValueError('it is written like "https://api.example.com"')
    return address


class Piece(BaseModel):
    """Settings that belong together; a part of the program gets only its own piece."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TelegramSettings(Piece):
    token: SecretStr | None = None  #: the bridge is off without it
    api_base: str = "https://api.telegram.org"  #: methods are called at {api_base}/bot{token}/{method}
    chat_per_second: PositiveFloat = 1.0  #: messages to one private chat
    group_per_minute: PositiveFloat = 20.0  #: messages to one group
    overall_per_second: PositiveFloat = 30.0


class WebSettings(Piece):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8765  #: 0 takes any free one
    session_age: PositiveInt = 30 * 24 * 3600  #: seconds a browser stays signed in


class FileSettings(Piece):
    largest: Annotated[ByteSize, Field(ge=1, le=50_000_000)] = ByteSize(
        20_000_000
    )  #: of a file an agent sends


class ApprovalSettings(Piece):
    timeout: PositiveInt = 3600  #: seconds until an open card defers itself
    extend_percent: Annotated[int, Field(ge=1, le=1000)] = 50  #: what EXTEND adds to a budget


class EventSettings(Piece):
    stale_after: NonNegativeInt = 7200  #: seconds a run may be in one phase until it is told; 0 tells nobody
    #: of the embedded kernel's log; 0 keeps it for ever
    keep_days: Annotated[int, Field(ge=0, le=36_500)] = 0


class PriceSettings(Piece):
    """US dollars per million tokens."""

    input: NonNegativeFloat
    output: NonNegativeFloat
    cache_read: NonNegativeFloat | None = None  #: as `input`
    cache_write: NonNegativeFloat | None = None  #: as `input`
    cache_write_hour: NonNegativeFloat | None = None  #: as `cache_write`


class SpendSettings(Piece):
    daily_usd: Annotated[float, Field(ge=0, le=1_000_000)] = 10.0  #: what a group may spend on models a day
    warn_percent: Annotated[int, Field(ge=1, le=100)] = 80  #: of it, when its chats are told
    prices: dict[str, PriceSettings] = {}  #: by the beginning of a model's id; before those we know


class ProviderSettings(Piece):
    """How one provider of models is asked. One of the four credentials at most."""

    api_key: SecretStr | None = None
    api_key_file: Path | None = None  #: a file with nothing but the key
    oauth_token: SecretStr | None = None  #: a long-lived token, such as `claude setup-token` gives
    oauth_file: Path | None = None  #: the file in which the provider's own program keeps its sign-in
    base_url: Annotated[str, AfterValidator(_web_address)] = ""  #: "" is the provider's own
    refresh_url: Annotated[str, AfterValidator(_web_address)] = ""  #: where a sign-in is renewed
    client_id: str = ""  #: as whom it is renewed; "" is the provider's own program
    client_secret: SecretStr | None = None

    @model_validator(mode="after")
    def _one_credential(self) -> "ProviderSettings":
        given = (self.api_key, self.api_key_file, self.oauth_token, self.oauth_file)
        if sum(each is not None for each in given) > 1:
            raise ValueError("set one of api_key, api_key_file, oauth_token and oauth_file only")
        return self

    def secrets(self) -> tuple[SecretStr | None, ...]:
        return self.api_key, self.oauth_token, self.client_secret


class ModelSettings(Piece):
    """The model broker: whom it asks, and for how long at most (seconds)."""

    anthropic: ProviderSettings = ProviderSettings()
    openai: ProviderSettings = ProviderSettings()
    gemini: ProviderSettings = ProviderSettings()
    first_byte: PositiveFloat = 300.0  #: until a provider begins to answer
    silence: PositiveFloat = 300.0  #: between two pieces of an answer
    answer: PositiveFloat = 1800.0  #: for a whole answer; then it is cut
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    patience: PositiveFloat = 20.0  #: what waiting between tries may take together
    connections: Annotated[int, Field(ge=1, le=1000)] = 32  #: of one agent at once
    body: ByteSize = ByteSize(32 * 1024 * 1024)  #: bytes of one request

    def secrets(self) -> tuple[SecretStr | None, ...]:
        return (*self.anthropic.secrets(), *self.openai.secrets(), *self.gemini.secrets())


class RuntimeSettings(Piece):
    """An agent program of the user's own, as `container.agent.Runtime` has it. It needs to speak ACP."""

    title: Annotated[str, Field(max_length=64)] = ""  #: what people read; "" is its name
    image: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^\S+$")]
    command: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    environment: dict[Annotated[str, Field(pattern=_VARIABLE)], str] = {}
    api: Literal["anthropic", "openai", "gemini"] | None = None  #: the broker's route it uses, if any
    models: tuple[Annotated[str, Field(min_length=1)], ...] = ()  #: the first is its default
    own_models: tuple[Annotated[str, Field(min_length=1)], ...] = ()  #: what it asks besides, by itself
    model_variable: Annotated[str, Field(pattern=f"^$|{_VARIABLE}")] = ""  #: names the model to it
    state: Annotated[str, Field(pattern=r"^$|^/home/agent(/[A-Za-z0-9_.-]*[A-Za-z0-9_-])+$")] = ""
    memory: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")] = "AGENTS.md"
    memory_bytes: ByteSize = ByteSize(0)  #: it needs at least so much
    cpus: NonNegativeFloat = 0.0  #: likewise

    @model_validator(mode="after")
    def _has_models(self) -> "RuntimeSettings":
        if self.api is not None and not self.models:
            raise ValueError("an agent that uses an api needs models it may ask")
        return self


class AgentSettings(Piece):
    runtime: str = "local"  #: of groups that name none
    idle_timeout: PositiveInt = 1800  #: seconds a warm session may stay unused
    max_containers: PositiveInt = 5  #: agents that run at once, busy or idle
    pause_after: PositiveFloat = 60.0  #: seconds idle until an agent is frozen
    max_paused: NonNegativeInt = 20  #: frozen agents, beside those that run
    ahead: NonNegativeFloat = 4 * 3600.0  #: agents of lanes spoken to within so many seconds start ahead
    keep_free: ByteSize = ByteSize(512 * 1024 * 1024)  #: of this machine's memory; idle agents give way
    helpers: NonNegativeInt = 3  #: agents the main group's agent may start in one turn without asking
    max_helpers: NonNegativeInt = 8  #: in one turn, also with a person's leave; 0: none
    helper_time: PositiveFloat = 600.0  #: seconds one may work
    memory: ByteSize = ByteSize(512 * 1024 * 1024)
    cpus: PositiveFloat = 1.0
    pids: PositiveInt = 128
    tmpfs: ByteSize = ByteSize(64 * 1024 * 1024)
    disk: ByteSize = ByteSize(2 * 1024 * 1024 * 1024)  #: what an agent may keep in its folders
