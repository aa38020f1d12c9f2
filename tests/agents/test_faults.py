"""What goes wrong around a real agent ends in a sentence in the chat, and the host goes on."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from container.agent import Runtime
from tests.agents.install import ANA, Install
from tests.servers.models import ModelServer, Say

pytestmark = [pytest.mark.docker]

#: One agent stands for all: what fails here is around it.
CLAUDE = pytest.mark.parametrize("runtime", ["claude"], indirect=True)
LONG_AGO = 1_700_000_000_000


def signed_in(models: ModelServer, folder: Path) -> Mapping[str, str]:
    """The file in which Claude's own program keeps a person's sign-in, long expired."""
    access, refresh = models.identity.issue()
    models.identity.expire()
    models.keys.clear()  # only a fresh token opens the door
    told = {"accessToken": access, "refreshToken": refresh, "expiresAt": LONG_AGO, "scopes": ["x"]}
    path = folder / "credentials.json"
    path.write_text(json.dumps({"claudeAiOauth": told}))
    path.chmod(0o600)
    return {"OAUTH_FILE": str(path), "REFRESH_URL": f"{models.url}/oauth/token", "CLIENT_ID": "the-tests"}


@CLAUDE
async def test_an_expired_sign_in_is_renewed_and_when_it_cannot_be_people_are_told(runtime: Runtime) -> None:
    async with Install.running(runtime, credential=signed_in) as install:
        identity = install.models.identity
        install.models.then((Say("Good morning."),))
        await install.ask("good morning", "Good morning.")
        assert identity.refreshed == 1
        renewed = json.loads((install.program.home.parent / "credentials.json").read_text())["claudeAiOauth"]
        assert renewed["accessToken"] in identity.tokens
        assert renewed["refreshToken"] in identity.refreshers
        assert not install.models.seen(renewed["refreshToken"])

        identity.expire()
        identity.refreshers.clear()
        await install.ask("and now?", "signs in again")
        for secret in (renewed["accessToken"], renewed["refreshToken"]):
            assert secret not in install.program.log.read_text(errors="replace")
            assert not any(secret in shown.text for shown in install.server.messages(ANA))
        assert install.program.alive


@pytest.mark.full
@CLAUDE
async def test_an_image_that_is_missing_is_named_and_other_groups_go_on(runtime: Runtime) -> None:
    mine = {"mine": {"image": "nobody-made/this:1", "command": ["agent", "--acp"]}}
    async with Install.running(runtime, {"INTERCOM_RUNTIMES": json.dumps(mine)}) as install:
        added = ("--folder", "other", "--no-trigger", "--runtime", "mine")
        status, said = await install.program.command("group", "add", "tg:-100", *added)
        assert status == 0, said
        install.server.say(-100, ANA, "anybody there?")
        shown = await install.server.wait_for_message(-100, "nobody-made/this:1", within=30)
        assert "Traceback" not in shown.text
        install.models.then((Say("Here I am."),))
        await install.ask("and here?", "Here I am.")
