"""What a product may set differently: the numbers and switches that the rules read.

One frozen record, made by the engine's settings (and later by profiles), handed to every decision
in its `Context`. Times are in seconds.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Durability = Literal["commit", "write_behind", "relaxed"]
Format = Literal["plain", "markdown"]
MessageType = Literal["text", "media", "image", "voice", "video", "file", "announcement"]
"""What a client may send. A message of the system is an event of its own, `message.posted`."""


class Policy(BaseModel):
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
        description="Of text, media, image, voice, video, file, announcement (MSG-01, C-43)",
    )
    allow_empty_with_attachment: bool = Field(
        True, description="What has media to show needs no text (SEND-03, C-02)"
    )
    max_entities: int = Field(
        50, ge=0, le=1000, description="Links of a text that are marked; 0: none are (MSG-27)"
    )
    max_mentions: int = Field(50, ge=0, le=1000, description="Of a message (MSG-20)")
    mentions_in_text: bool = Field(
        False, description="@ and a user id in a text is a mention, too (MSG-20)"
    )
    max_metadata_bytes: int = Field(16_384, ge=0, description="Metadata of a message (MSG-29)")
    edit_window_s: int | None = Field(900, ge=0, description="None: no end (MSG-03, C-03)")
    delete_window_s: int | None = Field(None, ge=0, description="None: no end (MSG-09, C-05)")
    show_tombstones: bool = Field(
        True, description="Deleted messages stay in history, without content (HIST-06, C-06)"
    )
    max_members: int = Field(256, ge=2, le=100_000, description="Of a group (GRP-02, C-15)")
    max_pins: int = Field(50, ge=1, le=1000, description="Pinned messages of a conversation")
    max_title_chars: int = Field(200, ge=1, le=1000, description="Title of a conversation")
    typing_ttl_s: float = Field(10.0, gt=0, description="Typing ends by itself (RCPT-12, C-39)")
    max_presence_members: int = Field(
        100, ge=0, description="Above it presence is asked for, not pushed (RCPT-16)"
    )
