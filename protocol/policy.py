"""What a product may set differently: the numbers and switches that the rules read.

One frozen record, made by the engine's settings (and later by profiles), handed to every decision
in its `Context`. Times are in seconds.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .paging import LARGEST_PAGE

Durability = Literal["commit", "write_behind", "relaxed"]
HistoryStyle = Literal["cursor", "page"]
HistoryOrder = Literal["newest_page_ascending", "ascending"]
SearchMode = Literal["fts", "trgm", "off"]
SearchScope = Literal["mine", "group"]


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
    typing_ttl_s: float = Field(10.0, gt=0, description="Typing ends by itself (RCPT-12, C-39)")
    max_presence_members: int = Field(
        100, ge=0, description="Above it presence is asked for, not pushed (RCPT-16)"
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
