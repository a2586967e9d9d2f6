"""Options that several commands share, and the settings that come of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .words import Problem

if TYPE_CHECKING:
    from ...engine.settings import Settings

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> int:
    """Seconds of «90s», «15m», «1h», «30d», or of a bare number of seconds."""
    match = re.fullmatch(r"(\d+)([smhd]?)", text.strip())
    if match is None or int(match[1]) == 0:
        raise Problem(f"{text!r} is no duration; say for example 90s, 15m, 1h or 30d.")
    return int(match[1]) * _UNITS[match[2] or "s"]


def local_url(host: str = "127.0.0.1", port: int = 8765, *, tls: bool = False) -> str:
    """How a client on this machine reaches a server that listens on `host`."""
    scheme = "wss" if tls else "ws"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="A TOML file; see `palaver config`.")
]
Profile = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Which product: rental, tutoring, petsocial, stayeasy, tuggroups, or your own file.",
    ),
]
Dsn = Annotated[
    str | None, typer.Option(metavar="URL", help="Your own Postgres: postgresql://user@host/db")
]
Data = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where the embedded Postgres and the development key live."),
]


def load_settings(config: Path | None, **overrides: Any) -> Settings:
    """From the profile, the file, the environment and `overrides` (section, then name; None: not
    given)."""
    from pydantic import ValidationError

    from ...engine.bad_setting import bad_setting
    from ...engine.settings import Settings

    given: dict[str, Any] = {}
    for name, value in overrides.items():
        if isinstance(value, dict):
            value = {inner: each for inner, each in value.items() if each is not None} or None
        if value is not None:
            given[name] = value
    try:
        if config is not None and not config.is_file():
            raise Problem(f"there is no file {config}.")
        return Settings.load(config, **given)
    except ValidationError as error:
        raise Problem(bad_setting(error, Settings)) from None
    except tomllib.TOMLDecodeError as error:
        raise Problem(f"{config} is not TOML: {error}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{config} cannot be read: {error}.") from None
    except ValueError as error:
        raise Problem(f"{str(error).rstrip('.')}.") from None
