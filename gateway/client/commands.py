"""What a client says in conversations, as methods: one line each over `call`, so that editors
complete them. What is its user's own is in `OwnCommands`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from ...protocol.roles import Who
from .calling import MessageOptions, given
from .outgoing import Outgoing
from .own_commands import OwnCommands
from .results import Loadables, Members, Messages, Moved, Placed, Readers, Templates, Versions


class Commands(OwnCommands):
    """`c` is a conversation's id, `message` a message's. See `Client.call` for
    what they raise, `results` for what they return: a durable command, where its event stands.
    Arguments left None are not sent. Times are in milliseconds since 1970. Lists continue as
    docs/protocol.md says: from `next`, or from the last thing they gave."""

    async def enqueue(self, c: str, text: str, **options: Unpack[MessageOptions]) -> Outgoing:
        """Keep a message in the outbox, from where it is sent whenever there is a connection. See
        `Client.enqueue_call` for what that promises and raises."""
        return await self.enqueue_call("message.send", given(text=text, **options), c)

    async def send(self, c: str, text: str, **options: Unpack[MessageOptions]) -> Placed:
        return await self._ask(Placed, "message.send", given(text=text, **options), c)

    async def send_to(self, user: str, text: str, **options: Unpack[MessageOptions]) -> Placed:
        """Into the direct conversation with `user`, which is made if need be."""
        return await self._ask(Placed, "message.send", given(text=text, to=user, **options))

    async def edit(
        self,
        c: str,
        message: str,
        text: str,
        *,
        version: int | None = None,
        mentions: Sequence[str] | None = None,
    ) -> Placed:
        """`version`: only if the message still is at it (1 before any edit)."""
        payload = given(message_id=message, text=text, version=version, mentions=mentions)
        return await self._ask(Placed, "message.edit", payload, c)

    async def delete(self, c: str, message: str) -> Placed:
        """For everybody."""
        return await self._ask(Placed, "message.delete", {"message_id": message}, c)

    async def restore(self, c: str, message: str) -> Placed:
        """Take a deletion back, as long as the server leaves it."""
        return await self._ask(Placed, "message.restore", {"message_id": message}, c)

    async def forward(
        self, c: str, message: str, to: str, *, client_id: str | None = None
    ) -> Placed:
        """A copy of a message of `c` to the conversation `to`."""
        payload = given(message_id=message, to=to, client_id=client_id)
        return await self._ask(Placed, "message.forward", payload, c)

    async def react(self, c: str, message: str, emoji: str, on: bool = True) -> Placed:
        """Put `emoji` on a message, or take one's own off."""
        payload = {"message_id": message, "emoji": emoji, "on": on}
        return await self._ask(Placed, "reaction.set", payload, c)

    async def vote(self, c: str, message: str, option: int | None) -> Placed:
        """For an option of a poll, which replaces an earlier vote; None takes it back."""
        return await self._ask(Placed, "poll.vote", {"message_id": message, "option": option}, c)

    async def send_template(
        self,
        c: str,
        template: str,
        variables: dict[str, Any] | None = None,
        *,
        client_id: str | None = None,
    ) -> Placed:
        payload = given(template=template, variables=variables, client_id=client_id)
        return await self._ask(Placed, "template.send", payload, c)

    async def templates(self) -> Templates:
        """The texts that the product suggests, with the names of their gaps."""
        return await self._ask(Templates, "template.list")

    async def pin(self, c: str, message: str) -> Placed:
        return await self._ask(Placed, "message.pin", {"message_id": message}, c)

    async def unpin(self, c: str, message: str) -> Placed:
        return await self._ask(Placed, "message.unpin", {"message_id": message}, c)

    async def pins(
        self, c: str, *, before: int | None = None, limit: int | None = None
    ) -> Messages:
        """`before`: a seq."""
        return await self._ask(Messages, "pin.list", given(before=before, limit=limit), c)

    async def read(self, c: str, seq: int | None = None) -> Moved:
        """Move the read mark up to `seq`, or to the end."""
        return await self._ask(Moved, "message.read", given(seq=seq), c)

    async def readers(
        self, c: str, message: str, *, after: str | None = None, limit: int | None = None
    ) -> Readers:
        """Who has read a message, and when."""
        payload = given(message_id=message, after=after, limit=limit)
        return await self._ask(Readers, "message.readers", payload, c)

    async def create_direct(self, user: str) -> str:
        """The id of the direct conversation with `user`, which may have existed before."""
        payload = {"kind": "direct", "members": [user]}
        return str((await self.call("conversation.create", payload))["c"])

    async def create_group(
        self, members: Sequence[str], title: str | None = None, *, client_id: str | None = None
    ) -> str:
        """The id of a new group with `members` and oneself, in the highest role."""
        payload = given(kind="group", members=list(members), title=title, client_id=client_id)
        return str((await self.call("conversation.create", payload))["c"])

    async def rename(self, c: str, title: str) -> Placed:
        return await self._ask(Placed, "conversation.rename", {"title": title}, c)

    async def change_settings(
        self,
        c: str,
        *,
        description: str | None = None,
        icon: str | None = None,
        who_may_send: Who | None = None,
        who_may_add: Who | None = None,
    ) -> Placed:
        """Of a group; what is not given stays as it is."""
        payload = given(
            description=description, icon=icon, who_may_send=who_may_send, who_may_add=who_may_add
        )
        return await self._ask(Placed, "conversation.change_settings", payload, c)

    async def lock(self, c: str, until: int | None = None) -> Placed:
        """Nobody writes there until then (ms), or for good."""
        return await self._ask(Placed, "conversation.lock", given(until=until), c)

    async def unlock(self, c: str) -> Placed:
        return await self._ask(Placed, "conversation.unlock", {}, c)

    async def add_members(self, c: str, users: Sequence[str]) -> Placed:
        return await self._ask(Placed, "member.add", {"users": list(users)}, c)

    async def remove_member(self, c: str, user: str) -> Placed:
        return await self._ask(Placed, "member.remove", {"user": user}, c)

    async def set_role(self, c: str, user: str, role: str) -> Placed:
        return await self._ask(Placed, "member.set_role", {"user": user, "role": role}, c)

    async def leave(self, c: str, *, confirm: bool = False) -> Placed:
        """The last admin of others must `confirm`."""
        return await self._ask(Placed, "conversation.leave", given(confirm=confirm or None), c)

    async def get(self, c: str) -> dict[str, Any]:
        """The conversation as it stands at `seq`: the snapshot to which later events apply."""
        return await self.call("conversation.get", {}, c)

    async def history(
        self,
        c: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: str | None = None,
        before_time: int | None = None,
        page: int | None = None,
        limit: int | None = None,
        system: bool | None = None,
        context: dict[str, Any] | None = None,
    ) -> Messages:
        """A page of messages, oldest first; without a cursor the newest (CLI-07). `before` and
        `after` are seqs, `around` is a message's id, `before_time` is in ms; `page` counts from 1.
        `system`: also what tells of members and settings."""
        payload = given(
            before=before,
            after=after,
            around=around,
            before_time=before_time,
            page=page,
            limit=limit,
            system=system,
            context=context,
        )
        return await self._ask(Messages, "message.history", payload, c)

    async def thread(
        self, c: str, message: str, *, after: int | None = None, limit: int | None = None
    ) -> Messages:
        """Replies under a message, oldest first; `after` is a seq."""
        payload = given(message_id=message, after=after, limit=limit)
        return await self._ask(Messages, "thread.list", payload, c)

    async def media(
        self, c: str, *, before: int | None = None, limit: int | None = None
    ) -> Messages:
        """Messages with attachments, newest first; `before` is a seq."""
        return await self._ask(Messages, "media.list", given(before=before, limit=limit), c)

    async def attachments(self, c: str, message: str) -> Loadables:
        """Addresses to load a message's attachments from, below `Client.http_url`."""
        return await self._ask(Loadables, "attachment.list", {"message_id": message}, c)

    async def versions(self, c: str, message: str) -> Versions:
        """What a message said before it was edited, where the product shows it."""
        return await self._ask(Versions, "message.versions", {"message_id": message}, c)

    async def members(
        self,
        c: str,
        *,
        prefix: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Members:
        return await self._ask(
            Members, "member.list", given(prefix=prefix, after=after, limit=limit), c
        )

    async def presence(self, c: str) -> dict[str, Any]:
        return await self.call("presence.get", {"conversation": c})

    async def subscribe(self, c: str) -> dict[str, Any]:
        """Get typing, receipts and presence of `c`, also after a reconnect."""
        return await self.call("conversation.subscribe", {}, c)

    async def unsubscribe(self, c: str) -> dict[str, Any]:
        return await self.call("conversation.unsubscribe", {}, c)

    async def typing(self, c: str, on: bool = True, *, thread: str | None = None) -> dict[str, Any]:
        """Repeat it while typing goes on: it ends by itself after some seconds."""
        return await self.call("typing.start" if on else "typing.stop", given(thread=thread), c)
