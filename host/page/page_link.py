"""Where the page is: the host leaves its address in its folder for commands that print a link."""

from pathlib import Path

from host.settings import Settings

FILE = "page.url"


def remember(home: Path, url: str) -> None:
    (home / FILE).write_text(url + "\n", encoding="utf-8")


def forget(home: Path) -> None:
    (home / FILE).unlink(missing_ok=True)


def page_url(settings: Settings) -> str:
    """What the running host said, else where it will be by the settings."""
    try:
        return (settings.home / FILE).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return f"http://{settings.web.host}:{settings.web.port}"


def page_link(url: str, token: str) -> str:
    """What a person opens in a browser."""
    return f"{url}/open?token={token}"
