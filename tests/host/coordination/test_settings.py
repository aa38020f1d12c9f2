"""The settings of intermute, and where its keys are."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from host.coordination.rules import keys_file, limits_of, live_of, retention_of
from host.settings import SettingsError, load_settings
from intermute.limits import Limits, LiveRules, Retention


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No names of ours from outside, and a working directory without a .env."""
    for name in [name for name in os.environ if name.startswith(("INTERCOM_", "INTERMUTE_"))]:  # noqa: TID251
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_what_nobody_sets_is_what_the_service_has_by_itself() -> None:
    settings = load_settings().intermute
    assert (settings.enabled, settings.host, settings.port) == (True, "127.0.0.1", 7338)
    assert limits_of(settings) == Limits()
    assert retention_of(settings) == Retention()
    assert live_of(settings) == LiveRules()


def test_limits_retention_and_live_delivery_are_set_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RESERVATIONS": "50",
        "TTL": "7200",
        "LONGEST_TTL": "3600",
        "GRACE": "90",
        "LIVE__ENABLED": "1",
        "LIVE__AGENTS": '["goose"]',
        "LIVE__PER_MINUTE": "3",
        "LIVE__SOCKET": "/tmp/tmux-1000/default",
        "RETENTION__MESSAGES": "30",
    }.items():
        monkeypatch.setenv(f"INTERCOM_INTERMUTE__{name}", value)
    settings = load_settings().intermute
    limits = limits_of(settings)
    assert (limits.reservations, limits.live, limits.grace) == (50, 3, timedelta(seconds=90))
    assert limits.ttl == limits.longest_ttl == timedelta(hours=1)
    assert live_of(settings) == LiveRules(enabled=True, agents=("goose",), socket="/tmp/tmux-1000/default")
    assert retention_of(settings) == Retention(messages=30)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "70000"), ("SOCKET", "intermute.sock"), ("GRACE", "0"), ("RETENTION__MESSAGES", "-1")],
)
def test_what_does_not_fit_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"INTERCOM_INTERMUTE__{name}", value)
    with pytest.raises(SettingsError, match=f"INTERCOM_INTERMUTE__{name} does not fit"):
        load_settings()


def test_the_keys_are_where_they_are_said_to_be_else_here_else_with_the_hosts_state(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    assert keys_file(load_settings()) == Path("intermute.keys.yaml")
    assert keys_file(load_settings(), beside=home) == home / "intermute.keys.yaml"
    Path("intermute.keys.yaml").write_text("projects: {}\n")
    assert keys_file(load_settings(), beside=home) == Path("intermute.keys.yaml")
    monkeypatch.setenv("INTERMUTE_KEYS_FILE", "/etc/intermute.yaml")
    assert keys_file(load_settings(), beside=home) == Path("/etc/intermute.yaml")
    monkeypatch.setenv("INTERCOM_INTERMUTE__KEYS_FILE", "/srv/keys.yaml")
    assert keys_file(load_settings(), beside=home) == Path("/srv/keys.yaml")
