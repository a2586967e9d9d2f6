"""The whole conversation machine against a model written from the requirements.

Four users do whatever comes to mind. `Model` says what must come of it, with lists and sets, and
counts anew each time; `Reader` is a client that knows nothing but the pushes. After every step all
of them agree, and so does every way in which the state can be made again from what is stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgpack
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from palaver.protocol.codec import CODECS
from palaver.protocol.commands import ConversationCommand
from palaver.protocol.errors import Rejected
from palaver.protocol.events import Event
from palaver.protocol.features import EVENTS
from palaver.protocol.features.conversation import RenameConversation
from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.group_settings import ChangeSettings
from palaver.protocol.features.lock import LockConversation, UnlockConversation, is_locked
from palaver.protocol.features.marks import Acknowledge, ReadMessages
from palaver.protocol.features.members import (
    AddMembers,
    ChangeRole,
    LeaveConversation,
    RemoveMember,
)
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.pins import PinMessage, UnpinMessage
from palaver.protocol.features.reactions import SetReaction
from palaver.protocol.features.system import PostMessage
from palaver.protocol.ids import HOST
from palaver.protocol.state import ConversationState
from palaver.tests.support.machine import CONVERSATION, NOWHERE, Chat, Done

PEOPLE = ["ann", "bob", "cid", "dee"]
RANKS = ["member", "moderator", "admin", "owner"]
MAX_CHARS, EDIT_WINDOW_S, DELETE_WINDOW_S, MAX_PINS = 10, 900, 3600, 2
MAX_REACTIONS, MAX_REACTORS = 2, 2

people = st.sampled_from(PEOPLE)
whos = st.integers(0, 20)
"""Mostly one of the members, now and then anybody: see `Conversing.user`."""
picks = st.integers(0, 15)
"""Mostly one of the latest messages, now and then none: see `Conversing.pick`."""
texts = st.sampled_from(["a", "b", "c", "d", "e", "f", "", " ", "x" * MAX_CHARS, "x" * 11])
emoji = st.sampled_from(["👍", "❤️", "❤", "🔥", "x"])
mostly = st.sampled_from([True, True, True, False])


@dataclass
class Said:
    """One message, as people would remember it. `by` is None for the host's."""

    id: str
    seq: int
    by: str | None
    at: int
    text: str
    version: int = 1
    deleted: bool = False
    thread: str | None = None
    reactions: set[tuple[str, str]] = field(default_factory=set)
    """(emoji, user)"""


