"""docs/python-reference.md: what a product calls in Python, from the docstrings.

`make python-reference` writes it; a test says if it is not current.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from palaver.actors.guards import Guard
from palaver.actors.guards.masking import Mask
from palaver.actors.reactors import Reactor
from palaver.engine import Engine, host
from palaver.engine.events import Subscription as Following
from palaver.engine.told import Told
from palaver.engine.user import Sent, User
from palaver.gateway import serve
from palaver.gateway.client import Client, DiskOutbox, Outbox
from palaver.hosting import AsyncioEngine, BlockingEngine

PAGE: Final = Path(__file__).parents[2] / "docs/python-reference.md"

HEAD: Final = """\
# Python reference

<!-- Made by `make python-reference` from the docstrings; not to be edited. -->

What a product calls, with what is promised of it; how it goes together: [embedding](embedding.md).
What is asked by object, command by command, and answered: the [protocol](protocol.md). `async` is
what is awaited.
"""

FOR_GATEWAYS: Final = frozenset(
    {"admit", "attach", "conversation_of", "detach", "drained", "listening", "submit", "visit"}
)
"""Of the engine: what listeners do with it."""
FOR_CLIENTS: Final = frozenset({"claim", "close", "drop", "keep", "open"})
"""Of an outbox: what its client does with it."""

_MARKS: Final = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}


def page() -> str:
    return "\n".join([HEAD, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    yield "## The engine\n"
    yield from _class(Engine, Engine, Told, without=FOR_GATEWAYS)
    yield from _class(User, User, made=False)
    yield from _class(Sent)
    yield from _class(Following, made=False, name="Subscription of events")
    yield f"### serve\n\n{_entry(serve, 'serve')}\n"
    yield "## The client\n"
    yield from _class(Client, *Client.__mro__[:-1])
    yield from _class(Outbox, Outbox, without=FOR_CLIENTS)
    yield from _class(DiskOutbox)
    yield "## In hosts without trio\n"
    for hosting in (AsyncioEngine, BlockingEngine):
        yield from _class(hosting, *hosting.__mro__[:-1])
    yield "## What is asked on the way of a command and after it\n"
    for kind in (Guard, Mask, Reactor):
        yield from _class(kind, kind, made=False)
    yield "## What the host is asked and told\n"
    for name in host.__all__:
        kind = getattr(host, name)
        yield from _class(kind, kind, made=not getattr(kind, "_is_protocol", False))


def _class(
    kind: type,
    *parts: type,
    made: bool = True,
    name: str = "",
    without: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """`kind` with the methods of `parts`; how it is `made`, if that is the reader's to do."""
    yield f"### {name or kind.__name__}\n"
    if made:
        yield f"`{kind.__name__}{_signature(kind)}`\n"
    if about := _text(kind):
        yield f"{about}\n"
    told: set[str] = set(without)
    for part in parts:
        for name, member in vars(part).items():
            if name.startswith("_") or name in told:
                continue
            told.add(name)
            if isinstance(member, property):
                yield f"* `{name}`: {_text(member.fget)}"
            elif inspect.isfunction(member):
                yield _entry(member, name)
    if parts:
        yield ""


def _entry(function: Callable[..., Any], name: str) -> str:
    inner = inspect.unwrap(function)
    waits = "async " if inspect.iscoroutinefunction(inner) else ""
    shown = f"* `{waits}{name}{_signature(inner)}`"
    text = _text(function).replace("\n", "\n    ").replace("    \n", "\n")
    return f"{shown}: {text}" if text else shown


def _text(thing: Any) -> str:
    return re.sub(r"\n{2,}", "\n\n", inspect.cleandoc(thing.__doc__ or "")).strip()


def _signature(thing: Callable[..., Any]) -> str:
    """Without what is private, as one would write it down."""
    try:
        signature = inspect.signature(thing)
    except ValueError:
        return ""
    told: list[str] = []
    star = False
    for each in signature.parameters.values():
        if each.name in ("self", "task_status") or each.name.startswith("_"):
            continue
        if each.kind is each.KEYWORD_ONLY and not star:
            star = True
            told.append("*")
        mark = _MARKS.get(each.kind.name, "")
        star = star or mark == "*"
        annotation = f": {each.annotation}" if isinstance(each.annotation, str) else ""
        default = "" if each.default is each.empty else f" = {_default(each.default)}"
        told.append(f"{mark}{each.name}{annotation}{default}")
    answer = signature.return_annotation
    gives = f" -> {answer}" if isinstance(answer, str) and answer != "None" else ""
    return f"({', '.join(told)}){gives}"


def _default(value: Any) -> str:
    text = repr(value)
    return "…" if text.startswith("<") or len(text) > 20 else text


if __name__ == "__main__":
    PAGE.write_text(page())
