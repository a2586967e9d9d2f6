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

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
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

ENV_PREFIX = "PALAVER_"
Algorithm = Literal["HS256", "RS256", "ES256"]
TokenSource = Literal["hello", "header", "query", "cookie"]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Listen(Section):
    """Where clients connect."""

    host: str = Field("127.0.0.1", description="Address of the WebSocket listener")
    port: int = Field(8765, ge=0, le=65535, description="Its port; 0 takes a free one")
    http_host: str = Field("127.0.0.1", description="Address of the HTTP listener")
    http_port: int = Field(8766, ge=0, le=65535, description="Its port; 0 takes a free one")
    backlog: int = Field(1024, ge=1, description="Connections the kernel holds before accept")
    allowed_origins: list[str] = Field(
        default_factory=list,
        description="Browser origins that may connect; a client that sends none always may",
    )
    development: bool = Field(
        False, description="Print tokens, allow localhost origins, make up a signing secret"
    )


class Auth(Section):
    """Whose tokens are believed. A token is a JWT; its `sub` is the user."""

    algorithms: list[Algorithm] = Field(
        default_factory=lambda: list[Algorithm](["HS256"]),
        description="Algorithms that are accepted",
    )
    secret: SecretStr | None = Field(None, description="For HS256, at least 32 bytes")
    public_key: str | None = Field(None, description="PEM, for RS256 and ES256")
    public_key_file: Path | None = Field(None, description="The same, from a file")
    jwks: str | None = Field(
        None,
        description="Or a JSON Web Key Set (RFC 7517), for RS256 and ES256: a path or a URL",
    )
    jwks_refetch_s: float = Field(
        300.0, ge=1, description="It is read again after so long at most, and for an unknown `kid`"
    )
    issuer: str | None = Field(None, description="Required `iss`, if set")
    audience: str | None = Field(None, description="Required `aud`, if set")
    leeway_s: float = Field(5.0, ge=0, description="Tolerance for clocks that differ")
    token_sources: list[TokenSource] = Field(
        default_factory=lambda: list[TokenSource](["hello"]),
        description="Where a token may come from; `query` puts it into URLs and so into logs",
    )
    cookie: str = Field(
        "palaver",
        min_length=1,
        description="The cookie that holds it, where `cookie` is a source; what changes something"
        " is then taken from listen.allowed_origins only (SEC-06)",
    )
    role_claim: str = Field("role", description="The claim that is the user's role for guards")
    session_claim: str = Field("sid", description="The claim that names the session (CONN-07)")
    lookup_timeout_s: float = Field(
        5.0, gt=0, description="For keys and sessions to be looked up; then UNAVAILABLE"
    )
    max_lookups: int = Field(256, ge=1, description="Sessions looked up at a time; more wait")
    revoked_for_s: float = Field(
        86_400.0, gt=0, description="A revocation is remembered so long: longer than tokens live"
    )
    max_revocations: int = Field(
        100_000, ge=1, description="Revocations remembered at most; then the oldest is forgotten"
    )


class Tls(Section):
    """Both listeners speak TLS if there is a certificate (SEC-13)."""

    certificate: Path | None = Field(None, description="PEM, with its chain; SIGHUP reads it again")
    key: Path | None = Field(None, description="PEM, not encrypted; by default with the above")
    min: Literal["1.2", "1.3"] = Field("1.2", description="The oldest version that is spoken")


class Connections(Section):
    """Bounds of one connection, and of all."""

    max_per_user: int = Field(10, ge=1, description="Sockets of one user at a time (CONN-03)")
    max_total: int = Field(50_000, ge=1, description="Sockets of this process; more get 503")
    max_strangers: int = Field(
        1000, ge=1, description="Sockets not signed in; one more drops the one that waits longest"
    )
    hello_timeout_s: float = Field(10.0, gt=0, description="Closed if not signed in by then")
    heartbeat_s: float = Field(
        30.0, gt=0, description="A ping after so long a silence (CONN-08, C-31)"
    )
    missed_heartbeats: int = Field(2, ge=1, description="Closed after so many without any answer")
    max_frame_bytes: int = Field(1_048_576, ge=1024, description="Larger ones close with 1009")
    max_in_flight: int = Field(256, ge=1, description="Commands not yet answered; more wait")
    outbox_bytes: int = Field(1_048_576, ge=65_536, description="Unsent data; then closed as slow")
    send_buffer_bytes: int = Field(262_144, ge=4096, description="SO_SNDBUF of each socket")
    stalled_s: float = Field(30.0, gt=0, description="Closed if unsent data moves not at all")
    drain_s: float = Field(5.0, gt=0, description="At shutdown, for clients to be told and to go")


