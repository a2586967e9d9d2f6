"""What calls return, as far as it has a name here: dictionaries as they came, so a later server may
say more in them. Times are in milliseconds since 1970."""

from typing import Any, NotRequired, TypedDict

Message = dict[str, Any]
"""As docs/protocol.md has it (*Messages*)."""

Users = dict[str, dict[str, Any]]
"""Who users are, by their ids, where the product lets it be known."""


class Placed(TypedDict):
    """Where the event stands to which a durable command led. Empty if there was nothing to do."""

    c: str
    seq: int
    id: str
    ts: int
    durable: NotRequired[bool]
    """False, where the server promises less (`relaxed`)."""


class Own(TypedDict):
    """Of a change that is one's own: its place in the user's log, if it changed anything."""

    n: NotRequired[int]


class Moved(TypedDict):
    """One's read mark: where it is now."""

    seq: int
    at: int | None
    unread: int
    durable: NotRequired[bool]


class Page(TypedDict):
    """`more`: beyond this page. `seq`: where the conversation stands. `limited`: the rest is not
    shown to this user."""

    more: bool
    seq: int
    limited: NotRequired[bool]
    users: NotRequired[Users]


class Messages(Page):
    """The last four: if a `page` was asked for."""

    messages: list[Message]
    page: NotRequired[int]
    limit: NotRequired[int]
    total: NotRequired[int]
    total_pages: NotRequired[int]


class Members(Page):
    members: list[dict[str, Any]]


class Readers(Page):
    readers: list[dict[str, Any]]


class Inbox(TypedDict):
    """`next` is the cursor of the page after it; None: this is the last. `unread` is of all."""

    conversations: list[dict[str, Any]]
    next: str | None
    unread: int
    users: NotRequired[Users]


class Hits(TypedDict):
    hits: list[Message]
    page: int
    limit: int
    total: int
    total_pages: int
    limited: NotRequired[bool]
    users: NotRequired[Users]


class Starred(TypedDict):
    stars: list[dict[str, Any]]
    next: int | None
    limited: NotRequired[bool]
    users: NotRequired[Users]


class Scheduled(TypedDict):
    scheduled: list[dict[str, Any]]
    next: str | None


class Versions(TypedDict):
    versions: list[dict[str, Any]]
    seq: int


class Loadables(TypedDict):
    attachments: list[dict[str, Any]]
    seq: int


class Blocks(TypedDict):
    blocks: list[dict[str, Any]]
    more: bool


class Online(TypedDict):
    online: list[str]
    more: bool
    users: NotRequired[Users]


class FoundUsers(TypedDict):
    found: list[str]
    users: NotRequired[Users]


class Templates(TypedDict):
    templates: list[dict[str, Any]]


class Settings(TypedDict):
    read_receipts: bool
    presence: str
    messages_from: str
