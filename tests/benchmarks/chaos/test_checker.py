"""Every rule of the checker catches what it is for, and lets pass what is legal."""

import ast
import sys
from pathlib import Path

import pytest

from palaver.benchmarks.chaos import checker
from palaver.tests.support.chaos_story import (
    ANN,
    BOB,
    CREATED,
    C,
    Epochs,
    MarkRow,
    Overlay,
    Story,
    deleted,
    edited,
    item,
    message,
    redacted,
    void,
)


def test_the_checker_imports_nothing_of_the_engine():
    for path in Path(checker.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1, f"{path.name}: {node.module} is outside the checker"
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] in sys.stdlib_module_names
            elif isinstance(node, ast.Import):
                assert all(name.name in sys.stdlib_module_names for name in node.names)


def story(*rows, **database):
    """Everything of these rows was seen live by both."""
    return Story(CREATED, *rows, **database).both(CREATED, *rows)


# What is legal.


def test_an_ordinary_conversation_is_clean():
    rows = [message(2), message(3, "bob"), edited(4, 2), deleted(5, 3, "bob")]
    overlays = [Overlay(C, 2, "text 4", False), Overlay(C, 3, None, True)]
    marks = [MarkRow(C, "bob", "read", 2, 1), MarkRow(C, "bob", "read", 3, 2)]
    told = story(*rows, overlays=overlays, marks=marks, epochs={C: Epochs(1)})
    told.does(ANN, rows[0]).does(BOB, rows[1]).does(ANN, rows[2]).does(BOB, rows[3])
    told.ask(BOB, "do", "message.read", {"seq": 3, "unread": 0})
    told.ask(ANN, "last", "conversation.get", {"epoch": 1, "seq": 5, "unread": 0})
    told.ask(BOB, "last", "conversation.get", {"epoch": 1, "seq": 5, "unread": 0})
    assert told.rules() == set()


def test_what_was_missed_comes_by_resume_and_redacted():
    told = Story(CREATED, message(2), deleted(3, 2), overlays=[Overlay(C, 2, None, True)])
    told.got(ANN, item(CREATED), item(message(2)), item(deleted(3, 2)))
    told.got(BOB, item(CREATED), item(deleted(3, 2)))  # a gap: dropped
    told.got(BOB, redacted(message(2)), item(deleted(3, 2))).resumed(BOB, 3)
    assert told.rules() == set()


@pytest.mark.parametrize("durability", ["write_behind", "relaxed"])
def test_what_was_seen_and_not_answered_may_die_with_the_engine(durability):
    """And its seq goes to something else; who saw it is told that it diverged."""
    lost, instead = message(2), message(2, "bob", id="other", client_id="other", text="other")
    told = Story(CREATED, instead, durability=durability, epochs={C: Epochs(2, (1,))})
    told.got(BOB, item(CREATED)).got(ANN, item(CREATED), item(lost)).resumed(ANN, 2).crash()
    told.open(ANN, 2).open(BOB, 2).diverged(ANN, 1).loaded(ANN, 1)
    assert told.both(instead).rules() == set()


def test_a_void_takes_an_event_back():
    told = Story(CREATED, void(2, "m2"), message(3))
    told.got(ANN, item(CREATED), item(message(2)), item(void(2, "m2")), item(message(3)))
    told.got(BOB, item(CREATED), item(void(2, "m2")), item(message(3)))
    assert told.rules() == set()


def test_an_answer_that_says_later_promises_nothing():
    told = story()
    id = told.asked(ANN, "do", "message.send", {"text": "text 2", "client_id": "k2"})
    told.refused(ANN, id, "UNAVAILABLE", retryable=True)
    assert told.rules() == {"unanswered"}
    told.rows.append(message(2))
    told.both(message(2))
    told.asked(ANN, "do", "message.send", {"text": "text 2", "client_id": "k2"}, id=id)
    assert told.answered(ANN, id, {"c": C, "seq": 2, "id": "m2"}).rules() == set()


def test_a_page_newer_than_the_position_does_no_harm():
    changed = {"id": "m2", "seq": 2, "kind": "message.sent", "text": "text 4", "version": 3}
    rows = [message(2), edited(3, 2), edited(4, 2, 3)]
    told = Story(CREATED, *rows, overlays=[Overlay(C, 2, "text 4", False)])
    told.got(ANN, item(CREATED), *map(item, rows))
    told.loaded(BOB, 2, 1, [changed]).got(BOB, item(rows[1]), item(rows[2]))
    assert told.rules() == set()


def test_a_change_of_what_was_deleted_meanwhile_may_be_refused():
    told = story(message(2), deleted(3, 2), overlays=[Overlay(C, 2, None, True)])
    id = told.asked(ANN, "do", "message.edit", {"message_id": "m2", "client_id": "k"})
    assert told.refused(ANN, id, "MESSAGE_NOT_FOUND").rules() == set()


