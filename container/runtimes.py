"""The runtimes table: which agent programs there are, and what each needs to run without a network.

What every setting is for stands in docs/agents.md. The keys in here are placeholders: the programs want one,
and the broker replaces it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from container.agent import ModelApi, Runtime
from container.planning import HOME, PROGRAMS, PYTHON

LOCAL = "local"
LOCAL_COMMAND = (*PYTHON, f"{PROGRAMS}/local_agent.py")
PACKAGES = "/opt/agent"  #: where an image has an agent's own packages
MODEL_BASE = "http://127.0.0.1:8181"  #: what the bridge passes on to model.sock
PLACEHOLDER = "kept-by-the-host"  #: where a program wants a key
GIB = 1024 * 1024 * 1024

_NODE = "/usr/local/bin/node"
_MODULES = f"{PACKAGES}/node_modules"
_NODE_ENVIRONMENT = {"HOME": HOME, "LC_ALL": "C.UTF-8", "NODE_COMPILE_CACHE": f"{PACKAGES}/compiled"}

CLAUDE = Runtime(
    name="claude",
    title="Claude Code",
    image="",
    command=(_NODE, f"{_MODULES}/@agentclientprotocol/claude-agent-acp/dist/index.js"),
    environment=_NODE_ENVIRONMENT
    | {
        "ANTHROPIC_BASE_URL": f"{MODEL_BASE}/anthropic",
        "ANTHROPIC_API_KEY": PLACEHOLDER,
        "CLAUDE_CONFIG_DIR": f"{HOME}/.claude",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-haiku-5-5",
        "ENABLE_TOOL_SEARCH": "false",
        "NO_BROWSER": "1",
    },
    api=ModelApi.ANTHROPIC,
    models=("claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-1", "claude-haiku-5-5"),
    own_models=("claude-haiku-5-5",),
    model_variable="ANTHROPIC_MODEL",
    state=f"{HOME}/.claude",
    memory="CLAUDE.md",
    memory_bytes=GIB,
    cpus=2.0,  # two programs of several threads: with the quota of one they stand still in every turn
)

CODEX = Runtime(
    name="codex",
    title="Codex",
    image="",
    command=(
        _NODE,
        f"--require={PROGRAMS}/codex.cjs",
        f"{_MODULES}/@agentclientprotocol/codex-acp/dist/index.js",
    ),
    environment=_NODE_ENVIRONMENT
    | {
        "CODEX_HOME": f"{HOME}/.codex",
        "MODEL_PROVIDER": "intercom",
        "INITIAL_AGENT_MODE": "agent-full-access",
        "OPENAI_API_KEY": PLACEHOLDER,
        "NO_BROWSER": "1",
    },
    api=ModelApi.OPENAI,
    models=("gpt-6.1-sol", "gpt-6-astra", "gpt-6-luna"),
    own_models=("gpt-5.6-luna",),
    model_variable="CODEX_MODEL",
    state=f"{HOME}/.codex",
    memory="AGENTS.md",
    memory_bytes=GIB,
)

GEMINI = Runtime(
    name="gemini",
    title="Gemini CLI",
    image="",
    command=(_NODE, f"{_MODULES}/@google/gemini-cli/bundle/gemini.js", "--acp"),
    environment=_NODE_ENVIRONMENT
    | {
        "GOOGLE_GEMINI_BASE_URL": f"{MODEL_BASE}/gemini",
        "GEMINI_API_KEY": PLACEHOLDER,
        "GEMINI_CLI_NO_RELAUNCH": "true",
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
        "NO_BROWSER": "1",
    },
    api=ModelApi.GEMINI,
    models=("gemini-3.1-pro-preview", "gemini-3.8-flash", "gemini-2.5-flash", "gemini-3.5-flash-lite"),
    own_models=(
        "gemini-3.1-pro-preview-customtools",
        "gemini-3.5-flash-lite",
        "gemini-3-flash-preview",
        "gemini-3-pro-preview",
    ),
    model_variable="GEMINI_MODEL",
    state=f"{HOME}/.gemini",
    memory="GEMINI.md",
    memory_bytes=GIB,
)

#: the rows whose images the builder makes; `image` is filled in by `runtimes`
BUILT_IN = (Runtime(name=LOCAL, title="Local agent", image="", command=LOCAL_COMMAND), CLAUDE, CODEX, GEMINI)


def runtimes(images: Mapping[str, str], custom: Iterable[Runtime] = ()) -> Mapping[str, Runtime]:
    """All runtimes by name: the built-in ones with these images (none without Docker), then custom ones."""
    table = {row.name: replace(row, image=images.get(row.name, "")) for row in BUILT_IN}
    return MappingProxyType(table | {row.name: row for row in custom})
