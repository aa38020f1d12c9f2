"""What an owner grants a group beyond the usual: models, money, hosts, mounts."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt


class ExtraMount(BaseModel):
    """A folder of this machine that the group's agents see, as far as the allow-list lets them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    name: str = ""  #: below the folder of extra mounts; "" takes the last part of `source`
    writable: bool = False


class Profile(BaseModel):
    """Stored with the group as JSON; what is left out is as by default: nothing is granted."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    models: tuple[Annotated[str, Field(max_length=200)], ...] = ()  #: empty: the runtime's catalogue
    hosts: tuple[Annotated[str, Field(max_length=253)], ...] = ()  #: names its agents may reach on port 443
    provider_tools: bool = False  #: search, fetch and files on the model provider's side
    spend_limit: NonNegativeInt | None = None  #: millionths of a US dollar a day; None: the setting
    mounts: tuple[ExtraMount, ...] = ()
    events: tuple[str, ...] = ()  #: topics of news it takes; empty: all
