"""What is a user's own, decided purely: preferences, drafts, stars, hidden messages, settings."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from palaver.protocol.commands import UserCommand
from palaver.protocol.errors import Rejected
from palaver.protocol.features.drafts import DraftCleared, DraftSaved, SaveDraft
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.hides import HideMessage, MessageHidden
from palaver.protocol.features.marks import ReadMessages
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.preferences import Attend, HideConversation, SetPreference
from palaver.protocol.features.settings import SetSettings
from palaver.protocol.features.stars import MessageStarred, StarMessage
from palaver.protocol.message import Message
from palaver.protocol.personal import (
    FOREVER,
    Personal,
    Place,
    PreferenceChanged,
    SettingsChanged,
    UserContext,
    UserEventData,
)
from palaver.protocol.policy import Policy
from palaver.protocol.state import Ahead, Hidden
from palaver.tests.support.machine import CONVERSATION, START, Chat


class Own:
    """One user and what is theirs. `now` stands still."""

    def __init__(self, **policy: Any) -> None:
        self.personal = Personal()
        self.policy = Policy(**policy)
        self.now = START

    def do(self, command: UserCommand, message: Message | None = None) -> list[UserEventData]:
        place = Place(CONVERSATION, 7, 5, message)
        context = UserContext("ann", self.now, self.policy, place)
        events = list(command.decide(self.personal, context))
        for event in events:
            event.apply(self.personal)
            event.apply(self.personal)  # twice is as good as once
        return events

    @property
    def preference(self) -> PreferenceChanged:
        return self.personal.preference(CONVERSATION)

    def refuses(self, command: UserCommand, message: Message | None = None) -> str:
        with pytest.raises(Rejected) as no:
            self.do(command, message)
        return no.value.code


def test_CONV_11_what_is_not_given_stays():
    own = Own()
    own.do(SetPreference(pinned=True))
    own.now += 5
    own.do(SetPreference(muted=True, archived=True))
    (event,) = own.do(SetPreference(pinned=True, archived=False, unread=True))
    assert event == PreferenceChanged(
        conversation=CONVERSATION, muted_until=FOREVER, pinned_at=START, unread=True
    )
    assert own.do(SetPreference(pinned=True, muted=True)) == [], "all is so already"
    assert own.do(SetPreference(pinned=False, muted=False, unread=False)) == [
        PreferenceChanged(conversation=CONVERSATION)
    ]


def test_CONV_11_muting_ends_by_itself():
    own = Own()
    own.do(SetPreference(muted_until=START + 10))
    assert own.preference.muted(START + 9)
    assert own.preference.shown(START + 9) == {"muted_until": START + 10}
    assert not own.preference.muted(START + 10)
    assert own.preference.shown(START + 10) == {}
    with pytest.raises(ValidationError):
        SetPreference(muted=True, muted_until=5)


def test_C_42_pinning_may_be_switched_off():
    own = Own(conversation_pins=False)
    assert own.refuses(SetPreference(pinned=True)) == "FEATURE_DISABLED"
    own.do(SetPreference(archived=True))


def test_CONV_13_hiding_takes_pin_and_archive_along_and_leaves_muting():
    own = Own()
    own.do(SetPreference(pinned=True, archived=True, unread=True, muted=True))
    assert own.do(HideConversation()) == [
        PreferenceChanged(
            conversation=CONVERSATION, muted_until=FOREVER, hidden_seq=7, hidden_number=5
        )
    ]
    own.do(SetPreference(pinned=True))
    assert own.preference.hidden_seq == 7, "what is not given stays"


def test_CONV_14_and_MSG_28_end_when_the_user_turns_to_the_conversation():
    own = Own()
    own.do(SetPreference(unread=True))
    own.do(SaveDraft(text="hel"))
    assert own.personal.waiting == {CONVERSATION}
    assert own.do(Attend(sent=False)) == [PreferenceChanged(conversation=CONVERSATION)]
    assert own.personal.waiting == {CONVERSATION}, "reading is no sending"
    assert own.do(Attend(sent=True)) == [DraftCleared(conversation=CONVERSATION)]
    assert own.personal.waiting == set()
    assert own.do(Attend(sent=True)) == []


def test_MSG_28_a_draft_replaces_the_one_before():
    own = Own(max_chars=5)
    assert own.do(SaveDraft(text="")) == []
    (first,) = own.do(SaveDraft(text="hel"))
    (second,) = own.do(SaveDraft(text="hello"))
    assert second == DraftSaved(conversation=CONVERSATION, text="hello")
    (cleared,) = own.do(SaveDraft(text=""))
    assert first.subject == second.subject == cleared.subject
    assert own.refuses(SaveDraft(text="hello!")) == "MESSAGE_TOO_LONG"
    assert own.refuses(SaveDraft(text="\x00")) == "VALIDATION_FAILED"


def test_MSG_19_a_deleted_message_is_not_starred():
    own, chat = Own(), Chat.group("ann", "bob")
    message = chat.send("bob", "hello")
    (star,) = own.do(StarMessage(message_id=message.id), message)
    assert star == MessageStarred(
        conversation=CONVERSATION, message_id=message.id, message_seq=message.seq
    )
    chat.delete(message)
    assert own.refuses(StarMessage(message_id=message.id), message) == "MESSAGE_NOT_FOUND"


def test_MSG_09_anybody_s_message_at_any_time():
    own, chat = Own(delete_window_s=1), Chat.group("ann", "bob")
    message = chat.send("bob", "hello")
    own.now += 10**9
    (hidden,) = own.do(HideMessage(message_id=message.id), message)
    assert isinstance(hidden, MessageHidden)
    assert hidden.counted
    chat.delete(message)
    (hidden,) = own.do(HideMessage(message_id=message.id), message)
    assert isinstance(hidden, MessageHidden)
    assert not hidden.counted, "it counts no more already"


def test_C_05_without_deletion_for_oneself():
    own, chat = Own(delete_scopes=("everyone",)), Chat.group("ann", "bob")
    message = chat.send("bob", "hello")
    assert own.refuses(HideMessage(message_id=message.id), message) == "FEATURE_DISABLED"


def test_C_10_settings_are_for_users_only_where_the_product_says_so():
    own = Own()
    assert own.refuses(SetSettings(read_receipts=False)) == "FEATURE_DISABLED"
    assert own.refuses(SetSettings(presence="nobody")) == "FEATURE_DISABLED"
    own = Own(receipts_optout=True, presence_optout=True)
    own.do(SetSettings(read_receipts=False))
    own.do(SetSettings(presence="nobody"))
    assert own.personal.settings == SettingsChanged(read_receipts=False, presence="nobody")


# What it means in a conversation.


def test_MSG_09_a_hidden_message_is_not_there_and_counts_no_more():
    chat = Chat.group("ann", "bob")
    one, two = chat.send("ann", "one"), chat.send("ann", "two")
    chat.state.hidden["bob"] = Hidden(messages={one.seq: True})
    assert chat.unread("ann", "bob") == [0, 1]
    assert chat.refuses("bob", SendMessage(text="re", reply_to=one.id)).code == "MESSAGE_NOT_FOUND"
    chat.edit(one, "still there for ann")
    chat.delete(one)
    assert chat.unread("bob") == [1], "not taken off twice"
    chat.delete(two)
    assert chat.unread("bob") == [0]


def test_CONV_13_unread_begins_where_one_hid_it_or_read_further():
    chat = Chat.group("ann", "bob")
    old, *_ = [chat.send("ann", text) for text in "abc"]
    chat.state.hidden["bob"] = Hidden(seq=chat.state.seq, number=chat.state.number)
    assert chat.unread("bob") == [0]
    chat.delete(old)
    new, newer = chat.send("ann", "d"), chat.send("ann", "e")
    assert chat.unread("bob") == [2]
    chat.delete(new)
    assert chat.unread("bob") == [1]
    assert chat.refuses("bob", EditMessage(message_id=old.id, text="x")).code == "MESSAGE_NOT_FOUND"
    chat.read("bob", newer.seq)
    assert chat.unread("bob") == [0]


def test_RCPT_08_who_is_reticent_counts_and_tells_nobody():
    chat = Chat.group("ann", "bob")
    chat.send("ann", "hello")
    chat.state.reticent.add("bob")
    done = chat.do("bob", ReadMessages())
    assert (len(done.marks), done.signals) == (1, [])
    assert chat.unread("bob") == [0]
    chat.state.reticent.discard("bob")
    chat.send("ann", "again")
    assert len(chat.do("bob", ReadMessages()).signals) == 1


def test_RCPT_09_what_is_hidden_counts_no_more_after_a_mark_that_is_ahead_either():
    chat = Chat.group("ann", "bob")
    one, two, three = [chat.send("ann", text) for text in "abc"]
    chat.state.hidden["bob"] = Hidden(messages={one.seq: True, three.seq: True})
    assert chat.unread("bob") == [1]
    chat.state.ahead["bob", "read"] = Ahead(one.seq, 1, 0, at=5)
    assert chat.unread("bob") == [1]
    chat.state.ahead["bob", "read"] = Ahead(two.seq, 2, 0, at=5)
    assert chat.unread("bob") == [0]
    chat.state.hidden["bob"] = Hidden(seq=three.seq, number=3)
    chat.send("ann", "d")
    assert chat.unread("bob") == [1], "from where it was hidden"
