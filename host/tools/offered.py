"""Which operations a group's agents are offered: what its kernel can do at all, and the group may ask for."""

from container.agent import ToolDeclaration
from demarch.calls import PREFIX
from demarch.declarations import declarations
from demarch.errors import NotPossible
from demarch.operations import OPERATIONS, Access
from demarch.projects import Projects
from host.people.registry import Group


def offered_operations(projects: Projects, group: Group, *, writes: bool) -> list[ToolDeclaration]:
    """As tools, by what the kernel of the group's project can do just now."""
    absent = projects.capabilities(group.project).absent
    return [
        ToolDeclaration(name=each.name, description=each.description, input_schema=each.input_schema)
        for each in declarations()
        if (operation := OPERATIONS[each.name.removeprefix(PREFIX)]).name not in absent
        and (writes or operation.access is Access.READ)
    ]


def check_offered(projects: Projects, group: Group, name: str) -> None:
    """Raise NotPossible for what the kernel lacks: the list of tools an agent holds may be older."""
    why = projects.capabilities(group.project).absent.get(name.removeprefix(PREFIX))
    if why:
        raise NotPossible(why)
