"""A model provider as the broker sees it."""

from dataclasses import dataclass

from container.broker.credentials import Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    title: str  #: for people
    base_url: str  #: an API's own path comes behind it
    credential: Credential
    capped: bool = True  #: False: it takes no bound for the output in a request