# What is not.


def test_nothing_replied_to_is_missing():
    told = Story(CREATED).both(CREATED).does(ANN, message(2))
    assert told.rules() == {"missing"}


@pytest.mark.parametrize(
    "there",
    [message(2, id="other"), message(2, "bob"), message(2, client_id="k"), message(2, text="else")],
    ids=["another event", "another sender", "another client id", "another text"],
)
def test_what_is_there_is_what_was_replied_to(there):
    assert story(there).does(ANN, message(2)).rules() == {"missing"}


def test_a_reply_to_what_became_a_void_is_broken():
    told = Story(CREATED, void(2, "m2"))
    told.both(CREATED, message(2), void(2, "m2")).does(ANN, message(2))
    assert told.rules() == {"missing"}


def test_an_edit_replied_to_is_an_edit_of_that_message():
    rows = [message(2), message(3), edited(4, 3)]
    told = story(*rows, overlays=[Overlay(C, 3, "text 4", False)])
    assert told.does(ANN, edited(4, 2)).rules() == {"missing"}


@pytest.mark.parametrize("same", ["id", "client_id", "text"])
def test_nothing_appears_twice(same):
    again = message(3, **{same: getattr(message(2), same)})
    assert story(message(2), again).rules() >= {"twice"}


def test_a_repeat_gets_the_first_answer():
    told = story(message(2), message(3)).does(ANN, message(2))
    told.does(ANN, message(2), {"c": C, "seq": 3, "id": "m3"})
    assert "one answer" in told.rules()


def test_the_log_has_no_gap():
    assert story(message(2), message(4)).rules() >= {"order"}


def test_numbers_rise():
    assert story(message(2), message(3, number=1)).rules() == {"order"}


def test_recovered_means_whole():
    told = Story(CREATED, message(2), message(3))
    told.got(ANN, *map(item, told.rows)).got(BOB, item(CREATED), item(message(3))).resumed(BOB, 3)
    told.got(BOB, item(message(2)), item(message(3)))
    assert told.rules() == {"order"}


def test_everybody_ends_at_the_head():
    told = Story(CREATED, message(2)).got(ANN, item(CREATED), item(message(2)))
    assert told.got(BOB, item(CREATED)).rules() == {"order"}


def test_what_was_seen_live_does_not_change():
    told = Story(CREATED, message(2)).both(CREATED, message(2))
    told.got(BOB, item(message(2, text="something else")))
    assert told.rules() == {"altered"}


def test_a_repeated_seq_is_seen_though_the_device_drops_it():
    told = story(message(2), message(3))
    assert told.got(BOB, item(message(3), id="another")).rules() == {"altered"}


def test_only_what_is_deleted_may_be_redacted():
    told = Story(CREATED, message(2)).both(CREATED).got(ANN, item(message(2)))
    assert told.got(BOB, redacted(message(2))).rules() == {"altered", "changes"}


def test_under_commit_nothing_that_was_seen_is_lost():
    told = Story(CREATED, durability="commit", epochs={C: Epochs(2, (1,))})
    told.got(BOB, item(CREATED)).got(ANN, item(CREATED), item(message(2))).crash()
    told.open(ANN, 2).diverged(ANN, 1).loaded(ANN, 1)
    assert told.rules() == {"altered", "commit"}


def test_what_is_lost_is_told_by_an_epoch():
    told = Story(CREATED, epochs={C: Epochs(1)}).both(CREATED)
    told.got(ANN, item(message(2))).loaded(ANN, 1, 1)
    assert told.rules() == {"altered"}


def test_what_was_seen_in_the_new_epoch_is_not_lost_by_the_old_one():
    told = Story(CREATED, epochs={C: Epochs(2, (1,))}).both(CREATED).crash().open(ANN, 2)
    told.resumed(ANN, 1, 2).got(ANN, item(message(2))).loaded(ANN, 1)
    assert told.rules() == {"altered"}


def test_what_one_may_keep_is_right():
    told = Story(CREATED, message(2), message(3), epochs={C: Epochs(2, (1,))})
    told.got(BOB, *map(item, told.rows)).got(ANN, item(CREATED), item(message(2, text="lost")))
    told.crash().open(ANN, 2).diverged(ANN, 2).loaded(ANN, 3)
    assert told.rules() == {"altered"}


def test_nobody_is_told_to_reload_without_a_reason():
    told = story(message(2)).diverged(BOB, 0, reason="unknown").loaded(BOB, 2, 1)
    assert told.rules() == {"order"}


def test_a_device_holds_no_message_that_is_nowhere():
    ghost = {"id": "ghost", "seq": 2, "kind": "message.sent", "text": "boo"}
    told = Story(CREATED, message(2)).got(ANN, item(CREATED), item(message(2)))
    assert told.loaded(BOB, 2, 1, [ghost]).rules() == {"altered"}


