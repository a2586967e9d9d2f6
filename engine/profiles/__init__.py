"""Profiles: a product in a file of settings, to lie below those of whoever runs it.

The form is that of `palaver config`. A file holds only what differs from the defaults, and a
comment behind each value says where it comes from: the row of the requirements, with (S) where the
product itself says so and (D) where it is silent and the value is ours. Lines that begin with
`# waits for` name what it says of capabilities that are not there yet (docs/profiles.md).

rental.toml     threads of people who seek and people who let
tutoring.toml   students and tutors, in pairs
petsocial.toml  direct conversations and groups of a social network
stayeasy.toml   guests and owners, in pairs
tuggroups.toml  groups that belong to the host, with threads in them
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

NAMES = ("rental", "tutoring", "petsocial", "stayeasy", "tuggroups")


class ProfileError(ValueError):
    """A profile that cannot be used: which file, which key, and what is allowed there."""


def file_of(profile: str | Path) -> Path:
    """Of a shipped profile by its name, of one's own by its path; `./rental` is a path. Raises
    `ProfileError` if there is none."""
    if profile in NAMES:
        return Path(__file__).with_name(f"{profile}.toml")
    path = Path(profile)
    if not path.is_file():
        raise ProfileError(
            f"there is no profile {str(profile)!r}: say {', '.join(NAMES)}, or the path of a file"
        )
    return path


def read(file: Path) -> dict[str, Any]:
    """What a profile sets, by section. Raises `ProfileError`; the values are not checked here."""
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"profile {file} is not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"profile {file} cannot be read: {error}") from None
    if "profile" in values:
        raise ProfileError(f"profile {file}: setting profile: a profile cannot name another one")
    return values
