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
    Field,
    NonNegativeInt,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableValue

from container import runtimes
from host.coordination.settings import IntermuteSettings
from host.settings_pieces import (
    AgentSettings,
    ApprovalSettings,
    EventSettings,
    FileSettings,
    ModelSettings,
    Piece,
    RuntimeSettings,
    SpendSettings,
    TelegramSettings,
    WebSettings,
)

PREFIX = "INTERCOM_"
ENV_FILE = Path(".env")

SandboxName = Literal["auto", "docker", "process"]
BUILT_IN = tuple(row.name for row in runtimes.BUILT_IN)  #: the agents whose images are built here


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


def _not_built_in(given: "dict[str, RuntimeSettings]") -> "dict[str, RuntimeSettings]":
    if taken := sorted(given.keys() & set(BUILT_IN)):
        raise ValueError(f"{taken[0]} is built in; give yours another name")
    return given


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
    project: Path | None = None  #: folder of the project; the kernel CLI needs it
    projects: tuple[Path, ...] = ()  #: further folders that groups may be given as their project
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
    events: EventSettings = EventSettings()
    agent: AgentSettings = AgentSettings()
    spend: SpendSettings = SpendSettings()
    models: ModelSettings = ModelSettings()
    intermute: IntermuteSettings = IntermuteSettings()
    #: intermute's own name for where its keys are
    intermute_keys_file: Path | None = Field(default=None, validation_alias="INTERMUTE_KEYS_FILE")
    runtimes: Annotated[
        dict[Annotated[str, Field(pattern=_RUNTIME)], RuntimeSettings], AfterValidator(_not_built_in)
    ] = {}  #: other agents, by name

    def runtime_names(self) -> tuple[str, ...]:
        """The agents there are: those built in, then the user's own."""
        return (*BUILT_IN, *self.runtimes)

    def folders(self) -> tuple[Path, ...]:
        """Of all projects that groups may have under the kernel CLI, the default one first."""
        given = (*([] if self.project is None else [self.project]), *self.projects)
        return tuple(dict.fromkeys(folder.expanduser().resolve() for folder in given))

    def surroundings(self) -> Mapping[str, str]:
        """The environment of this program, of which commands of a kernel get what they need."""
        return dict(os.environ)

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
    _check_projects(settings)
    home = settings.home.expanduser().absolute()
    return settings.model_copy(update={"home": home})


def _check_projects(settings: Settings) -> None:
    if settings.kernel == "cli" and settings.project is None:
        raise SettingsError(
            "INTERCOM_KERNEL is cli, so INTERCOM_PROJECT must name the folder of the project that ic and bd "
            "work on."
        )
    home = settings.home.expanduser().resolve()
    if settings.kernel == "cli":
        # What lies in there belongs to agents, and ic and bd run hooks of the folder they work in.
        for folder in settings.folders():
            if home == folder or home in folder.parents:
                raise SettingsError(f"The project {folder} must lie outside INTERCOM_HOME ({home}).")
    if settings.kernel == "embedded" and settings.projects:
        raise SettingsError(
            "INTERCOM_PROJECTS does not fit: the embedded kernel is one project; several need "
            "INTERCOM_KERNEL=cli."
        )


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
        if isinstance(info.annotation, type) and issubclass(info.annotation, Piece):
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
    examples = {"OWNERS": "tg:1000", "PROJECTS": "/srv/api"}
    example = next((f', for example ["{each}"]' for end, each in examples.items() if name.endswith(end)), "")
    return f"{name} does not fit: it is written as JSON{example}."
