"""What a product may set differently: the numbers and switches that the rules read.

One frozen record, made by the engine's settings and its profile, handed to every decision in its
`Context`. Times are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    StringConstraints,
    model_validator,
)

from .errors import ERRORS
from .paging import LARGEST_PAGE
from .references import MAX_REFERENCES, ReferenceType
from .roles import PERMISSIONS, RANK, Least, Permission, Role
from .template import EventTemplate, variables

Durability = Literal["commit", "write_behind", "relaxed"]
Audience = Literal["members", "others", "senders"]
Format = Literal["plain", "markdown"]
MessageType = Literal["text", "media", "image", "voice", "video", "file", "announcement", "poll"]
"""What a client may send. A message of the system is an event of its own, `message.posted`."""
AttachmentType = Literal["image", "video", "voice", "file"]
HistoryStyle = Literal["cursor", "page"]
HistoryOrder = Literal["newest_page_ascending", "ascending"]
SearchMode = Literal["fts", "trgm", "off"]
SearchScope = Literal["mine", "group"]
OpenKind = Literal["direct", "group", "thread"]
MIB = 1024 * 1024
DAY_MS = 86_400_000
_OFFICE = "application/vnd.openxmlformats-officedocument."
_DOCUMENTS = tuple(
    _OFFICE + kind
    for kind in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")
)
DirectKey = Literal["pair", "pair_context", "none"]
Name = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,63}$")]
Blocks = Literal["off", "silent", "forbidden"]


def _lattice(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    if "member" not in roles:
        raise ValueError("must hold `member`, which is what everybody begins as")
    return tuple(sorted(set(roles), key=RANK.__getitem__))


def _templates(templates: dict[str, str]) -> dict[str, str]:
    for name, text in templates.items():
        try:
            variables(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return templates


def _known_codes(messages: dict[str, str]) -> dict[str, str]:
    for code in messages:
        if code not in ERRORS:
            raise ValueError(f"there is no error {code!r}")
    return messages


def _title_template(template: str) -> str:
    try:
        template.format(creator="", members="", count=1)
    except (LookupError, AttributeError, TypeError) as error:
        raise ValueError("has only {creator}, {members} and {count}") from error
    return template


def _or_none(value: object) -> object:
    return None if value == "none" else value


Window = Annotated[NonNegativeInt | None, BeforeValidator(_or_none)]
"""Seconds; None has no end, for which TOML and the environment say `none`."""
Recovery = Annotated[Annotated[int, Field(ge=1, le=3650)] | None, BeforeValidator(_or_none)]

HistoryDays = Annotated[Annotated[int, Field(ge=1, le=36_500)] | None, BeforeValidator(_or_none)]


class Policy(BaseModel):
    """What a product may set differently. A profile sets most of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = Field("default", description="Name that separates products in one database")
    durability: Durability = Field(
        "write_behind", description="When members see a message and when its sender is told"
    )
    max_chars: int = Field(4000, ge=1, le=100_000, description="Length of a text (SEND-03, C-01)")
    format: Format = Field("plain", description="How texts are to be read (MSG-02, C-45)")
    message_types: tuple[MessageType, ...] = Field(
        ("text",),
        min_length=1,
        description="Of text, media, image, voice, video, file, announcement, poll (MSG-01, C-43)",
    )
    allow_empty_with_attachment: bool = Field(
        True, description="What has media to show needs no text (SEND-03, C-02)"
    )
    max_attachments: int = Field(
        10, ge=0, le=50, description="Of a message; 0: there are none (ATT-20, C-21)"
    )
    attachment_limits: dict[AttachmentType, Annotated[int, Field(ge=0)]] = Field(
        {"image": 10 * MIB, "video": 100 * MIB, "voice": 25 * MIB, "file": 25 * MIB},
        description="What can be attached, and how many bytes it may have (ATT-05, C-17)",
    )
    attachment_types: dict[AttachmentType, tuple[str, ...]] = Field(
        {
            "image": ("image/jpeg", "image/png", "image/gif", "image/webp"),
            "video": ("video/mp4", "video/quicktime", "video/webm"),
            "voice": (
                "audio/mpeg",
                "audio/mp4",
                "audio/ogg",
                "audio/wav",
                "audio/aac",
                "audio/webm",
            ),
            "file": ("application/pdf", *_DOCUMENTS, "text/plain", "text/csv"),
        },
        description="Media types of what can be uploaded (ATT-06, C-18)",
    )
    thumbnails: tuple[Annotated[int, Field(ge=16, le=2048)], ...] = Field(
        (300,),
        max_length=5,
        description="Longer sides, in pixels, of small pictures (ATT-13, C-23)",
    )
    external_attachments: bool = Field(
        True, description="Attachments may lie anywhere on the web, not only here (ATT-04, C-19)"
    )
    max_entities: int = Field(
        50, ge=0, le=1000, description="Links of a text that are marked; 0: none are (MSG-27)"
    )
    max_mentions: int = Field(50, ge=0, le=1000, description="Of a message (MSG-20)")
    mentions_in_text: bool = Field(
        False, description="@ and a user id in a text is a mention, too (MSG-20)"
    )
    max_metadata_bytes: int = Field(16_384, ge=0, description="Metadata of a message (MSG-29)")
    edit_enabled: bool = Field(True, description="Whether messages can be edited (C-03)")
    edit_window_s: Window = Field(900, description='"none": no end (MSG-03, C-03)')
    expose_edit_history: bool = Field(
        False, description="Members may read the earlier texts of a message (MSG-06, C-04)"
    )
    delete_scopes: tuple[Literal["me", "everyone"], ...] = Field(
        ("me", "everyone"), description="For whom a message can be deleted (MSG-09, C-05)"
    )
    delete_window_s: Window = Field(None, description='For everyone; "none": no end (MSG-09, C-05)')
    delete_recovery_days: Recovery = Field(
        None,
        description="So long a deleted message can be restored, then its content is purged;"
        ' "none": neither (MSG-12, C-05)',
    )
    show_tombstones: bool = Field(
        True, description="Deleted messages stay in history, without content (HIST-06, C-06)"
    )
    max_members: int = Field(256, ge=2, le=100_000, description="Of a group (GRP-02, C-15)")
    roles: Annotated[tuple[Role, ...], AfterValidator(_lattice)] = Field(
        ("member", "admin"),
        description="Those of member, moderator, admin, owner that there are (GRP-04, C-16)",
    )
    permissions: dict[Permission, Least] = Field(
        default_factory=dict,
        description="The least role for a permission, or nobody, where it is not the usual one"
        " (GRP-05, GRP-15)",
    )
    kinds: tuple[OpenKind, ...] = Field(
        ("direct", "group"), description="Conversations that users may open (CONV-01, C-13)"
    )
    direct_key: DirectKey = Field(
        "pair",
        description="How many direct conversations two users have: one; one for each context; or as"
        " many as they create (CONV-03, C-13)",
    )
    conversation_context: tuple[ReferenceType, ...] = Field(
        (),
        max_length=MAX_REFERENCES,
        description="Types of things that a conversation may refer to, such as listing (CONV-05)",
    )
    message_context: tuple[ReferenceType, ...] = Field(
        (),
        max_length=MAX_REFERENCES,
        description="Types of things that a message may refer to; what its conversation refers to"
        " it takes over (CONV-05)",
    )
    title_template: Annotated[str, AfterValidator(_title_template)] = Field(
        "",
        description="Title of a conversation that is given none, made of {creator}, {members} (the"
        " first five) and {count}; empty: it stays without (CONV-06)",
    )
    max_pins: int = Field(
        50,
        ge=0,
        le=1000,
        description="Pinned messages of a conversation; 0: no pins (C-42)",
    )
    reactions: Literal["off", "any", "listed"] = Field(
        "any", description="None, any emoji, or those of listed_reactions (MSG-15, C-41)"
    )
    listed_reactions: tuple[str, ...] = Field(
        (
            *("like", "love", "laugh", "wow", "sad", "angry"),
            *("thumbs_up", "thumbs_down", "fire", "heart"),
        ),
        description="The vocabulary if reactions are listed: names or emoji (MSG-15, C-41)",
    )
    custom_reactions: bool = Field(
        False, description="Besides, any emoji and the product's own as `:name:` (MSG-15, C-41)"
    )
    max_reactions: int = Field(
        20, ge=1, le=100, description="Different emoji on one message (MSG-14)"
    )
    max_reactors: int = Field(
        1000, ge=1, le=10_000, description="Users who put one emoji on one message (MSG-14)"
    )
    threads: bool = Field(
        False, description="Sub-threads under the messages of a group (CONV-20, C-14)"
    )
    max_forwards: int = Field(
        5, ge=0, description="How often a user may forward one message (MSG-17)"
    )
    max_expiry_s: int = Field(
        7_776_000,
        ge=0,
        description="Longest life of a message that disappears by itself; 0: none does (MSG-24)",
    )
    max_schedule_s: int = Field(
        31_536_000, ge=0, description="How far ahead a message may be scheduled; 0: none (MSG-23)"
    )
    max_scheduled: int = Field(
        100, ge=1, le=10_000, description="Messages that one user has scheduled at a time (MSG-23)"
    )
    templates: Annotated[dict[str, str], AfterValidator(_templates)] = Field(
        default_factory=dict,
        description="Texts that users are offered, by name, with {gaps} for them to fill (MSG-30)",
    )
    events: dict[Name, EventTemplate] = Field(
        default_factory=dict,
        description="How events of the product are told in conversations, by name: the text, what"
        " kind of conversation it opens where there is none, and the title of that, both with"
        " {gaps} (AUTO-01, CONV-27)",
    )
    max_title_chars: int = Field(200, ge=1, le=1000, description="Title of a conversation")
    conversation_pins: bool = Field(
        True, description="Members may pin conversations in their own inbox (CONV-12, C-42)"
    )
    receipts_optout: bool = Field(
        False, description="Users may keep to themselves what they have read (RCPT-08, C-10)"
    )
    presence_optout: bool = Field(
        False, description="Users may keep to themselves when they are online (REQ-12)"
    )
    blocks: Blocks = Field(
        "off",
        description="Users may block others, whose messages to them then seem to be accepted, or"
        " are refused like anything that is not allowed (REQ-08, REQ-09, C-38)",
    )
    max_blocks: int = Field(
        1000, ge=1, le=10_000, description="Whom one user may have blocked or restricted (REQ-08)"
    )
    message_requests: bool = Field(
        False,
        description="Users say who may write to them, and who is no follower of theirs asks first"
        " (REQ-01, REQ-02)",
    )
    receipts_audience: Audience = Field(
        "members",
        description="Who hears that somebody has read: every member, the reader's other devices"
        " included; all others; or those who had written what was unread until then (C-09)",
    )
    receipts_batch_s: float = Field(
        0.0,
        ge=0,
        description="Moves of marks are stored and told together after so long; 0: each at once"
        " (RCPT-09, C-11)",
    )
    receipts_batch_n: int = Field(
        1, ge=1, le=100, description="Or as soon as there are so many; 1: each at once (RCPT-09)"
    )
    typing_enabled: bool = Field(True, description="Whether typing is told at all (C-39)")
    typing_ttl_s: float = Field(10.0, gt=0, description="Typing ends by itself (RCPT-12, C-39)")
    typing_min_interval_s: float = Field(
        1.0, ge=0, description="Its start is told at most so often (RCPT-13, C-39)"
    )
    presence_enabled: bool = Field(
        True, description="Whether anybody is told, or may ask, who is online (C-40)"
    )
    presence_batch_s: float = Field(
        0.0, ge=0, description="Who came and went is told together after so long (RCPT-18, C-40)"
    )
    max_presence_members: int = Field(
        100, ge=0, description="Above it presence is asked for, not pushed (RCPT-16)"
    )
    user_fields: tuple[Name, ...] = Field(
        ("name", "avatar", "role"),
        max_length=32,
        description="What users are shown of one another, of what the host says of them (CONV-19)",
    )
    error_messages: Annotated[dict[str, str], AfterValidator(_known_codes)] = Field(
        default_factory=dict,
        description="The product's own words for errors, by their codes (ERR-07)",
    )
    premium_required: bool = Field(
        False,
        description="Only who has a valid subscription may connect, read and send (GRP-14, SEC-12)",
    )
    free_history_days: HistoryDays = Field(
        None,
        description='So far back reaches the history of who has no premium; "none": as far as that'
        " of all (HIST-10, C-27)",
    )
    conversations_page: int = Field(
        50, ge=1, le=LARGEST_PAGE, description="Conversations in a page, unless asked (C-24)"
    )
    max_conversations_page: int = Field(
        200, ge=1, le=LARGEST_PAGE, description="Conversations in a page, at most (C-24)"
    )
    messages_page: int = Field(
        50, ge=1, le=LARGEST_PAGE, description="Messages in a page, unless asked (C-24)"
    )
    max_messages_page: int = Field(
        100, ge=1, le=LARGEST_PAGE, description="Messages in a page, at most (C-24)"
    )
    search_page: int = Field(
        20, ge=1, le=LARGEST_PAGE, description="Hits in a page, unless asked (SRCH-04, C-24)"
    )
    max_search_page: int = Field(
        50, ge=1, le=LARGEST_PAGE, description="Hits in a page, at most (SRCH-04, C-24)"
    )
    history_style: HistoryStyle = Field(
        "cursor", description="What history is without a cursor: the end, or page 1 (C-25)"
    )
    history_order: HistoryOrder = Field(
        "newest_page_ascending",
        description="Whether page 1 is the newest or the oldest one (HIST-02, C-25)",
    )
    search_mode: SearchMode = Field(
        "fts", description="English words, best first; or substrings, newest first (SRCH-05, 06)"
    )
    search_scope: SearchScope = Field(
        "mine", description="All of one's conversations, or one named at a time (C-26)"
    )
    search_min_chars: int = Field(
        2, ge=1, le=200, description="Length of what is searched for (SRCH-03, C-26)"
    )

    @model_validator(mode="after")
    def _roles_exist(self) -> Policy:
        for permission, least in self.permissions.items():
            if least != "nobody" and least not in self.roles:
                raise ValueError(f"permissions.{permission}: there is no role {least!r} here")
        return self

    @property
    def highest_role(self) -> Role:
        """The creator's; a conversation keeps at least one of it (GRP-09)."""
        return self.roles[-1]

    @cached_property
    def permission_table(self) -> Mapping[Permission, Least]:
        """The least role for every permission."""
        return {**PERMISSIONS, **self.permissions}
