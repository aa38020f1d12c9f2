"""Ends an agent that holds as many processes as it may: it can start nothing, and waits or tries for ever."""

import asyncio

import structlog

from container.life import LaunchedAgent
from container.sandbox import ContainerError, Sandbox

LOOK_EVERY = 1.0  #: seconds, while somebody waits for an answer
PATIENCE = 5  #: looks that find it full; one that does not makes up for one that did
RAISE = "Ask for a smaller step, or raise INTERCOM_AGENT__PIDS."

log = structlog.get_logger()


async def watch_crowd(sandbox: Sandbox, agent: LaunchedAgent, most: int, looks: asyncio.Semaphore) -> None:
    """Cut it off when it is full and stays so; `looks` is shared by all agents of a host.

    Nobody looks between turns: the limit itself holds then too, and nobody waits.
    """
    full = 0
    while full < PATIENCE:
        await agent.working.wait()
        await asyncio.sleep(LOOK_EVERY)
        if not agent.working.is_set():  # what was in one turn is not held against the next
            full = 0
            continue
        try:
            async with looks:
                crowd = await sandbox.crowd(agent.sandbox_id, agent.leader)
        except ContainerError as error:
            log.info("agent.not_counted", key=agent.key, reason=str(error))
            continue
        full = full + 1 if crowd >= most else max(full - 1, 0)
    log.warning("agent.crowded", key=agent.key, most=most)
    agent.cut_off(
        f"The agent was ended because it kept running {most} processes and threads, as many as it may have. "
        f"{RAISE}"
    )
