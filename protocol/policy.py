"""What a product may set differently: the numbers and switches that the rules read.

One frozen record, made by the engine's settings (and later by profiles), handed to every decision
in its `Context`. Times are in seconds.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Durability = Literal["commit", "write_behind", "relaxed"]


class Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = Field("default", description="Name that separates products in one database")
    durability: Durability = Field(
        "write_behind", description="When members see a message and when its sender is told"
    )
    max_chars: int = Field(4000, ge=1, le=100_000, description="Length of a text (SEND-03, C-01)")
    max_metadata_bytes: int = Field(16_384, ge=0, description="Metadata of a message (MSG-29)")
    edit_window_s: int | None = Field(900, ge=0, description="None: no end (MSG-03, C-03)")
    delete_window_s: int | None = Field(None, ge=0, description="None: no end (MSG-09, C-05)")
    show_tombstones: bool = Field(
        True, description="Deleted messages stay in history, without content (HIST-06, C-06)"
    )
    max_members: int = Field(256, ge=2, le=100_000, description="Of a group (GRP-02, C-15)")
    max_pins: int = Field(50, ge=1, le=1000, description="Pinned messages of a conversation")
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
    typing_ttl_s: float = Field(10.0, gt=0, description="Typing ends by itself (RCPT-12, C-39)")
    max_presence_members: int = Field(
        100, ge=0, description="Above it presence is asked for, not pushed (RCPT-16)"
    )