@pytest.mark.parametrize("change", [edited(3, 2), deleted(3, 2)], ids=["edit", "deletion"])
def test_changes_arrive(change):
    """A page shows the message as it was, though the position lies behind the change."""
    overlay = Overlay(C, 2, change.text, change.text is None)
    told = Story(CREATED, message(2), change, overlays=[overlay])
    told.got(ANN, *map(item, told.rows))
    page = [{"id": "m2", "seq": 2, "kind": "message.sent", "text": "text 2"}]
    assert told.loaded(BOB, 3, 1, page).rules() == {"changes"}


@pytest.mark.parametrize("change", [edited(3, 2), deleted(3, 2)], ids=["edit", "deletion"])
def test_history_is_served_from_what_the_log_says(change):
    assert story(message(2), change).rules() == {"changes"}


@pytest.mark.parametrize("kind", ["message.read", "message.delivered"])
def test_marks_never_go_back_live(kind):
    signals = [{"t": kind, "c": C, "d": {"by": "bob", "seq": seq}} for seq in (3, 2)]
    assert story(message(2), message(3)).got(ANN, *signals).rules() == {"marks"}


def test_marks_never_go_back_where_they_are_stored():
    marks = [MarkRow(C, "bob", "read", 3, 1), MarkRow(C, "bob", "read", 2, 2)]
    assert story(message(2), message(3), marks=marks).rules() == {"marks"}


def test_a_mark_that_was_answered_stays():
    told = story(message(2), message(3), marks=[MarkRow(C, "bob", "read", 2, 1)])
    told.ask(BOB, "do", "message.read", {"seq": 3, "unread": 0})
    assert told.rules() == {"marks"}


def test_a_later_answer_does_not_take_a_mark_back():
    told = story(message(2), message(3), marks=[MarkRow(C, "bob", "read", 3, 1)])
    told.ask(BOB, "do", "message.read", {"seq": 3, "unread": 0})
    told.ask(BOB, "do", "message.read", {"seq": 2, "unread": 1})
    assert told.rules() == {"marks"}


@pytest.mark.parametrize("unread", [0, 2])
def test_unread_is_a_recount(unread):
    told = story(message(2), message(3), marks=[MarkRow(C, "bob", "read", 2, 1)])
    told.ask(BOB, "last", "conversation.get", {"epoch": 1, "seq": 3, "unread": unread})
    assert told.rules() == {"unread"}


def test_the_inbox_counts_like_the_conversation():
    told = story(message(2))
    told.ask(BOB, "inbox", "conversation.list", {"conversations": [{"c": C, "unread": 0}]})
    assert told.rules() == {"unread"}


def test_nothing_is_refused_that_was_in_order():
    told = story()
    id = told.asked(ANN, "do", "message.send", {"text": "hi", "client_id": "k2"})
    assert told.refused(ANN, id, "PERSIST_FAILED").rules() == {"refused"}


# What relaxed may lose.


def relaxed(waits):
    told = Story(CREATED, durability="relaxed", epochs={C: Epochs(2, (1,))}).both(CREATED)
    told.got(ANN, item(message(2))).does(ANN, message(2))
    for _ in range(waits):
        told.note("close", BOB, "")
    return told


def test_relaxed_tells_what_it_lost():
    told = relaxed(0).crash().open(ANN, 2).diverged(ANN, 1).loaded(ANN, 1)
    assert told.rules() == set()
    loss = told.result().loss
    assert (loss.messages, loss.seconds) == (1, 1.0)


def test_relaxed_fails_above_the_published_bound():
    told = relaxed(3).crash().open(ANN, 2).diverged(ANN, 1).loaded(ANN, 1)
    assert told.rules() == {"loss"}


def test_an_outage_is_not_counted():
    told = relaxed(0).note("fault", -1, ["postgres", "stopped"])
    for _ in range(5):
        told.note("close", BOB, "")
    told.crash().open(ANN, 2).diverged(ANN, 1).loaded(ANN, 1)
    assert told.rules() == set()
    assert told.result().loss.seconds == 1.0


def test_relaxed_loses_nothing_without_a_crash():
    told = relaxed(0).loaded(ANN, 1)
    assert "missing" in told.rules()


def test_an_answer_may_arrive_after_the_crash():
    told = Story(CREATED, durability="relaxed", epochs={C: Epochs(2, (1,))}).both(CREATED)
    told.got(ANN, item(message(2))).crash().does(ANN, message(2))
    told.open(ANN, 2).diverged(ANN, 1).loaded(ANN, 1)
    assert told.rules() == set()
    assert (told.result().loss.messages, told.result().loss.seconds) == (1, 0.0)