@dataclass
class Model:
    """What the requirements say, in the plainest way. Each method takes a command at its word and
    returns the code of the refusal, or None after having taken it into account."""

    max_members: int
    highest: str = "admin"
    seq: int = 1
    now: int = 0
    title: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    locked_until: float = 0
    said: list[Said] = field(default_factory=list)
    pins: set[str] = field(default_factory=set)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """(user, id)"""
    roles: dict[str, str] = field(default_factory=dict)
    times: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    reads: dict[str, list[int]] = field(default_factory=dict)
    receipts: dict[str, list[int]] = field(default_factory=dict)

    # Looking.

    def message(self, user: str, id: str) -> Said | None:
        if (user, id) in self.hidden:
            return None
        for said in self.said:
            if said.id == id and any(
                first <= said.seq and (last is None or said.seq <= last)
                for first, last in self.times.get(user, [])
            ):
                return said
        return None

    def replies(self, root: Said) -> int:
        """CONV-20: how many hang under `root`, and are still there."""
        return sum(said.thread == root.id and not said.deleted for said in self.said)

    def read_up_to(self, user: str) -> int:
        return max(self.reads[user])

    def delivered_up_to(self, user: str) -> int:
        return max(self.receipts[user])

    def unread(self, user: str) -> int:
        """RCPT-07: of others, after the mark, still there, by people."""
        return sum(
            said.by not in (user, None) and not said.deleted
            for said in self.said
            if said.seq > self.read_up_to(user) and (user, said.id) not in self.hidden
        )

    def highest_ones(self) -> list[str]:
        return [user for user, role in self.roles.items() if role == self.highest]

    def ranks(self, user: str, least: str) -> bool:
        return user in self.roles and RANKS.index(self.roles[user]) >= RANKS.index(least)

    def over(self, user: str, role: str) -> bool:
        """GRP-11: whether `user` gives and takes `role`."""
        own = self.roles[user]
        return own == self.highest or RANKS.index(own) > RANKS.index(role)

    def least(self, setting: str, usual: str) -> str:
        return {"everyone": "member", "admins": "admin"}.get(self.settings.get(setting, ""), usual)

    def frozen(self, user: str) -> str | None:
        """CONV-21: what a member gets to hear who wants to write."""
        locked = user in self.roles and self.now < self.locked_until
        return "CONVERSATION_LOCKED" if locked else None

    # Doing.

    def join(self, user: str, role: str) -> None:
        self.roles[user] = role
        self.times.setdefault(user, []).append((self.seq, None))
        self.reads[user] = [self.seq]
        self.receipts[user] = [self.seq]

    def part(self, user: str) -> None:
        del self.roles[user]
        first, _ = self.times[user].pop()
        self.times[user].append((first, self.seq))

    def check_text(self, text: str) -> str | None:
        if len(text) > MAX_CHARS:
            return "MESSAGE_TOO_LONG"
        return None if text.strip() else "VALIDATION_FAILED"

    def sends(
        self, user: str, text: str, reply_to: str | None, thread: str | None = None
    ) -> str | None:
        if not self.ranks(user, self.least("who_may_send", "member")):
            return "PERMISSION_DENIED"
        if problem := self.check_text(text):
            return problem
        if reply_to is not None:
            quoted = self.message(user, reply_to)
            if quoted is None or quoted.deleted:
                return "MESSAGE_NOT_FOUND"
        if thread is not None:
            root = self.message(user, thread)
            if root is None or root.deleted:
                return "MESSAGE_NOT_FOUND"
            if root.thread is not None:
                return "VALIDATION_FAILED"
            self.seq += 1
        self.seq += 1
        self.said.append(Said("", self.seq, user, self.now, text, thread=thread))
        self.reads[user].append(self.seq)
        self.receipts[user].append(self.seq)
        return None

    def posts(self, text: str) -> str | None:
        if problem := self.check_text(text):
            return problem
        self.seq += 1
        self.said.append(Said("", self.seq, None, self.now, text))
        return None

    def edits(self, user: str, id: str, text: str, version: int | None) -> str | None:
        if not self.ranks(user, self.least("who_may_send", "member")):
            return "PERMISSION_DENIED"
        said = self.message(user, id)
        if said is None or said.deleted:
            return "MESSAGE_NOT_FOUND"
        if said.by != user:
            return "PERMISSION_DENIED"
        if problem := self.check_text(text):
            return problem
        if self.now - said.at > EDIT_WINDOW_S * 1000:
            return "EDIT_WINDOW_EXPIRED"
        if version not in (None, said.version):
            return "VERSION_CONFLICT"
        if text != said.text:
            self.seq += 1
            said.text = text
            said.version += 1
        return None

    def deletes(self, user: str, id: str) -> str | None:
        if user not in self.roles:
            return "PERMISSION_DENIED"
        said = self.message(user, id)
        if said is None:
            return "MESSAGE_NOT_FOUND"
        is_admin = self.ranks(user, "admin")
        if said.by is None or (said.by != user and not is_admin):
            return "PERMISSION_DENIED"
        if said.deleted:
            return None
        if self.now - said.at > DELETE_WINDOW_S * 1000 and not is_admin:
            return "DELETE_WINDOW_EXPIRED"
        self.seq += 1 if said.thread is None else 2
        said.deleted = True
        return None

    def pinned(self, user: str, id: str) -> str | None:
        if not self.ranks(user, "moderator"):
            return "PERMISSION_DENIED"
        said = self.message(user, id)
        if said is None or said.deleted:
            return "MESSAGE_NOT_FOUND"
        if id not in self.pins:
            if len(self.pins) == MAX_PINS:
                return "VALIDATION_FAILED"
            self.seq += 1
            self.pins.add(id)
        return None

    def unpinned(self, user: str, id: str) -> str | None:
        if not self.ranks(user, "moderator"):
            return "PERMISSION_DENIED"
        if id in self.pins:
            self.seq += 1
            self.pins.remove(id)
            return None
        return None if self.message(user, id) is not None else "MESSAGE_NOT_FOUND"

    def reacts(self, user: str, id: str, emoji: str, on: bool) -> str | None:
        if user not in self.roles:
            return "PERMISSION_DENIED"
        said = self.message(user, id)
        if said is None or said.deleted:
            return "MESSAGE_NOT_FOUND"
        emoji = "❤️" if emoji == "❤" else emoji
        if on == ((emoji, user) in said.reactions):
            return None
        if not on:
            self.seq += 1
            said.reactions.remove((emoji, user))
            return None
        there = [each for each, _ in said.reactions]
        full = emoji not in there and len(set(there)) == MAX_REACTIONS
        if emoji == "x" or full or there.count(emoji) == MAX_REACTORS:
            return "VALIDATION_FAILED"
        self.seq += 1
        said.reactions.add((emoji, user))
        return None

    def adds(self, user: str, others: list[str]) -> str | None:
        if not self.ranks(user, self.least("who_may_add", "admin")):
            return "PERMISSION_DENIED"
        new = set(others) - self.roles.keys()
        if new and len(self.roles) + len(new) > self.max_members:
            return "GROUP_FULL"
        self.seq += bool(new)
        for other in new:
            self.join(other, "member")
        return None

    def removes(self, user: str, other: str) -> str | None:
        if not self.ranks(user, "admin"):
            return "PERMISSION_DENIED"
        if other == user:
            return "VALIDATION_FAILED"
        if other not in self.roles:
            return "USER_NOT_FOUND"
        if not self.over(user, self.roles[other]):
            return "PERMISSION_DENIED"
        self.seq += 1
        self.part(other)
        return None

    def leaves(self, user: str, confirm: bool) -> str | None:
        if user not in self.roles:
            return "PERMISSION_DENIED"
        others = [other for other in self.roles if other != user]
        if self.highest_ones() == [user] and others:
            if not confirm:
                return "LAST_ADMIN"
            self.seq += 1
            best = max(RANKS.index(self.roles[other]) for other in others)
            next_ones = [other for other in others if self.roles[other] == RANKS[best]]
            heir = min(next_ones, key=lambda other: (self.times[other][-1][0], other))
            self.roles[heir] = self.highest
        self.seq += 1
        self.part(user)
        return None

    def promotes(self, user: str, other: str, role: str) -> str | None:
        if not self.ranks(user, "admin"):
            return "PERMISSION_DENIED"
        if self.highest == "admin" and role in ("moderator", "owner"):
            return "VALIDATION_FAILED"
        if other not in self.roles:
            return "USER_NOT_FOUND"
        if self.roles[other] != role:
            if other != user and not self.over(user, self.roles[other]):
                return "PERMISSION_DENIED"
            if not self.over(user, role):
                return "PERMISSION_DENIED"
            if self.highest_ones() == [other]:
                return "LAST_ADMIN"
            self.seq += 1
            self.roles[other] = role
        return None

    def renames(self, user: str, title: str) -> str | None:
        if not self.ranks(user, "admin"):
            return "PERMISSION_DENIED"
        self.seq += title != self.title
        self.title = title
        return None

    def sets(self, user: str, new: dict[str, str]) -> str | None:
        if not self.ranks(user, "admin"):
            return "PERMISSION_DENIED"
        after = {name: value for name, value in {**self.settings, **new}.items() if value}
        self.seq += after != self.settings
        self.settings = after
        return None

    def locks(self, user: str, until: int | None) -> str | None:
        if not self.ranks(user, "admin"):
            return "PERMISSION_DENIED"
        if until is not None and until <= self.now:
            return "VALIDATION_FAILED"
        end = float("inf") if until is None else until
        self.seq += end != self.locked_until
        self.locked_until = end
        return None

    def unlocks(self, user: str) -> str | None:
        if not self.ranks(user, "admin"):
            return "PERMISSION_DENIED"
        self.seq += self.now < self.locked_until
        self.locked_until = 0
        return None

    def reads_to(self, user: str, seq: int | None) -> str | None:
        if user not in self.roles:
            return "PERMISSION_DENIED"
        self.reads[user].append(self.seq if seq is None else min(seq, self.seq))
        self.receipts[user].append(self.read_up_to(user))
        return None

    def reads_ids(self, user: str, ids: list[str]) -> str | None:
        if user not in self.roles:
            return "PERMISSION_DENIED"
        found = [said for said in (self.message(user, id) for id in ids) if said is not None]
        seqs = [said.seq for said in found if said.by != user]
        if seqs:
            self.reads[user] += seqs
            self.receipts[user] += seqs
            return None
        return "PERMISSION_DENIED" if found else "MESSAGE_NOT_FOUND"

    def acks(self, user: str, seq: int) -> str | None:
        if user not in self.roles:
            return "PERMISSION_DENIED"
        self.receipts[user].append(min(seq, self.seq))
        return None


