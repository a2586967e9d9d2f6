"""What a client says, as methods: one line each over `call`, so that editors complete them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .outgoing import Outgoing


class Commands:
    """`c` is a conversation's id. Durable commands answer `{"c", "seq", "id", "ts"}`. See
    `Client.call` for what they raise; arguments left None are not sent."""

    async def call(
        self, name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> dict[str, Any]:
        raise NotImplementedError

    async def enqueue_call(
        self, name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> Outgoing:
        raise NotImplementedError

    async def enqueue(
        self,
        c: str,
        text: str,
        *,
        reply_to: str | None = None,
        metadata: dict[str, Any] | None = None,
        client_id: str | None = None,
    ) -> Outgoing:
        """Keep a message in the outbox, from where it is sent whenever there is a connection. See
        `Client.enqueue_call` for what that promises and raises."""
        payload = _given(text=text, reply_to=reply_to, metadata=metadata, client_id=client_id)
        return await self.enqueue_call("message.send", payload, c)

    async def send(
        self,
        c: str,
        text: str,
        *,
        reply_to: str | None = None,
        metadata: dict[str, Any] | None = None,
        client_id: str | None = None,
    ) -> dict[str, Any]:
        """`reply_to`: the id of a message of the same conversation."""
        payload = _given(text=text, reply_to=reply_to, metadata=metadata, client_id=client_id)
        return await self.call("message.send", payload, c)

    async def send_to(
        self, user: str, text: str, *, metadata: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Into the direct conversation with `user`, which is made if need be."""
        return await self.call("message.send", _given(text=text, to=user, metadata=metadata))

    async def edit(
        self, c: str, message: str, text: str, *, version: int | None = None
    ) -> dict[str, Any]:
        """`version`: only if the message still is at it (1 before any edit)."""
        payload = _given(message_id=message, text=text, version=version)
        return await self.call("message.edit", payload, c)

    async def delete(self, c: str, message: str) -> dict[str, Any]:
        """For everybody."""
        return await self.call("message.delete", {"message_id": message}, c)

    async def pin(self, c: str, message: str) -> dict[str, Any]:
        return await self.call("message.pin", {"message_id": message}, c)

    async def unpin(self, c: str, message: str) -> dict[str, Any]:
        return await self.call("message.unpin", {"message_id": message}, c)

    async def read(self, c: str, seq: int | None = None) -> dict[str, Any]:
        """Move the read mark up to `seq`, or to the end."""
        return await self.call("message.read", _given(seq=seq), c)

    async def create_direct(self, user: str) -> str:
        """The id of the direct conversation with `user`, which may have existed before."""
        payload = {"kind": "direct", "members": [user]}
        return str((await self.call("conversation.create", payload))["c"])

    async def create_group(
        self, members: Sequence[str], title: str | None = None, *, client_id: str | None = None
    ) -> str:
        """The id of a new group with `members` and oneself, in the highest role."""
        payload = _given(kind="group", members=list(members), title=title, client_id=client_id)
        return str((await self.call("conversation.create", payload))["c"])

    async def rename(self, c: str, title: str) -> dict[str, Any]:
        return await self.call("conversation.rename", {"title": title}, c)

    async def add_members(self, c: str, users: Sequence[str]) -> dict[str, Any]:
        return await self.call("member.add", {"users": list(users)}, c)

    async def remove_member(self, c: str, user: str) -> dict[str, Any]:
        return await self.call("member.remove", {"user": user}, c)

    async def set_role(self, c: str, user: str, role: str) -> dict[str, Any]:
        return await self.call("member.set_role", {"user": user, "role": role}, c)

    async def leave(self, c: str, *, confirm: bool = False) -> dict[str, Any]:
        """The last admin of others must `confirm`."""
        return await self.call("conversation.leave", _given(confirm=confirm or None), c)

    async def get(self, c: str) -> dict[str, Any]:
        """The conversation as it stands at `seq`: the snapshot to which later events apply."""
        return await self.call("conversation.get", {}, c)

    async def conversations(
        self, limit: int | None = None, cursor: str | None = None
    ) -> dict[str, Any]:
        """A page of the inbox; its `next` is the cursor of the following one."""
        return await self.call("conversation.list", _given(limit=limit, cursor=cursor))

    async def history(
        self,
        c: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: str | None = None,
        limit: int | None = None,
    ) -> dict[str, Any]:
        """A page of messages, oldest first; without a cursor the newest. `before` and `after` are
        seqs, `around` is a message's id."""
        payload = _given(before=before, after=after, around=around, limit=limit)
        return await self.call("message.history", payload, c)

    async def members(
        self, c: str, *, prefix: str | None = None, after: str | None = None
    ) -> dict[str, Any]:
        return await self.call("member.list", _given(prefix=prefix, after=after), c)

    async def presence(self, c: str) -> dict[str, Any]:
        return await self.call("presence.get", {"conversation": c})

    async def subscribe(self, c: str) -> dict[str, Any]:
        """Get typing, receipts and presence of `c`, also after a reconnect."""
        return await self.call("conversation.subscribe", {}, c)

    async def unsubscribe(self, c: str) -> dict[str, Any]:
        return await self.call("conversation.unsubscribe", {}, c)

    async def typing(self, c: str, on: bool = True) -> dict[str, Any]:
        """Repeat it while typing goes on: it ends by itself after some seconds."""
        return await self.call("typing.start" if on else "typing.stop", {}, c)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
