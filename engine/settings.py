"""Every number and switch of a running engine, in one tree.

Sources, the later winning: defaults, the profile that one of the others names, a TOML file, the
environment (`PALAVER_SECTION__NAME`), and what is passed to `Settings` itself (the flags of
`palaver serve`). An unknown key is an error wherever it stands. Times are in seconds, sizes in
bytes, unless a name says otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ..protocol.policy import Policy
from .bad_setting import bad_setting
from .profiles import ProfileError, file_of, read
from .sections import (
    Actors,
    Auth,
    Connections,
    Files,
    Host,
    Jobs,
    Limits,
    Listen,
    Storage,
    Tls,
    Webhooks,
)

ENV_PREFIX = "PALAVER_"
TOKEN_VARIABLE = "PALAVER_TOKEN"
"""No setting: what `palaver chat`, `tail` and `send` take for a token."""


class Settings(BaseSettings):
    """`Settings()` reads the environment; `Settings.load(path)` a TOML file, too. Either takes a
    `profile`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    profile: str | Path | None = Field(
        None,
        description="The product: rental, tutoring, petsocial, stayeasy, tuggroups, or the path of"
        " a TOML file of this form; what stands there lies below all other settings",
    )
    listen: Listen = Field(default_factory=Listen)
    tls: Tls = Field(default_factory=Tls)
    auth: Auth = Field(default_factory=Auth)
    connections: Connections = Field(default_factory=Connections)
    limits: Limits = Field(default_factory=Limits)
    actors: Actors = Field(default_factory=Actors)
    jobs: Jobs = Field(default_factory=Jobs)
    storage: Storage = Field(default_factory=Storage)
    files: Files = Field(default_factory=Files)
    host: Host = Field(default_factory=Host)
    webhooks: Webhooks = Field(default_factory=Webhooks)
    policy: Policy = Field(default_factory=Policy)
    shutdown_s: float = Field(
        9.0, gt=0, description="`palaver serve` ends within this time, whatever hangs (CONN-16)"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info")
    log_format: Literal["console", "json"] = Field("console")

    @classmethod
    def load(cls, path: Path | None = None, **overrides: Any) -> Settings:
        """From `path` (TOML), the environment, and `overrides`. Raises pydantic's
        `ValidationError`, or `ValueError` for an unknown variable, a file that is no TOML, or a
        profile that cannot be used (`ProfileError`)."""
        if path is None:
            return cls(**overrides)

        class FromFile(cls):  # type: ignore[valid-type, misc]
            model_config = SettingsConfigDict(toml_file=path)

        return cls.model_validate(FromFile(**overrides).model_dump())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        _refuse_unknown_variables(settings_cls)
        toml_settings = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, toml_settings, _ProfileSource(settings_cls)


class _ProfileSource(PydanticBaseSettingsSource):
    """Below all others: the profile that one of them names."""

    def __call__(self) -> dict[str, Any]:
        profile = self.current_state.get("profile")
        return _of_profile(profile) if isinstance(profile, str | Path) else {}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError("it gives all fields at once")


class _ProfileAlone(Settings):
    """What a profile makes of the defaults, whatever else is set."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _of_profile(profile: str | Path) -> dict[str, Any]:
    """What it sets, checked by itself, so that a mistake in it is told as one of its file."""
    file = file_of(profile)
    values = read(file)
    try:
        _ProfileAlone(**values)
    except ValidationError as error:
        raise ProfileError(f"profile {file}: {bad_setting(error, Settings)}") from None
    return values


def _refuse_unknown_variables(settings: type[BaseSettings]) -> None:
    """A misspelt `PALAVER_…` would otherwise be passed over in silence."""
    for variable in os.environ:
        if not variable.upper().startswith(ENV_PREFIX) or variable == TOKEN_VARIABLE:
            continue
        name, _, inner = variable[len(ENV_PREFIX) :].lower().partition("__")
        field = settings.model_fields.get(name)
        section = field.annotation if field is not None else None
        if field is None or (
            inner
            and isinstance(section, type)
            and issubclass(section, BaseModel)
            and inner.partition("__")[0] not in section.model_fields
        ):
            raise ValueError(f"unknown setting in the environment: {variable}")
