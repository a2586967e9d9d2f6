"""Ids, and those that follow from what they name (CONV-03)."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from palaver.protocol.ids import (
    ClientId,
    ConversationId,
    MessageId,
    UserId,
    direct_conversation_id,
    direct_key,
    group_conversation_id,
    is_uuid,
)

NAMES = st.text("ab1:é", min_size=1, max_size=6)


@given(st.uuids())
def test_the_canonical_form_is_a_uuid(id):
    assert is_uuid(str(id))
    assert TypeAdapter(MessageId).validate_python(str(id)) == str(id)
    assert TypeAdapter(ConversationId).validate_python(str(id)) == str(id)


ID = "0193b0e4-7f2a-7abc-8def-0123456789ab"


@pytest.mark.parametrize(
    "text",
    [
        *("", ID[:-1], ID + "0", ID.upper(), ID.replace("-", ""), ID + "\n", " " + ID),
        *(f"{{{ID}}}", "urn:uuid:" + ID, ID.replace("0", "\u0660"), ID.replace("a", "g")),
    ],
)
def test_every_other_form_is_none(text: str):
    assert not is_uuid(text)
    for kind in (MessageId, ConversationId):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(text)


@pytest.mark.parametrize("user", ["a", "u" * 128, "42", "Đặng 李", "a@b.example", "a:b/c", "0"])
def test_user_ids_are_the_host_s_business(user: str):
    assert TypeAdapter(UserId).validate_python(user) == user


@pytest.mark.parametrize("user", ["", "u" * 129, " a", "a ", "a\tb", "a\0", "\u200b", "a\ud800", 1])
def test_what_no_user_is_called(user: object):
    with pytest.raises(ValidationError):
        TypeAdapter(UserId).validate_python(user)


@pytest.mark.parametrize("length", [0, 65])
def test_client_ids_have_1_to_64_characters(length: int):
    TypeAdapter(ClientId).validate_python("é" * 64)
    with pytest.raises(ValidationError):
        TypeAdapter(ClientId).validate_python("x" * length)


@given(NAMES, NAMES, NAMES)
def test_CONV_03_a_direct_conversation_has_one_id_whoever_begins(profile, one, other):
    id = direct_conversation_id(profile, one, other)
    assert id == direct_conversation_id(profile, other, one)
    assert is_uuid(id)


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=2, max_size=2))
def test_CONV_03_different_pairs_have_different_ids(pairs):
    (profile, *pair), (other_profile, *other_pair) = pairs
    same = profile == other_profile and sorted(pair) == sorted(other_pair)
    ids = direct_conversation_id(profile, *pair), direct_conversation_id(other_profile, *other_pair)
    assert (ids[0] == ids[1]) == same
    assert (direct_key(*pair) == direct_key(*other_pair)) == (sorted(pair) == sorted(other_pair))


CONTEXTS = st.dictionaries(st.sampled_from(["booking", "b", "listing"]), NAMES, max_size=2)


@given(st.tuples(NAMES, NAMES, CONTEXTS), st.tuples(NAMES, NAMES, CONTEXTS))
def test_CONV_03_C_13_a_pair_has_one_for_each_context(one, other):
    (*pair, context), (*other_pair, other_context) = one, other
    same = sorted(pair) == sorted(other_pair) and context == other_context
    keys = direct_key(*pair, context=context), direct_key(*other_pair, context=other_context)
    assert (keys[0] == keys[1]) == same
    id = direct_conversation_id("p", *pair, context=context)
    assert id == direct_conversation_id("p", *reversed(pair), context=context)
    assert (id == direct_conversation_id("p", *other_pair, context=other_context)) == same


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=2, max_size=2))
def test_a_group_is_one_per_profile_creator_and_client_id(groups):
    one, other = groups
    assert (group_conversation_id(*one) == group_conversation_id(*other)) == (one == other)


def test_ids_of_direct_conversations_and_groups_are_apart():
    for one, other in permutations(("1:a", "a", "direct", "group"), 2):
        assert direct_conversation_id("p", one, other) != group_conversation_id("p", one, other)


def test_derived_ids_never_change():
    """They stand in databases: a new rule would split every conversation in two."""
    assert direct_conversation_id("default", "bob", "ann") == "15d14d4a-6450-542d-8ef2-d1b66042e6e7"
    booked = direct_conversation_id("default", "bob", "ann", context={"booking": "100"})
    assert booked == "a11185da-7b12-567f-8d0f-39b5156e39bb"
    assert group_conversation_id("default", "ann", "k1") == "de1db119-87b4-5b2b-9630-df8af8cc8726"
