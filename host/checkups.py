"""What `intercom doctor` looks at outside this machine's own files: Docker and the chat networks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from bridges.port import BridgeError
from container.docker import DockerSandbox
from container.engine import Engine
from container.process import ProcessSandbox
from container.runtimes import LOCAL
from container.sandbox import ContainerError
from host.coordination.checkup import intermute_finding
from host.doctor import Check, Finding
from host.settings import Settings
from host.settings_pieces import TelegramSettings
from host.starting import StartRefused, choose_sandbox
from host.wiring.agents import builder

START_ENGINE = "sudo systemctl start docker, or without systemd: sudo dockerd &"
INSTALL = "doctor"  #: no container carries it


@asynccontextmanager
async def checkups(settings: Settings) -> AsyncIterator[tuple[Check, ...]]:
    engine = Engine(settings.docker_host)
    try:
        checks: list[Check] = [partial(_sandbox, settings, engine)]
        if settings.sandbox != "process":
            checks += [partial(_engine, engine), partial(_image, settings, engine)]
        checks += _kernels(settings)
        checks.append(partial(intermute_finding, settings))
        if settings.telegram.token is not None:
            checks.append(partial(_telegram, settings.telegram, settings.telegram.token.get_secret_value()))
        yield tuple(checks)
    finally:
        await engine.close()


def _kernels(settings: Settings) -> list[Check]:
    if settings.kernel == "embedded":
        return []
    from host.kernel_checkup import kernel_finding
    from storage.clock import SystemClock

    return [partial(kernel_finding, settings, folder, SystemClock()) for folder in settings.folders()]


async def _engine(engine: Engine) -> Finding:
    try:
        version = await engine.run(lambda client: client.version()["Version"])
    except ContainerError as error:
        return Finding(name="Docker", ok=False, words=str(error), mend=START_ENGINE)
    return Finding(name="Docker", ok=True, words=f"engine {version}")


async def _image(settings: Settings, engine: Engine) -> Finding:
    made = builder(engine)
    wanted = sorted({LOCAL, settings.agent.runtime} & made.tags.keys())
    try:
        missing = [runtime for runtime in wanted if not await made.exists(runtime)]
    except ContainerError:
        return Finding(name="Image", ok=False, words="nobody can say without Docker", mend=START_ENGINE)
    later = f"; the next start builds {', '.join(missing)}" if missing else ""
    return Finding(name="Image", ok=True, words=", ".join(made.tags[runtime] for runtime in wanted) + later)


async def _sandbox(settings: Settings, engine: Engine) -> Finding:
    try:
        chosen = await choose_sandbox(
            settings.sandbox,
            docker=DockerSandbox(INSTALL, engine),
            process=ProcessSandbox(INSTALL),
            networks=["Telegram"] if settings.telegram.token is not None else [],
        )
    except StartRefused as error:
        return Finding(name="Sandbox", ok=False, words=str(error), mend=START_ENGINE)
    words = " ".join([chosen.sandbox.name, *(f"({note})" for note in chosen.notes)])
    return Finding(name="Sandbox", ok=True, words=words)


async def _telegram(settings: TelegramSettings, token: str) -> Finding:
    from bridges.telegram import TelegramBridge
    from bridges.telegram.settings import TelegramSettings as BridgeSettings
    from storage.clock import SystemClock

    try:
        bridge = TelegramBridge(BridgeSettings(token=token, api_base=settings.api_base), SystemClock())
        async with bridge.opened():
            me = await bridge.check()
    except BridgeError as error:
        return Finding(name="Telegram", ok=False, words=str(error), mend=_mend(str(error), settings))
    privacy = "" if me.reads_groups else "; in groups it sees only what is addressed to it (privacy mode)"
    return Finding(name="Telegram", ok=True, words=f"@{me.username}{privacy}")


def _mend(words: str, settings: TelegramSettings) -> str:
    if "webhook" in words.lower():
        return f'curl "{settings.api_base}/bot$INTERCOM_TELEGRAM__TOKEN/deleteWebhook"'
    return "check INTERCOM_TELEGRAM__TOKEN and that this machine reaches Telegram"
