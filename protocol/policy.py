"""What a product may set differently: the numbers and switches that the rules read.

One frozen record, made by the engine's settings (and later by profiles), handed to every decision
in its `Context`. Times are in seconds.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Durability = Literal["commit", "write_behind", "relaxed"]
Audience = Literal["members", "others", "senders"]


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
