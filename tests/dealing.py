"""Deals the tests to processes: what fills Docker to one, the rest file by file to whoever is free."""

from xdist.scheduler import LoadFileScheduling

#: They stay together: two crowds of containers at once would try their patience and not their promises.
CONTAINERS = ("tests/agents/", "tests/container/", "tests/crash/")


class Dealing(LoadFileScheduling):
    """Files stay whole, so that what a module's tests share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        return "containers" if nodeid.startswith(CONTAINERS) else super()._split_scope(nodeid)
