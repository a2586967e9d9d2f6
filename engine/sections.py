"""The sections of the settings: what each number and switch means.

Times are in seconds, sizes in bytes, unless a name says otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

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
    service_keys: dict[str, Annotated[SecretStr, Field(min_length=32)]] = Field(
        default_factory=dict,
        description="By a name of each, secrets of at least 32 characters, with which the product's"
        " own servers ask for `/v1/service/…` (docs/rest.md); without any there is no such thing",
    )
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
    told when to ask again. Nothing that the host does in its process, or by calls that it signs, is
    limited."""

    requests_per_min: int = Field(
        300, ge=0, description="Commands of one user, on all connections and by HTTP (C-28, SEC-02)"
    )
    messages_per_min: int = Field(
        60, ge=0, description="Messages of one user, at once or spread out (SEC-03)"
    )
    connects_per_min: int = Field(20, ge=0, description="Sign-ins of one user (CONN-04)")
    messages_to_strangers_per_h: int = Field(
        0, ge=0, description="Messages of one user to who has not accepted their request (SEC-04)"
    )
    new_conversations_per_day: int = Field(
        0, ge=0, description="Conversations that one user begins (SEC-04, C-29)"
    )
    service_requests_per_min: int = Field(
        6000, ge=0, description="HTTP requests under one of auth.service_keys"
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
    relations: Literal["none", "claims", "callback"] = Field(
        "none",
        description="Who follows whom: nobody; whom the claim `follows` of their token lists; or as"
        " the product says (REQ-01, REQ-02)",
    )
    contexts: Literal["none", "claims", "callback"] = Field(
        "none",
        description="Who has a part in what a conversation is about: anybody; whom tokens name; or"
        " whom the product does (CONV-24)",
    )
    membership: Literal["told", "claims", "callback"] = Field(
        "told",
        description="Who is in a group of the product's: whoever it adds; or whom tokens, or the"
        " product when it is asked, say is (GRP-16)",
    )
    premium: Literal["none", "claims", "callback"] = Field(
        "none",
        description="Who has a valid subscription: everybody counts as if; those of whom their"
        " tokens say so; or of whom the product does (GRP-14, HIST-10)",
    )
    sessions: Literal["none", "callback"] = Field(
        "none",
        description="What a session is that a token names: what the token says; or as the product"
        " says (CONN-07)",
    )
    claims: dict[str, str] = Field(
        default_factory=lambda: {"avatar": "picture"},
        description="What tokens call one of policy.user_fields, `follows`, `contexts`,"
        " `related`, `groups` or `premium`, where it is not the same",
    )
    delivery: Literal["none", "callback"] = Field(
        "none",
        description="Who is told of messages for users who are away, so as to push them: nobody, or"
        " the product (SEND-13)",
    )
    delivery_members: int = Field(
        1000,
        ge=0,
        description="In a conversation with more members only those away are told of whom a message"
        " mentions",
    )
    url: str | None = Field(None, description="Where callbacks go, each port under its name")
    secret: SecretStr | None = Field(
        None, description="They are signed with it: `whsec_` and base64 of 24 to 64 bytes"
    )
    timeout_s: float = Field(2.0, gt=0, description="For one answer, its turn included")
    max_requests: int = Field(16, ge=1, description="Of a port at a time; more wait their turn")
    when_away: Literal["refuse", "allow"] = Field(
        "refuse",
        description="What is said of users while the product has no answer: UNAVAILABLE, or as if"
        " it agreed",
    )
    cache_size: int = Field(10_000, ge=1000, description="Answers of a port that are remembered")
    cache_ttl_s: float = Field(60.0, gt=0, description="For so long; see Engine.user_changed")
    sessions_ttl_s: float = Field(10.0, gt=0, description="The same of sessions; see Engine.revoke")
    absent_ttl_s: float = Field(5.0, gt=0, description="The same of what there is not")
    failures: int = Field(5, ge=1, description="After so many in a row nothing is asked any more")
    cool_down_s: float = Field(10.0, gt=0, description="Then one question in so long")


class Webhooks(Section):
    """Stored events of which the product is told, by signed POSTs; host.timeout_s and the other
    bounds of callbacks hold for them, and those of jobs."""

    url: str | None = Field(None, description="Where they go")
    secret: SecretStr | None = Field(
        None, description="They are signed with it: `whsec_` and base64 of 24 to 64 bytes"
    )
    events: list[str] = Field(
        default_factory=list,
        description="The kinds of events that are told, such as `message.sent` (docs/protocol.md)",
    )


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
    sweep_s: float = Field(
        3600.0,
        gt=0,
        description="How often uploads of yesterday are let go, if not complete (ATT-22)",
    )
