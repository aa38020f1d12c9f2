"""The operations table: everything an agent or a person may ask of Demarch, with its parameters and tier."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel


class Access(StrEnum):
    READ = "read"
    WRITE = "write"


class Tier(StrEnum):
    AUTO = "auto"  #: executed at once
    CONFIRM = "confirm"  #: waits for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table."""

    name: str  #: the MCP tool is `demarch_<name>`
    summary: str  #: one sentence for whoever chooses a tool
    params: type[BaseModel]
    access: Access
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An operation with parameters that fit it."""

    operation: Operation
    params: BaseModel
