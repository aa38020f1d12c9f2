"""A whole install whose groups talk to a real agent: the program, its chat network, its model's provider."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import docker

from container.agent import Runtime
from tests.program import Program
from tests.servers.models import KEY, ModelServer
from tests.servers.telegram import TOKEN, TelegramServer
from tests.servers.telegram.world import Shown

ANA = 1000  #: the owner, in her private chat with the bot
PATIENCE = 30.0
PROVIDERS = {
    "anthropic": ("ANTHROPIC", "/anthropic"),
    "openai": ("OPENAI", "/openai/v1"),
    "gemini": ("GEMINI", "/gemini"),
}


class Install:
    """What Ana does and sees, and what an operator does behind her back."""

    def __init__(
        self, program: Program, server: TelegramServer, models: ModelServer, runtime: Runtime
    ) -> None:
        self.program = program
        self.server = server
        self.models = models
        self.runtime = runtime

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        runtime: Runtime,
        settings: Mapping[str, str] | None = None,
        *,
        credential: Callable[[ModelServer, Path], Mapping[str, str]] | None = None,
    ) -> AsyncIterator["Install"]:
        """Started, with the owner's private chat as its main group.

        `credential` gives the provider's settings that stand in the place of its API key, as their ends.
        """
        assert runtime.api is not None
        name, path = PROVIDERS[runtime.api.value]
        async with AsyncExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ic-")))
            server = await stack.enter_async_context(TelegramServer.running())
            models = await stack.enter_async_context(ModelServer.running())
            shown = {"API_KEY": KEY} if credential is None else credential(models, home)
            program = Program(
                home / "h",
                {
                    "INTERCOM_TELEGRAM__TOKEN": TOKEN,
                    "INTERCOM_TELEGRAM__API_BASE": server.url,
                    "INTERCOM_TELEGRAM__CHAT_PER_SECOND": "1000",
                    "INTERCOM_TELEGRAM__OVERALL_PER_SECOND": "1000",
                    "INTERCOM_OWNERS": f'["tg:{ANA}"]',
                    "INTERCOM_SANDBOX": "docker",
                    "INTERCOM_AGENT__RUNTIME": runtime.name,
                    "INTERCOM_AGENT__CPUS": "2",
                    f"INTERCOM_MODELS__{name}__BASE_URL": f"{models.url}{path}",
                    **{f"INTERCOM_MODELS__{name}__{end}": value for end, value in shown.items()},
                    **(settings or {}),
                },
            )
            stack.push_async_callback(program.kill)
            await program.start()
            install = cls(program, server, models, runtime)
            try:
                yield install
            except BaseException as broken:
                broken.add_note(install.report())
                raise
            finally:
                if program.alive:
                    await program.stop(within=60)

    def say(self, text: str) -> None:
        self.server.say(ANA, ANA, text)

    async def ask(self, text: str, answer: str) -> Shown:
        """Say something and wait for a message that was not there before and has the answer in it."""
        before = {shown.message_id for shown in self.server.messages(ANA)}
        self.say(text)
        return await self.see(lambda shown: shown.message_id not in before and answer in shown.text)

    async def see(self, fits: Callable[[Shown], bool]) -> Shown:
        """The newest message that fits, once there is one."""

        def found() -> Shown | None:
            return next((each for each in reversed(self.server.messages(ANA)) if fits(each)), None)

        try:
            shown = await self.server.wait_for(found, within=PATIENCE)
        except TimeoutError as error:
            raise AssertionError(self.report()) from error
        assert shown is not None
        return shown

    async def card(self, verb: str, text: str) -> Shown:
        """A card that says this and has that button."""
        return await self.see(
            lambda shown: text in shown.text and any(data.startswith(verb) for data in shown.data)
        )

    def tap(self, card: Shown, verb: str) -> None:
        data = next(data for data in card.data if data.startswith(verb))
        self.server.tap(ANA, card.message_id, data, ANA)

    async def containers(self) -> list[str]:
        """Ids of the containers of this install."""
        client = docker.APIClient()
        install = (self.program.home / "install-id").read_text().strip()
        try:
            label = f"io.intercom.install={install}"
            found = await asyncio.to_thread(client.containers, all=True, filters={"label": label})
        finally:
            client.close()
        return [container["Id"] for container in found]

    def report(self) -> str:
        """What a failure needs to be understood."""
        chat = "\n".join(f"  {shown.text!r} {shown.data}" for shown in self.server.messages(ANA))
        asked = "\n".join(
            f"  {each.path} {each.status} {each.outcome} {each.talk.words[-100:] if each.talk else ''!r}"
            for each in self.models.requests
        )
        lines = re.sub(r"sk-real\S+", "THE KEY", self.program.last_words())
        return f"Ana sees:\n{chat}\nThe provider was asked:\n{asked}\nThe host said:\n{lines}"
