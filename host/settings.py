"""What a person may set: every INTERCOM_ name, read once from the environment and `.env`, then frozen."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from platformdirs import user_data_path
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
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableValue

from container import runtimes

PREFIX = "INTERCOM_"
ENV_FILE = Path(".env")

SandboxName = Literal["auto", "docker", "process"]
BUILT_IN = tuple(row.name for row in runtimes.BUILT_IN)  #: the agents whose images are built here


_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_RUNTIME = r"^[a-z][a-z0-9-]{0,15}$"


class SettingsError(Exception):
    """A setting is unknown or does not fit. The message is for the person who set it, one line per fault."""


def _person(address: str) -> str:
    if not re.fullmatch(r"[a-z]+:\S+", address):
        raise ValueError('a person is written as network:id, for example "tg:1000"')
    return address


def _zone(name: str) -> str:
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f'there is no time zone {name!r}; it is written like "Europe/Berlin"') from error
    return name


def _web_address(address: str) -> str:
    if address and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", address):
        raise ValueError('it is written like "https://api.example.com"')
    return address


def _not_built_in(given: "dict[str, RuntimeSettings]") -> "dict[str, RuntimeSettings]":
    if taken := sorted(given.keys() & set(BUILT_IN)):
        raise ValueError(f"{taken[0]} is built in; give yours another name")
    return given


class _Piece(BaseModel):
    """Settings that belong together; a part of the program gets only its own piece."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TelegramSettings(_Piece):
    token: SecretStr | None = None  #: the bridge is off without it
    api_base: str = "https://api.telegram.org"  #: methods are called at {api_base}/bot{token}/{method}
    chat_per_second: PositiveFloat = 1.0  #: messages to one private chat
    group_per_minute: PositiveFloat = 20.0  #: messages to one group
    overall_per_second: PositiveFloat = 30.0


class WebSettings(_Piece):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8765  #: 0 takes any free one
    session_age: PositiveInt = 30 * 24 * 3600  #: seconds a browser stays signed in


class FileSettings(_Piece):
    largest: Annotated[ByteSize, Field(ge=1, le=50_000_000)] = ByteSize(
        20_000_000
    )  #: of a file an agent sends


class ApprovalSettings(_Piece):
    timeout: PositiveInt = 3600  #: seconds until an open card defers itself
    extend_percent: Annotated[int, Field(ge=1, le=1000)] = 50  #: what EXTEND adds to a budget


class PriceSettings(_Piece):
    """US dollars per million tokens."""

    input: NonNegativeFloat
    output: NonNegativeFloat
    cache_read: NonNegativeFloat | None = None  #: as `input`
    cache_write: NonNegativeFloat | None = None  #: as `input`
    cache_write_hour: NonNegativeFloat | None = None  #: as `cache_write`


class SpendSettings(_Piece):
    daily_usd: Annotated[float, Field(ge=0, le=1_000_000)] = 10.0  #: what a group may spend on models a day
    warn_percent: Annotated[int, Field(ge=1, le=100)] = 80  #: of it, when its chats are told
    prices: dict[str, PriceSettings] = {}  #: by the beginning of a model's id; before those we know


class ProviderSettings(_Piece):
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


class ModelSettings(_Piece):
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


class RuntimeSettings(_Piece):
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

    @model_validator(mode="after")
    def _has_models(self) -> "RuntimeSettings":
        if self.api is not None and not self.models:
            raise ValueError("an agent that uses an api needs models it may ask")
        return self


