"""A strict stub of the Anthropic Messages, OpenAI Responses and Gemini APIs: it says what a test wants."""

from tests.servers.models.script import (
    Answer,
    Call,
    Cut,
    Endless,
    Hold,
    Overload,
    Refuse,
    Rules,
    Say,
    Script,
    Spent,
    echo,
)
from tests.servers.models.server import KEY, ModelServer
from tests.servers.models.talk import Asked, Talk

__all__ = [
    "KEY",
    "Answer",
    "Asked",
    "Call",
    "Cut",
    "Endless",
    "Hold",
    "ModelServer",
    "Overload",
    "Refuse",
    "Rules",
    "Say",
    "Script",
    "Spent",
    "Talk",
    "echo",
]
