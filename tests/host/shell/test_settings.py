"""The settings: what is known, what is refused and how, and that secrets do not show."""

import os
from pathlib import Path

import pytest

from container.agent import ModelApi
from host.custom_runtimes import custom_runtimes
from host.settings import SettingsError, known_names, load_settings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No INTERCOM_ names from outside, and a working directory without a .env."""
    for name in [name for name in os.environ if name.startswith("INTERCOM_")]:  # noqa: TID251
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refusal() -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    return str(refused.value)


def test_without_anything_set_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.web.host == "127.0.0.1"
    assert settings.web.port == 8765
    assert settings.sandbox == "auto"
    assert settings.approvals.timeout == 3600
    assert settings.approvals.extend_percent == 50
    assert settings.agent.runtime == "local"
    assert settings.agent.max_containers == 5
    assert settings.assistant_name == "Amtiskaw"
    assert settings.telegram.token is None
    assert settings.home.is_absolute()


def test_nested_names_lists_and_sizes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_TELEGRAM__TOKEN", "123456:abc")
    monkeypatch.setenv("INTERCOM_OWNERS", '["tg:1000", "tg:1001"]')
    monkeypatch.setenv("INTERCOM_AGENT__MEMORY", "256MiB")
    monkeypatch.setenv("INTERCOM_NO_INSTALL", "1")
    settings = load_settings()
    assert settings.telegram.token is not None
    assert settings.telegram.token.get_secret_value() == "123456:abc"
    assert settings.owners == ("tg:1000", "tg:1001")
    assert settings.agent.memory == 256 * 1024 * 1024
    assert settings.no_install


def test_the_engine_is_named_by_dockers_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/docker.sock")
    assert load_settings().docker_host == "unix:///run/user/1000/docker.sock"


def test_an_empty_value_is_as_if_it_were_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_TELEGRAM__TOKEN", "")
    monkeypatch.setenv("INTERCOM_DATABASE_URL", "")
    settings = load_settings()
    assert settings.telegram.token is None
    assert settings.database_url is None


def test_the_env_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("INTERCOM_WEB__PORT=9000\nINTERCOM_SANDBOX=process\nOTHER_PROGRAM=1\n")
    monkeypatch.setenv("INTERCOM_WEB__PORT", "9001")
    settings = load_settings()
    assert settings.web.port == 9001
    assert settings.sandbox == "process"


def test_an_unknown_name_is_refused_naming_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_TELEGRAM__TOKN", "123456:abc")
    assert refusal() == (
        "There is no setting INTERCOM_TELEGRAM__TOKN; did you mean INTERCOM_TELEGRAM__TOKEN?"
    )


def test_an_unknown_name_in_the_env_file_is_refused_too() -> None:
    Path(".env").write_text("INTERCOM_SANDBOXX=docker\n")
    assert "INTERCOM_SANDBOX?" in refusal()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INTERCOM_WEB__PORT", "eighty"),
        ("INTERCOM_WEB__PORT", "70000"),
        ("INTERCOM_SANDBOX", "podman"),
        ("INTERCOM_OWNERS", "tg:1000"),
        ("INTERCOM_OWNERS", '["somebody"]'),
        ("INTERCOM_AGENT__CPUS", "-1"),
        ("INTERCOM_TIMEZONE", "Atlantis/Capital"),
    ],
)
def test_a_value_that_does_not_fit_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    told = refusal()
    assert told.startswith(f"{name} does not fit")
    assert "Traceback" not in told


def test_a_refusal_never_shows_the_value_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_TELEGRAM__TOKEN", "123456:very-secret")
    monkeypatch.setenv("INTERCOM_WEB__PORT", "none")
    assert "very-secret" not in refusal()


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_TELEGRAM__TOKEN", "123456:very-secret")
    monkeypatch.setenv("INTERCOM_DATABASE_URL", "postgresql://u:very-secret@db/intercom")
    settings = load_settings()
    assert "very-secret" not in repr(settings)
    assert "very-secret" not in settings.model_dump_json()
    assert len(settings.secrets()) == 2


def test_the_time_zone_is_the_named_one_else_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().zone() is not None
    monkeypatch.setenv("INTERCOM_TIMEZONE", "Europe/Berlin")
    assert str(load_settings().zone()) == "Europe/Berlin"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().web.port = 1


HOUSE = """
HOME DATABASE_URL SANDBOX TELEGRAM__TOKEN TELEGRAM__API_BASE OWNERS WEB__HOST WEB__PORT KERNEL PROJECT
APPROVALS__TIMEOUT AGENT__RUNTIME AGENT__IDLE_TIMEOUT AGENT__MAX_CONTAINERS NO_INSTALL ASSISTANT_NAME
"""


def test_every_name_of_the_house_is_known() -> None:
    assert {f"INTERCOM_{name}" for name in HOUSE.split()} <= set(known_names())


def test_an_agent_of_ones_own_is_added_and_may_be_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    row = '{"goose": {"image": "goose:1", "command": ["goose", "acp"], "api": "openai", "models": ["m"]}}'
    monkeypatch.setenv("INTERCOM_RUNTIMES", row)
    monkeypatch.setenv("INTERCOM_AGENT__RUNTIME", "goose")
    settings = load_settings()
    [runtime] = custom_runtimes(settings.runtimes)
    assert (runtime.name, runtime.title, runtime.image) == ("goose", "goose", "goose:1")
    assert (runtime.command, runtime.api) == (("goose", "acp"), ModelApi.OPENAI)
    assert settings.runtime_names() == ("local", "claude", "codex", "gemini", "goose")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"claude": {"image": "x", "command": ["x"]}}', "claude is built in"),
        ('{"Goose 1": {"image": "x", "command": ["x"]}}', "match"),
        ('{"goose": {"image": "x", "command": []}}', "COMMAND"),
        ('{"goose": {"command": ["x"]}}', "IMAGE"),
        ('{"goose": {"image": "x y", "command": ["x"]}}', "IMAGE"),
        ('{"goose": {"image": "x", "command": ["x"], "state": "/etc"}}', "STATE"),
        ('{"goose": {"image": "x", "command": ["x"], "state": "/home/agent/../x"}}', "STATE"),
        ('{"goose": {"image": "x", "command": ["x"], "memory": "../x"}}', "MEMORY"),
        ('{"goose": {"image": "x", "command": ["x"], "environment": {"A B": "x"}}}', "ENVIRONMENT"),
        ('{"goose": {"image": "x", "command": ["x"], "api": "anthropic"}}', "needs models"),
        ('{"goose": {"image": "x", "command": ["x"], "api": "other"}}', "API"),
        ('{"goose": {"image": "x", "command": ["x"], "privileged": true}}', "PRIVILEGED"),
        ("goose", "JSON"),
    ],
)
def test_an_agent_of_ones_own_that_does_not_fit_is_refused_in_words(
    row: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERCOM_RUNTIMES", row)
    said = refusal()
    assert words in said
    assert said.startswith("INTERCOM_RUNTIMES")


def test_a_default_agent_that_nobody_knows_is_refused_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INTERCOM_AGENT__RUNTIME", "gpt")
    assert refusal() == (
        "INTERCOM_AGENT__RUNTIME does not fit: "
        "there is no runtime gpt; there are local, claude, codex, gemini."
    )


def test_the_kernel_cli_needs_a_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_KERNEL", "cli")
    assert refusal().startswith("INTERCOM_KERNEL is cli, so INTERCOM_PROJECT must name the folder")


def test_folders_are_whole_and_each_stands_once_the_default_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "link").symlink_to("api")
    monkeypatch.setenv("INTERCOM_KERNEL", "cli")
    monkeypatch.setenv("INTERCOM_PROJECT", "link")
    monkeypatch.setenv("INTERCOM_PROJECTS", f'["{tmp_path}/web", "{tmp_path}/web/../api"]')
    assert load_settings().folders() == (tmp_path / "api", tmp_path / "web")


def test_several_projects_need_the_kernel_cli(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_PROJECTS", '["/srv/web"]')
    assert "several need INTERCOM_KERNEL=cli" in refusal()


def test_projects_that_are_no_list_are_refused_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_PROJECTS", "/srv/web")
    assert refusal() == ('INTERCOM_PROJECTS does not fit: it is written as JSON, for example ["/srv/api"].')


def test_a_project_among_what_agents_write_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INTERCOM_KERNEL", "cli")
    monkeypatch.setenv("INTERCOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERCOM_PROJECT", str(tmp_path / "home/groups/main"))
    assert "must lie outside INTERCOM_HOME" in refusal()
