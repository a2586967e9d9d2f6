"""Messages for later: what may be scheduled."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.protocol.errors import Rejected
from palaver.protocol.features.schedule import (
    CancelScheduled,
    MessageScheduled,
    ScheduleCancelled,
    ScheduleMessage,
    TryMessage,
)
from palaver.protocol.ids import is_uuid, scheduled_id
from palaver.protocol.personal import Personal, Place, UserContext, UserEventData
from palaver.protocol.policy import Policy
from palaver.tests.support.machine import START, Chat

ROOM = "c0000000-0000-5000-8000-000000000000"


def schedule(in_s: float, id: str = "k", **policy: Any) -> list[UserEventData]:
    context = UserContext("ann", START, Policy(**policy), Place(ROOM, 1, 0))
    send_at = START + round(in_s * 1000)
    command = ScheduleMessage(id=id, send_at=send_at, message={"text": "later"})
    return list(command.decide(Personal(), context))


def test_MSG_23_what_is_scheduled_says_all_of_it():
    assert schedule(60) == [
        MessageScheduled("k", scheduled_id("ann", "k"), ROOM, START + 60_000, {"text": "later"})
    ]
    context = UserContext("ann", START, Policy())
    (cancelled,) = CancelScheduled(id="k").decide(Personal(), context)
    assert cancelled == ScheduleCancelled("k", scheduled_id("ann", "k"))
    assert cancelled.subject == schedule(60)[0].subject


def test_MSG_23_each_user_s_ids_are_their_own():
    ids = {scheduled_id(user, id) for user in ("ann", "bob") for id in ("1", "2")}
    assert len(ids) == 4
    assert all(is_uuid(id) for id in ids)


@pytest.mark.parametrize("in_s", [-1, 0, 100.001])
def test_MSG_23_only_for_a_time_to_come_and_not_too_far(in_s: float):
    with pytest.raises(Rejected) as no:
        schedule(in_s, max_schedule_s=100)
    assert (no.value.code, no.value.details) == ("VALIDATION_FAILED", {"field": "send_at"})


def test_MSG_23_the_time_may_be_as_far_ahead_as_the_product_says():
    assert schedule(100, max_schedule_s=100)
    with pytest.raises(Rejected) as no:
        schedule(1, max_schedule_s=0)
    assert no.value.code == "FEATURE_DISABLED"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({}, "message.text"),
        ({"text": 5}, "message.text"),
        ({"text": "x", "colour": "red"}, "message.colour"),
        ({"text": "x", "to": "bob"}, "message.to"),
        ({"text": "x", "client_id": "k"}, "message.client_id"),
        ({"text": "x", "attempt": 2}, "message.attempt"),
    ],
)
def test_MSG_23_what_could_be_no_message_is_refused_at_once(message: dict[str, Any], field: str):
    command = ScheduleMessage(id="k", send_at=START + 1, message=message)
    with pytest.raises(Rejected) as no:
        _ = command.trial
    assert no.value.details is not None
    assert (no.value.code, no.value.details["field"]) == ("VALIDATION_FAILED", field)


def test_MSG_23_to_try_a_message_changes_nothing():
    chat = Chat.group("ann", "bob")
    hello = chat.send("bob", "hello")
    done = chat.do("ann", TryMessage(text="later", reply_to=hello.id, mentions=["bob"]))
    assert (done.effects, done.result) == ([], {})
    assert chat.refuses("ann", TryMessage(text="")).code == "VALIDATION_FAILED"
    assert chat.refuses("eve", TryMessage(text="later")).code == "PERMISSION_DENIED"