class AgentSettings(_Piece):
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


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=ENV_FILE,
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",  # other programs' names in .env; our own are checked by `_refuse_unknown`
    )

    home: Path = Field(default_factory=lambda: user_data_path("intercom"))
    database_url: SecretStr | None = (
        None  #: an external PostgreSQL; without it an embedded one runs in `home`
    )
    sandbox: SandboxName = "auto"
    docker_host: str | None = Field(default=None, validation_alias="DOCKER_HOST")  #: Docker's own name for it
    owners: tuple[Annotated[str, AfterValidator(_person)], ...] = ()
    mount_allowlist: Path | None = None  #: None: mount-allowlist.json in the user's configuration folder
    kernel: Literal["embedded", "cli"] = "embedded"
    project: Path | None = None  #: folder of the project, for the CLI kernel
    assistant_name: Annotated[str, Field(min_length=1, max_length=32)] = "Amtiskaw"  #: the trigger word
    timezone: Annotated[str, AfterValidator(_zone)] = ""  #: of the times people read; "" is the machine's own
    log_level: Literal["debug", "info", "warning", "error"] | None = (
        None  #: None: calm on a terminal, else info
    )
    no_install: bool = False  #: scripts/setup may not install system packages
    db_pool: Annotated[int, Field(ge=2, le=100)] = 10
    grace: NonNegativeInt = 15  #: seconds running turns get when the host is stopped
    telegram: TelegramSettings = TelegramSettings()
    web: WebSettings = WebSettings()
    files: FileSettings = FileSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    agent: AgentSettings = AgentSettings()
    spend: SpendSettings = SpendSettings()
    models: ModelSettings = ModelSettings()
    runtimes: Annotated[
        dict[Annotated[str, Field(pattern=_RUNTIME)], RuntimeSettings], AfterValidator(_not_built_in)
    ] = {}  #: other agents, by name

    def runtime_names(self) -> tuple[str, ...]:
        """The agents there are: those built in, then the user's own."""
        return (*BUILT_IN, *self.runtimes)

    def zone(self) -> tzinfo:
        """The zone of the times people read."""
        if self.timezone:
            return ZoneInfo(self.timezone)
        with suppress(OSError, ValueError), Path("/etc/localtime").open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
        return UTC

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, so that the log can blot them out."""
        held = (self.database_url, self.telegram.token, *self.models.secrets())
        return tuple(secret.get_secret_value() for secret in held if secret is not None)


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises SettingsError."""
    _refuse_unknown({**dotenv_values(ENV_FILE), **os.environ})
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error))) from None
    except UnreadableValue as error:
        raise SettingsError(_unreadable(error)) from None
    check_runtime(settings, settings.agent.runtime, "INTERCOM_AGENT__RUNTIME")
    home = settings.home.expanduser().absolute()
    return settings.model_copy(update={"home": home})


def check_runtime(settings: Settings, name: str, where: str) -> None:
    """Raise SettingsError unless there is an agent of this name."""
    names = settings.runtime_names()
    if name not in names:
        raise SettingsError(
            f"{where} does not fit: there is no runtime {name}; there are {', '.join(names)}."
        )


def known_names(model: type[BaseModel] = Settings, prefix: str = PREFIX) -> Iterator[str]:
    """Every name that may be set, as it is written in the environment."""
    for field, info in model.model_fields.items():
        name = info.validation_alias or prefix + field.upper()
        if isinstance(info.annotation, type) and issubclass(info.annotation, _Piece):
            yield from known_names(info.annotation, f"{name}__")
        else:
            yield str(name)


def _refuse_unknown(given: Mapping[str, str | None]) -> None:
    known = set(known_names())
    unknown = sorted(name for name in given if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise SettingsError("\n".join(_unknown(name, known) for name in unknown))


def _unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"There is no setting {name}{hint}"


def _sentences(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_input=False, include_url=False):
        name = PREFIX + "__".join(str(step).upper() for step in fault["loc"] if isinstance(step, str))
        yield f"{name} does not fit: {fault['msg'][:1].lower()}{fault['msg'][1:]}."


def _unreadable(error: UnreadableValue) -> str:
    found = re.search(r'field "(\w+)"', str(error))
    name = PREFIX + found.group(1).upper() if found else "A setting"
    example = ', for example ["tg:1000"]' if name.endswith("OWNERS") else ""
    return f"{name} does not fit: it is written as JSON{example}."