class Limits(Section):
    """How much, and how often, clients may ask (SEC-14). A rate of 0 is none. Who is refused is
    told when to ask again. The host's own calls are not limited."""

    messages_per_min: int = Field(
        60, ge=0, description="Messages of one user, at once or spread out (SEC-03)"
    )
    connects_per_min: int = Field(20, ge=0, description="Sign-ins of one user (CONN-04)")
    requests_per_min: int = Field(300, ge=0, description="HTTP requests of one user (SEC-02)")
    messages_to_strangers_per_h: int = Field(
        0, ge=0, description="Messages of one user to who has not accepted their request (SEC-04)"
    )
    new_conversations_per_day: int = Field(
        0, ge=0, description="Conversations that one user begins (SEC-04, C-29)"
    )
    commands_per_s: int = Field(
        100, ge=0, description="Items of one connection in the long run; more are RATE_LIMITED"
    )
    commands_burst: int = Field(
        500, ge=1, description="So many at once; after as many refusals at once it is closed (3013)"
    )
    handshakes_per_s: int = Field(
        500, ge=0, description="WebSocket handshakes of this process; more get 503"
    )
    max_requests: int = Field(
        1000, ge=1, description="HTTP requests of this process at a time; more get 503"
    )
    max_payload_bytes: int = Field(
        10_000_000, ge=1024, description="Body of an HTTP request; a larger one gets 413 (CONN-20)"
    )


class Actors(Section):
    """Bounds of the actors."""

    mailbox: int = Field(1024, ge=1, description="Commands waiting for one conversation")
    slice: int = Field(64, ge=1, description="Commands handled before others get their turn")
    ring: int = Field(256, ge=1, description="Recent events kept in memory per conversation")
    resume_limit: int = Field(1000, ge=1, description="Events a resume delivers at most")
    waiting_per_sender: int = Field(
        64, ge=1, description="Commands of one sender held while one of them waits for a read"
    )
    idle_s: float = Field(300.0, gt=0, description="A conversation unused so long is put away")
    snapshot_every: int = Field(500, ge=1, description="Events between snapshots of a busy one")
    ask_timeout_s: float = Field(10.0, gt=0, description="An ask is UNAVAILABLE after this")
    relations_timeout_s: float = Field(
        2.0, gt=0, description="For the host to say who follows whom; then UNAVAILABLE (REQ-02)"
    )
    max_crashes: int = Field(3, ge=0, description="Crashes within crash_window_s it survives")
    crash_window_s: float = Field(5.0, gt=0, description="See max_crashes")
    quarantine_s: float = Field(30.0, gt=0, description="First cool-down; it doubles")
    presence_grace_s: float = Field(5.0, ge=0, description="Offline only after so long (RCPT-20)")
    unread_flush_s: float = Field(0.5, ge=0, description="Unread totals are gathered so long")
    session_queries: int = Field(64, ge=1, description="Inbox queries of one user waiting")
    reactor_queue: int = Field(10_000, ge=1, description="Stored events waiting for a reactor")
    reader_queue: int = Field(10_000, ge=1, description="Items waiting for a reader in the host")
    loads: int = Field(16, ge=1, description="Conversations loaded at a time; more wait")
    waiting_loads: int = Field(10_000, ge=1, description="That wait; more are OVERLOADED")
    pending_asks: int = Field(1024, ge=1, description="Calls of one `as_user` not yet answered")