class Reader:
    """A client of everybody's pushes: what docs/protocol.md says is all that it goes by."""

    user = "ann"

    def __init__(self) -> None:
        self.seq = 0
        self.title: str | None = None
        self.roles: dict[str, str] = {}
        self.settings: dict[str, str] = {}
        self.lock: dict[str, int | None] = {}
        self.pins: dict[str, int] = {}
        self.pages: dict[str, dict[str, Any]] = {}
        self.texts: dict[str, str] = {}

    def take(self, item: dict[str, Any]) -> None:
        """Setting things rather than toggling them, so that twice is as good as once."""
        data, at = item["d"], item["ts"]
        self.seq = max(self.seq, item["seq"])
        page = self.pages.get(data.get("message_id", ""), {})
        match item["t"]:
            case "conversation.created":
                self.roles, self.title = dict(data["roles"]), data.get("title")
            case "conversation.renamed":
                self.title = data["title"]
            case "conversation.settings_changed":
                new = {name: value for name, value in data.items() if name not in ("id", "by")}
                settings = {**self.settings, **new}
                self.settings = {name: value for name, value in settings.items() if value}
            case "conversation.locked":
                self.lock = {"until": data.get("until")}
            case "conversation.unlocked":
                self.lock = {}
            case "member.added":
                self.roles.update(dict.fromkeys(data["users"], data["role"]))
            case "member.removed":
                self.roles.pop(data["user"], None)
            case "member.role_changed":
                self.roles[data["user"]] = data["role"]
            case "message.sent" | "message.posted":
                # The keys of the item that a page has, too, and the payload but for its client id.
                more = {key: value for key, value in data.items() if key != "client_id"}
                page = {"seq": item["seq"], "ts": at, "kind": item["t"], **more}
                self.pages.setdefault(data["id"], page)
            case "message.edited" if "redacted" not in page:
                page.update(text=data["text"], version=data["version"], edited_at=at)
            case "thread.replied":
                last = {"seq": item["seq"] + 1, "by": data["by"], "ts": at}
                page["thread"] = {"count": data["count"], "last": last}
            case "thread.recounted":
                page["thread"] = {**page["thread"], "count": data["count"]}
            case "message.deleted":
                kept = {"id", "seq", "ts", "kind", "by", "number", "thread"}
                for key in page.keys() - kept:
                    del page[key]
                page.update(deleted_at=at, redacted=True)
            case "message.pinned":
                self.pins[data["message_id"]] = data["message_seq"]
                if "redacted" not in page:
                    page["pinned"] = True
            case "message.unpinned":
                self.pins.pop(data["message_id"], None)
                page.pop("pinned", None)
            case "reaction.changed" if "redacted" not in page:
                counts, own = page.pop("reactions", {}), {*page.pop("reacted", ())}
                counts[data["emoji"]] = data["count"]
                if data["by"] == self.user:
                    (own.add if data["on"] else own.discard)(data["emoji"])
                if counts := {emoji: count for emoji, count in counts.items() if count}:
                    page["reactions"] = counts
                    page["reacted"] = [emoji for emoji in counts if emoji in own]
            case "void":
                self.pages.pop(data["of"], None)

    def history(self) -> list[dict[str, Any]]:
        """Previews follow what the client knows of the quoted message."""
        return [self._shown(page) for page in self.pages.values()]

    def _shown(self, page: dict[str, Any]) -> dict[str, Any]:
        if "reply_to" not in page:
            return page
        quoted = self.pages[page["reply_to"]["id"]]
        if "redacted" in quoted:
            return {**page, "preview": {"unavailable": True}}
        return {**page, "preview": {"by": quoted.get("by"), "text": quoted["text"][:140]}}


