"""Which hosts a group's agents may reach: what an owner set, in one form, and nothing by default."""

import pytest

from container.egress.names import BadHost
from host.egress.hosts import MOST, changed, hosts_of
from host.people.profiles import Profile
from host.swarm.port import helper_key
from tests.host.decisions.office import Office


def test_names_are_kept_in_the_form_that_is_compared() -> None:
    profile = changed(Profile(), allow=("API.Example.com.", "b.example", "api.example.com"), deny=())
    assert profile.hosts == ("api.example.com", "b.example")
    assert changed(profile, allow=("c.example",), deny=("B.EXAMPLE",)).hosts == (
        "api.example.com",
        "c.example",
    )


@pytest.mark.parametrize(
    "written", ["*.example.com", "10.0.0.1", "localhost", "https://example.com", "a b.c"]
)
def test_what_is_no_host_is_not_allowed(written: str) -> None:
    with pytest.raises(BadHost):
        changed(Profile(), allow=(written,), deny=())


def test_what_was_not_allowed_cannot_be_denied() -> None:
    with pytest.raises(BadHost, match=r"b.example is not among"):
        changed(Profile(hosts=("a.example",)), allow=(), deny=("b.example",))


def test_there_is_a_most() -> None:
    many = tuple(f"h{number}.example" for number in range(MOST))
    full = changed(Profile(), allow=many, deny=())
    with pytest.raises(BadHost, match="100 hosts at most"):
        changed(full, allow=("more.example",), deny=())


def test_other_grants_stay_as_they_are() -> None:
    before = Profile(models=("m",), provider_tools=True, spend_limit=5)
    assert changed(before, allow=("a.example",), deny=()) == before.model_copy(
        update={"hosts": ("a.example",)}
    )


async def test_the_policy_is_the_groups_own_and_as_it_is_now(office: Office) -> None:
    main, design = hosts_of(office.registry, "main/7"), hosts_of(office.registry, "design")
    helper = hosts_of(office.registry, helper_key("main", 2))
    assert main() == design() == helper() == frozenset()
    group = await office.parts.roles.set_profile("main", Profile(hosts=("a.example",)), actor="terminal:ana")
    assert group.profile.hosts == ("a.example",)
    assert main() == helper() == frozenset({"a.example"})
    assert design() == frozenset()
    assert (await office.audited())[-1] == "group.profile_set"
    await office.parts.roles.set_profile("design", Profile(hosts=("b.example",)), actor="terminal:ana")
    assert design() == frozenset({"b.example"})
    await office.registry.remove_group("design")
    assert design() == frozenset()
