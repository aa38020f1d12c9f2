"""The limit of open files: every connection is one, and many systems start programs with few."""

import resource

import structlog

log = structlog.get_logger()

BESIDES = 256  #: files of the rest of the process: the database's connections, logs, pipes


def make_room(connections: int) -> int:
    """Raise our own limit as far as needed and allowed. How many connections there is room for then."""
    wanted = connections + BESIDES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft != resource.RLIM_INFINITY and soft < wanted:
        log.warning("intermute.few_files", connections=max(1, soft - BESIDES), wanted=connections)
        return max(1, soft - BESIDES)
    return connections
