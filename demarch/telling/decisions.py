"""Decisions in words: when, who, what, and why."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demarch.phrases import ago, one_line

NOTHING = "Nobody has decided anything that is on record here."


def line(item: Mapping[str, Any], now: datetime) -> str:
    when = ago(now, datetime.fromtimestamp(item["at"], UTC))
    who = one_line(str(item["by"]), 80) or "somebody"
    why = f": {one_line(str(item['why']), 300)}" if item["why"] else ""
    code = f" · code {item['code']}" if item.get("code") else ""
    about = f" · {item['about']}" if item["about"] else ""
    return f"{when}, {who} {one_line(str(item['what']), 300)}{why}{about}{code}"


def listed(items: Sequence[Mapping[str, Any]], now: datetime) -> str:
    return "\n".join(line(item, now) for item in items) if items else NOTHING