def is_alone(log: list[Event]) -> bool:
    """Whether the last event is a message, and all that its command led to."""
    return log[-1].data.is_message and "thread" not in log[-1].data.fields()


class Conversing(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.chat = Chat()
        self.model = Model(0)
        self.once, self.twice = Reader(), Reader()
        self.snapshots: list[Any] = []
        self.marks_seen: dict[str, tuple[int, int, int]] = {}
        self.pushed = 0

    @initialize(max_members=st.integers(2, 4), four=st.booleans())
    def begins(self, max_members: int, four: bool) -> None:
        self.chat = Chat.group(
            "ann",
            "bob",
            max_members=max_members,
            roles=RANKS if four else ["member", "admin"],
            max_chars=MAX_CHARS,
            max_pins=MAX_PINS,
            max_reactions=MAX_REACTIONS,
            max_reactors=MAX_REACTORS,
            threads=True,
            edit_window_s=EDIT_WINDOW_S,
            delete_window_s=DELETE_WINDOW_S,
        )
        highest = "owner" if four else "admin"
        self.model = Model(max_members, highest, now=self.chat.now)
        self.model.join("ann", highest)
        self.model.join("bob", "member")

    def does(self, user: str, command: ConversationCommand, expected: str | None) -> Done | None:
        """Carry out `command`; `expected` is what the model made of it."""
        done, code = None, None
        try:
            done = self.chat.do(user, command)
        except Rejected as no:
            code = no.code
        assert code == expected, f"{user}: {command!r}"
        for event in done.events if done is not None else ():
            if event.data.is_message:
                self.model.said[-1].id = event.id
        return done

    def user(self, who: int) -> str:
        members = list(self.model.roles)
        return PEOPLE[who % 4] if who > 17 else members[who % len(members)]

    def pick(self, which: int) -> str:
        said = self.model.said
        return said[-1 - which % min(len(said), 5)].id if which and said else NOWHERE

    def author(self, id: str) -> str:
        return next((said.by for said in self.model.said if said.id == id), None) or "ann"

    def root(self, id: str) -> str:
        """What the message hangs under, or itself."""
        return next((said.thread or id for said in self.model.said if said.id == id), id)

    # What people do.

    @rule(who=whos, text=texts, reply_to=st.none() | picks, metadata=st.booleans())
    def sends(self, who: int, text: str, reply_to: int | None, metadata: bool) -> None:
        user, to = self.user(who), None if reply_to is None else self.pick(reply_to)
        data = {"k": [1, None, {"ü": 0.5}]} if metadata else None
        command = SendMessage(text=text, reply_to=to, metadata=data)
        self.does(user, command, self.model.frozen(user) or self.model.sends(user, text, to))

    @rule(who=whos, which=picks, at_root=mostly)
    def replies(self, who: int, which: int, at_root: bool) -> None:
        user, root = self.user(who), self.pick(which)
        root = self.root(root) if at_root else root
        expected = self.model.frozen(user) or self.model.sends(user, "re", None, root)
        self.does(user, SendMessage(text="re", thread=root), expected)

    @rule(who=whos)
    def says_something(self, who: int) -> None:
        user = self.user(who)
        self.does(
            user,
            SendMessage(text="hi"),
            self.model.frozen(user) or self.model.sends(user, "hi", None),
        )

    @rule(text=texts)
    def the_host_posts(self, text: str) -> None:
        self.does(HOST, PostMessage(text=text), self.model.posts(text))

    @rule(who=whos, own=mostly, which=picks, text=texts, version=st.none() | st.integers(1, 2))
    def edits(self, who: int, own: bool, which: int, text: str, version: int | None) -> None:
        id = self.pick(which)
        user = self.author(id) if own else self.user(who)
        command = EditMessage(message_id=id, text=text, version=version)
        self.does(
            user, command, self.model.frozen(user) or self.model.edits(user, id, text, version)
        )

    @rule(who=whos, own=st.booleans(), which=picks)
    def deletes(self, who: int, own: bool, which: int) -> None:
        id = self.pick(which)
        user = self.author(id) if own else self.user(who)
        self.does(
            user,
            DeleteMessage(message_id=id),
            self.model.frozen(user) or self.model.deletes(user, id),
        )

    @rule(who=whos, own=st.booleans(), which=picks)
    def hides(self, who: int, own: bool, which: int) -> None:
        """MSG-09, of a reply rather its root: the session decides, and only if they may see it."""
        id = self.pick(which)
        user = self.author(id) if own else self.user(who)
        id = self.root(id)
        if user in self.model.roles and self.model.message(user, id) is not None:
            self.chat.hide(user, self.chat.messages[id])
            self.model.hidden.add((user, id))

    @rule(who=whos, which=picks)
    def pins(self, who: int, which: int) -> None:
        user, id = self.user(who), self.pick(which)
        self.does(
            user, PinMessage(message_id=id), self.model.frozen(user) or self.model.pinned(user, id)
        )

    @rule(who=whos, which=picks)
    def unpins(self, who: int, which: int) -> None:
        user, id = self.user(who), self.pick(which)
        self.does(
            user,
            UnpinMessage(message_id=id),
            self.model.frozen(user) or self.model.unpinned(user, id),
        )

    @rule(who=whos, which=picks, emoji=emoji, on=mostly)
    def reacts(self, who: int, which: int, emoji: str, on: bool) -> None:
        user, id = self.user(who), self.pick(which)
        command = SetReaction(message_id=id, emoji=emoji, on=on)
        self.does(user, command, self.model.frozen(user) or self.model.reacts(user, id, emoji, on))

    @rule(who=whos, others=st.lists(people, min_size=1, max_size=3))
    def adds(self, who: int, others: list[str]) -> None:
        user = self.user(who)
        self.does(
            user, AddMembers(users=others), self.model.frozen(user) or self.model.adds(user, others)
        )

    @rule(who=whos, other=people)
    def removes(self, who: int, other: str) -> None:
        user = self.user(who)
        self.does(
            user,
            RemoveMember(user=other),
            self.model.frozen(user) or self.model.removes(user, other),
        )

    @precondition(lambda self: len(self.model.roles) > 1)
    @rule(who=whos, confirm=mostly)
    def leaves(self, who: int, confirm: bool) -> None:
        user = self.user(who)
        self.does(user, LeaveConversation(confirm=confirm), self.model.leaves(user, confirm))

    @rule(who=whos, other=people, role=st.sampled_from(["admin", "member", *RANKS]))
    def promotes(self, who: int, other: str, role: Any) -> None:
        user = self.user(who)
        command = ChangeRole(user=other, role=role)
        self.does(user, command, self.model.frozen(user) or self.model.promotes(user, other, role))

    @rule(who=whos, title=st.sampled_from(["Trip", "Plan"]))
    def renames(self, who: int, title: str) -> None:
        user = self.user(who)
        self.does(
            user,
            RenameConversation(title=title),
            self.model.frozen(user) or self.model.renames(user, title),
        )

    @rule(
        who=whos,
        new=st.fixed_dictionaries(
            {},
            optional={
                "description": st.sampled_from(["", "d", "e"]),
                "icon": st.sampled_from(["", "i"]),
                "who_may_send": st.sampled_from(["everyone", "everyone", "admins"]),
                "who_may_add": st.sampled_from(["everyone", "admins"]),
            },
        ),
    )
    def sets(self, who: int, new: dict[str, str]) -> None:
        user, command = self.user(who), ChangeSettings.model_validate(new)
        self.does(user, command, self.model.frozen(user) or self.model.sets(user, new))

    @rule(who=whos, for_s=st.sampled_from([None, 0, 1]), rarely=st.integers(0, 4))
    def locks(self, who: int, for_s: int | None, rarely: int) -> None:
        if rarely == 0:
            user, until = self.user(who), None if for_s is None else self.model.now + for_s * 1000
            self.does(user, LockConversation(until=until), self.model.locks(user, until))

    @precondition(lambda self: self.model.locked_until)
    @rule(who=whos)
    def unlocks(self, who: int) -> None:
        user = self.user(who)
        self.does(user, UnlockConversation(), self.model.unlocks(user))

    @rule(who=whos, back=st.none() | st.integers(-3, 10))
    def reads(self, who: int, back: int | None) -> None:
        user, seq = self.user(who), None if back is None else max(1, self.model.seq - back)
        done = self.does(user, ReadMessages(seq=seq), self.model.reads_to(user, seq))
        self.check_read(user, done)

    @rule(who=whos, which=st.lists(picks, min_size=1, max_size=3))
    def reads_some(self, who: int, which: list[int]) -> None:
        user, ids = self.user(who), [self.pick(each) for each in which]
        done = self.does(user, ReadMessages(message_ids=ids), self.model.reads_ids(user, ids))
        self.check_read(user, done)

    def check_read(self, user: str, done: Done | None) -> None:
        if done is not None:
            assert done.result["seq"] == self.model.read_up_to(user)
            assert done.result["unread"] == self.model.unread(user)

    @rule(who=whos, back=st.integers(-3, 10))
    def acks(self, who: int, back: int) -> None:
        user, seq = self.user(who), max(1, self.model.seq - back)
        self.does(user, Acknowledge(seq=seq), self.model.acks(user, seq))

    # What happens to them.

    @rule(seconds=st.sampled_from([1, EDIT_WINDOW_S, DELETE_WINDOW_S]))
    def time_passes(self, seconds: int) -> None:
        self.chat.wait(seconds)
        self.model.now = self.chat.now

    @precondition(lambda self: is_alone(self.chat.log))
    @rule()
    def the_database_refuses_the_last_message(self) -> None:
        self.chat.void_last()
        self.model.said.pop()
        # A snapshot of what was never stored would not have been stored either.
        self.snapshots = [each for each in self.snapshots if each[0] < self.model.seq]

    @rule(json_=st.booleans())
    def a_snapshot_is_stored(self, json_: bool) -> None:
        snapshot = self.chat.state.snapshot()
        stored = json.dumps(snapshot, sort_keys=True) if json_ else msgpack.packb(snapshot)
        self.snapshots.append((self.chat.state.seq, stored))

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data())
    def the_engine_restarts(self, data: st.DataObject) -> None:
        """From a snapshot, not always the latest, and what is stored since."""
        _, stored = data.draw(st.sampled_from(self.snapshots))
        snapshot = json.loads(stored) if isinstance(stored, str) else msgpack.unpackb(stored)
        again = self.chat.reopened(snapshot)
        assert again == self.chat.state
        self.chat.state = again

    # What holds after every step.

    @invariant()
    def the_log_has_no_gaps(self) -> None:
        log = self.chat.log
        assert [event.seq for event in log] == list(range(1, len(log) + 1))
        numbers = [event.number for event in log if event.number is not None]
        assert numbers == list(range(1, len(numbers) + 1))
        assert self.chat.state.seq == len(log) == self.model.seq
        assert self.chat.state.number == len(numbers)
        assert [event.at for event in log] == sorted(event.at for event in log)

    @invariant()
    def RCPT_07_unread_is_what_counting_says(self) -> None:
        for user in self.model.roles:
            assert self.chat.state.unread(user) == self.model.unread(user), user

    @invariant()
    def the_members_are_the_model_s(self) -> None:
        state = self.chat.state
        roles = {user: m.role for user, m in state.members.items() if m.role is not None}
        assert roles == self.model.roles
        assert state.member_count == len(roles) <= self.model.max_members
        times = {user: [tuple(i) for i in m.intervals] for user, m in state.members.items()}
        assert times == self.model.times
        assert not roles or self.model.highest_ones(), "a group keeps one of the highest role"

    @invariant()
    def the_rest_is_the_model_s(self) -> None:
        state, model = self.chat.state, self.model
        assert state.title == model.title
        assert state.slices.get("settings", {}) == model.settings
        assert is_locked(state, self.chat.now) == (self.chat.now < model.locked_until)
        assert set(state.slices.get("pins", {})) == model.pins
        if model.said:
            last = model.said[-1]
            assert state.last is not None
            shown = None if last.deleted else last.text
            assert (state.last["id"], state.last["text"]) == (last.id, shown)
            assert state.last.get("by") == last.by
        else:
            assert state.last is None

    @invariant()
    def MSG_16_reactions_are_what_counting_says(self) -> None:
        for said in self.model.said:
            emoji = [] if said.deleted else [each for each, _ in said.reactions]
            wire = self.chat.wire(self.chat.messages[said.id])
            assert wire.get("reactions", {}) == {each: emoji.count(each) for each in emoji}

    @invariant()
    def CONV_20_replies_are_what_counting_says(self) -> None:
        for said in self.model.said:
            if said.thread is None:
                thread = self.chat.wire(self.chat.messages[said.id]).get("thread", {})
                assert thread.get("count", 0) == self.model.replies(said)

    @invariant()
    def marks_are_where_they_should_be_and_never_go_back(self) -> None:
        for user in self.model.roles:
            member = self.chat.state.members[user]
            assert member.read_seq == self.model.read_up_to(user)
            assert member.delivered_seq == self.model.delivered_up_to(user)
            now = (member.read_seq, member.delivered_seq, member.read_number)
            before = self.marks_seen.get(user, now)
            assert all(new >= old for new, old in zip(now, before, strict=True))
            self.marks_seen[user] = now

    @invariant()
    def HIST_13_the_log_gives_the_same_state(self) -> None:
        assert self.chat.reopened() == self.chat.state

    @invariant()
    def HIST_13_so_does_every_snapshot(self) -> None:
        snapshot = self.chat.state.snapshot()
        for travelled in (
            json.loads(json.dumps(snapshot, sort_keys=True)),
            msgpack.unpackb(msgpack.packb(snapshot)),
        ):
            restored = ConversationState.restore(CONVERSATION, travelled)
            restored.hidden = self.chat.state.hidden  # which is kept elsewhere
            assert restored == self.chat.state

    @invariant()
    def a_client_that_sees_only_pushes_knows_the_same(self) -> None:
        chat = self.chat
        for item in chat.pushes[self.pushed :]:
            for kind in CODECS:
                codec = kind()
                assert codec.decode(codec.encode(item)) == item
            travelled = msgpack.unpackb(msgpack.packb(item))
            self.once.take(travelled)
            for _ in range(2):
                self.twice.take(msgpack.unpackb(msgpack.packb(item)))
        self.pushed = len(chat.pushes)
        for reader in (self.once, self.twice):
            assert reader.history() == chat.history(reader.user)
            assert reader.roles == self.model.roles
            assert reader.pins == chat.state.slices.get("pins", {})
            assert reader.settings == self.model.settings
            assert reader.lock == chat.state.slices.get("lock", {})
            assert (reader.title, reader.seq) == (self.model.title, chat.state.seq)

    @invariant()
    def a_client_that_catches_up_later_knows_the_same(self) -> None:
        """What is read from the log comes redacted; all of it makes the same in the end."""
        late = Reader()
        for event in self.chat.stored():
            late.take(event.item())
        assert late.history() == self.chat.history(late.user)
        assert late.roles == self.model.roles

    @invariant()
    def every_event_comes_back_from_what_was_said(self) -> None:
        envelope = {"id", "by", "client_id", "number", "preview"}
        for event in self.chat.log[-2:]:
            data = event.item()["d"]
            fields = {key: value for key, value in data.items() if key not in envelope}
            assert EVENTS[event.kind](**fields) == event.data


Conversing.TestCase.settings = settings(
    max_examples=2 * settings().max_examples, stateful_step_count=40
)
TestConversing = Conversing.TestCase
