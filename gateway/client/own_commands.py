"""What a client says of what is its user's own, as methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from .calling import Calling, given
from .results import (
    Blocks,
    FoundUsers,
    Hits,
    Inbox,
    Online,
    Own,
    Scheduled,
    Settings,
    Starred,
    Users,
)


class OwnCommands(Calling):
    """See `Commands`. Changes here hold on all devices of the user, and nobody else sees them."""

    async def conversations(
        self,
        limit: int | None = None,
        cursor: str | None = None,
        *,
        filter: Literal["unread", "archived", "requests"] | None = None,
        text: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> Inbox:
        """A page of the inbox; its `next` is the cursor of the following one. `text`: how a word
        of the title begins, or a member's id."""
        payload = given(limit=limit, cursor=cursor, filter=filter, text=text, context=context)
        return await self._ask(Inbox, "conversation.list", payload)

    async def prefer(
        self,
        c: str,
        *,
        muted: bool | None = None,
        muted_until: int | None = None,
        pinned: bool | None = None,
        archived: bool | None = None,
        unread: bool | None = None,
    ) -> Own:
        """How one keeps a conversation; what is not given stays. `muted_until` is in ms."""
        payload = given(
            muted=muted, muted_until=muted_until, pinned=pinned, archived=archived, unread=unread
        )
        return await self._ask(Own, "preference.set", payload, c)

    async def hide_conversation(self, c: str) -> Own:
        """Delete it from one's own inbox, with all that was said so far."""
        return await self._ask(Own, "conversation.hide", {}, c)

    async def hide(self, c: str, message: str) -> Own:
        """Delete a message for oneself."""
        return await self._ask(Own, "message.hide", {"message_id": message}, c)

    async def star(self, c: str, message: str, on: bool = True) -> Own:
        name = "message.star" if on else "message.unstar"
        return await self._ask(Own, name, {"message_id": message}, c)

    async def stars(self, *, before: int | None = None, limit: int | None = None) -> Starred:
        """One's starred messages; `before` is the `next` of the page before."""
        return await self._ask(Starred, "star.list", given(before=before, limit=limit))

    async def save_draft(self, c: str, text: str, *, reply_to: str | None = None) -> Own:
        """What one has begun to write; an empty text lets it go."""
        return await self._ask(Own, "draft.save", given(text=text, reply_to=reply_to), c)

    async def schedule(self, c: str, id: str, send_at: int, message: dict[str, Any]) -> Own:
        """`message` is what `message.send` would get, at `send_at` (ms). `id` is the caller's name
        for it: said again, it is another message or time."""
        payload = {"id": id, "send_at": send_at, "message": message}
        return await self._ask(Own, "message.schedule", payload, c)

    async def cancel_scheduled(self, id: str) -> Own:
        return await self._ask(Own, "schedule.cancel", {"id": id})

    async def scheduled(
        self,
        *,
        status: Literal["pending", "sent", "cancelled", "failed"] | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Scheduled:
        """One's messages for later, the earliest first; `after` is the `next` of a page."""
        return await self._ask(
            Scheduled, "schedule.list", given(status=status, after=after, limit=limit)
        )

    async def settings(self) -> Settings:
        return await self._ask(Settings, "settings.get")

    async def set_settings(
        self,
        *,
        read_receipts: bool | None = None,
        presence: Literal["everyone", "nobody"] | None = None,
        messages_from: Literal["everyone", "friends", "following", "no_one"] | None = None,
    ) -> Own:
        """What is not given stays as it is."""
        payload = given(read_receipts=read_receipts, presence=presence, messages_from=messages_from)
        return await self._ask(Own, "settings.set", payload)

    async def search(
        self,
        query: str,
        *,
        c: str | None = None,
        by: str | None = None,
        after: int | None = None,
        before: int | None = None,
        page: int | None = None,
        limit: int | None = None,
    ) -> Hits:
        """Messages of one's conversations, or of `c`, that match. `by` is the author, `after` and
        `before` are times in ms; `page` counts from 1."""
        payload = given(
            query=query,
            conversation=c,
            by=by,
            after=after,
            before=before,
            page=page,
            limit=limit,
        )
        return await self._ask(Hits, "message.search", payload)

    async def users(self, users: Sequence[str]) -> Users:
        """What may be seen of them; who is not there is left out."""
        return await self._ask(Users, "user.get", {"users": list(users)})

    async def search_users(self, text: str, *, limit: int | None = None) -> FoundUsers:
        """Users to write to."""
        return await self._ask(FoundUsers, "user.search", given(text=text, limit=limit))

    async def online(self, *, after: str | None = None, limit: int | None = None) -> Online:
        """Who is online of those with whom one shares a conversation."""
        return await self._ask(Online, "presence.list", given(after=after, limit=limit))

    async def accept_request(self, c: str) -> Own:
        return await self._ask(Own, "request.accept", {}, c)

    async def decline_request(self, c: str) -> Own:
        return await self._ask(Own, "request.decline", {}, c)

    async def block(self, user: str) -> Own:
        """Nothing passes between the two any more, but inside groups."""
        return await self._ask(Own, "user.block", {"user": user})

    async def restrict(self, user: str) -> Own:
        """What they say to one does not arrive; one may still write to them."""
        return await self._ask(Own, "user.restrict", {"user": user})

    async def unblock(self, user: str) -> Own:
        """Neither blocked nor restricted any more."""
        return await self._ask(Own, "user.unblock", {"user": user})

    async def blocks(self, *, after: str | None = None, limit: int | None = None) -> Blocks:
        """Whom one keeps out, by pages in order of user id."""
        return await self._ask(Blocks, "block.list", given(after=after, limit=limit))
