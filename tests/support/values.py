"""Strategies for what may travel: values, frames, events."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal, Union

from hypothesis import strategies as st

from palaver.protocol.events import Event, Payload
from palaver.protocol.features import EVENTS

CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


def texts(max_size: int = 20) -> st.SearchStrategy[str]:
    return st.text(CHARACTERS, max_size=max_size)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts(),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts(), inner, max_size=5),
    max_leaves=20,
)
MAPS = st.dictionaries(texts(), VALUES, max_size=5)

IDS = st.uuids().map(str)
USERS = st.sampled_from(["ann", "bob", "cid", "Đặng 李", "u" * 128])

ITEMS = st.fixed_dictionaries(
    {"t": st.text(CHARACTERS, min_size=1, max_size=64)},
    optional={
        "id": st.integers(-(2**63), 2**63 - 1) | texts(64),
        "c": IDS,
        "seq": st.integers(0, 2**63 - 1),
        "ts": st.integers(0, 2**63 - 1),
        "v": st.integers(0, 100),
        "d": MAPS,
        "something new": VALUES,
    },
)
FRAMES = ITEMS | st.lists(ITEMS, max_size=5)


def of_type(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of a field of an event, which is flat by rule: what JSON knows, and no models."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(of_type, arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(of_type(arguments[0]), max_size=5)
    if origin is dict:
        return st.dictionaries(texts(), of_type(arguments[1]), max_size=5)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        Any: VALUES,
        None: st.none(),
        type(None): st.none(),
        str: texts(200),
        int: st.integers(0, 2**63 - 1),
        bool: st.booleans(),
    }
    return plain[annotation]


def datas(kind: type[Payload]) -> st.SearchStrategy[Any]:
    """Any `kind`, which has only fields that `of_type` knows."""
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: of_type(hints[name]) for name in kind.field_names()})


def events() -> st.SearchStrategy[Event]:
    """Any event of any kind, of no particular history."""
    data = st.one_of(*map(datas, EVENTS.values()))
    return data.flatmap(
        lambda data: st.builds(
            Event,
            conversation=IDS,
            seq=st.integers(1, 2**63 - 1),
            id=IDS,
            data=st.just(data),
            sender=st.none() | USERS,
            at=st.integers(0, 2**53),
            client_id=st.none() | st.text(CHARACTERS, min_size=1, max_size=64),
            number=st.integers(1, 2**53) if data.countable else st.none(),
        )
    )
