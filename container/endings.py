"""Why an agent ended, as the sentence that people read."""

import asyncio

import structlog

from container.disk import told
from container.life import LaunchedAgent
from container.sandbox import OUT_OF_MEMORY, ContainerError, Sandbox

LONGEST_WORDS = 300
LOOKS, LOOK_AGAIN = 20, 0.05  #: times, seconds

log = structlog.get_logger()


async def explain(sandbox: Sandbox, agent: LaunchedAgent, fault: str) -> None:
    """Find out why it ended, when it was not us who ended it. `fault`: for what it was cut off."""
    if agent.closing or agent.reason:
        return
    status = None
    if fault:  # what it says about being cut off explains nothing
        agent.reason = f"The agent was cut off because {fault}."
    else:
        status = await _status(sandbox, agent.sandbox_id)
        how = "" if status in {None, -1} else f" (exit status {status})"
        words = await last_words(sandbox, agent.sandbox_id)
        if words.startswith(f" {OUT_OF_MEMORY}"):
            agent.cut_off(_needed_memory(agent))
        else:
            agent.reason = f"The agent died{how}.{words}"
    log.warning("agent.died", key=agent.key, sandbox=agent.sandbox_id[:12], status=status, fault=fault)


async def last_words(sandbox: Sandbox, sandbox_id: str) -> str:
    """The end of what it wrote on stderr, as one line to put behind a sentence."""
    if not sandbox_id:
        return ""
    try:
        words = await sandbox.last_words(sandbox_id)
    except ContainerError:
        return ""
    printable = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    told = ""
    if printable.startswith(OUT_OF_MEMORY):
        told, printable = f" {OUT_OF_MEMORY}", printable.removeprefix(OUT_OF_MEMORY).strip()
    return f"{told} It said: {printable[-LONGEST_WORDS:]}" if printable else told


def _needed_memory(agent: LaunchedAgent) -> str:
    return (
        f"The agent was ended because it needed more than the {told(agent.limits.memory_bytes)} of memory "
        "it may have. Ask for a smaller step, or raise INTERCOM_AGENT__MEMORY."
    )


async def _status(sandbox: Sandbox, sandbox_id: str) -> int | None:
    """Its exit status, for which a sandbox may need a moment after the connection ended."""
    for _ in range(LOOKS):
        status = await sandbox.exit_status(sandbox_id)
        if status is not None:
            return status
        await asyncio.sleep(LOOK_AGAIN)
    return None
