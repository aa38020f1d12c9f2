"""What has to be done after news was told: recorded last in its transaction, woken after its commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from host.decisions.approvals import Approval


@dataclass(slots=True)
class Told:
    addresses: set[str] = field(default_factory=set)
    records: list[tuple[Approval, str, Mapping[str, Any]]] = field(default_factory=list)