class Jobs(Section):
    """What is done at its time: scheduled messages, expiry, purges (AUTO-07)."""

    concurrency: int = Field(256, ge=1, le=1000, description="Jobs done at a time")
    tries: int = Field(3, ge=1, le=100, description="Then a job is given up (SEND-13)")
    backoff_s: float = Field(2.0, gt=0, description="Before the second try; then 4 times as long")
    lease_s: float = Field(
        60.0, ge=1, description="A job whose engine has died is taken over after so long"
    )
    poll_s: float = Field(5.0, gt=0, description="To look for jobs that others have added")


class Storage(Section):
    """Where the log lives."""

    dsn: SecretStr | None = Field(
        None, description="postgresql://… of your own server, 14 or newer"
    )
    data: Path | None = Field(None, description="Directory of the embedded server and the spool")
    memory: bool = Field(False, description="Keep nothing: for tests and trying things out")
    pool: int = Field(8, ge=2, description="Connections for reading")
    writers: int = Field(1, ge=1, le=16, description="Connections for writing, by conversation")
    batch_rows: int = Field(500, ge=1, le=5000, description="Rows of one commit at most")
    buffer_rows: int = Field(20_000, ge=100, description="Rows waiting for commit at most")
    buffer_bytes: int = Field(67_108_864, ge=1_048_576, description="The same in bytes")
    answer_timeout_s: float = Field(
        5.0, gt=0, description="A send not durable by then is answered UNAVAILABLE"
    )
    spool_bytes: int = Field(
        134_217_728,
        ge=0,
        description="What the spool in `data` takes while Postgres is away (in memory it is about"
        " ten times as much); 0: there is none",
    )
    spool_after_s: float = Field(
        0.05, gt=0, description="A write not stored by then goes into the spool as well"
    )
    stall_s: float = Field(
        1.0, gt=0, description="After so long without an answer Postgres is asked if it is there"
    )
    query_timeout_s: float = Field(10.0, gt=0, description="A read not done by then is given up")
    start_timeout_s: float = Field(120.0, gt=0, description="For Postgres to come up")
    close_timeout_s: float = Field(4.0, gt=0, description="At shutdown, to store what is pending")


class Host(Section):
    """What the product knows and palaver asks it for. A callback is a POST to `url`, signed as
    Standard Webhooks has it."""

    users: Literal["any", "claims", "callback"] = Field(
        "any",
        description="Who there is: whoever is named, without a name; the same with what tokens say"
        " of their users; or whom the product knows (CONV-19, CONV-23)",
    )
    claims: dict[str, str] = Field(
        default_factory=lambda: {"avatar": "picture"},
        description="What tokens call one of policy.user_fields, where it is not the same",
    )
    url: str | None = Field(None, description="Where callbacks go, each port under its name")
    secret: SecretStr | None = Field(
        None, description="They are signed with it: `whsec_` and base64 of 24 to 64 bytes"
    )
    timeout_s: float = Field(2.0, gt=0, description="For one answer, its turn included")
    max_requests: int = Field(16, ge=1, description="Of a port at a time; more wait their turn")
    when_away: Literal["refuse", "allow"] = Field(
        "refuse",
        description="What is said while the product has no answer: UNAVAILABLE, or as if it agreed",
    )
    cache_size: int = Field(10_000, ge=1000, description="Answers of a port that are remembered")
    cache_ttl_s: float = Field(60.0, gt=0, description="For so long; see Engine.user_changed")
    absent_ttl_s: float = Field(5.0, gt=0, description="The same of what there is not")
    failures: int = Field(5, ge=1, description="After so many in a row nothing is asked any more")
    cool_down_s: float = Field(10.0, gt=0, description="Then one question in so long")


class Files(Section):
    """What people send besides text (ATT-01)."""

    directory: Path | None = Field(
        None, description="Where they are kept; none: `files` in the data directory"
    )
    secret: SecretStr | None = Field(
        None,
        min_length=16,
        description="Their addresses are signed with it; none: with one that is made at each start",
    )
    url_ttl_s: int = Field(3600, ge=60, description="How long an address is good (ATT-18, C-22)")


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
        if not variable.upper().startswith(ENV_PREFIX):
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
