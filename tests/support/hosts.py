"""Hosts to ask: what they know in a dict, and the same behind a real HTTP server."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from typing import Any, cast

import trio
from fastapi import FastAPI, Request, Response

from palaver.engine.host import Account, Notice, Session, Subscription, Thing
from palaver.engine.host.claims import Claims
from palaver.engine.host.opening import open_host
from palaver.engine.host.ports import Ports
from palaver.engine.host.relations import Pair
from palaver.engine.metrics import Metrics
from palaver.engine.settings import Settings
from palaver.engine.testing import Follows, numbered_ids
from palaver.gateway.http_server import supervise
from palaver.protocol.people import Relation
from palaver.protocol.references import Reference

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Product:
    """Whom a port asks. Takes `delay_s` to answer, or raises if `broken`; `asked` is each
    question."""

    def __init__(self) -> None:
        self.asked: list[list[Any]] = []
        self.delay_s = 0.0
        self.broken = False

    async def hears(self, question: Sequence[Any]) -> None:
        self.asked.append(list(question))
        await self.thinks()

    async def thinks(self) -> None:
        await trio.sleep(self.delay_s)
        if self.broken:
            raise RuntimeError("no such table")


class Directory(Product):
    """`Users` who are what `accounts` says."""

    def __init__(self, *ids: str, **accounts: Account) -> None:
        super().__init__()
        self.accounts = {id: person(id) for id in ids} | accounts

    async def find(self, ids: Sequence[str]) -> dict[str, Account]:
        await self.hears(ids)
        return {id: self.accounts[id] for id in ids if id in self.accounts}

    async def search(self, user: str, text: str, limit: int) -> list[str]:
        await self.thinks()
        return [id for id, each in self.accounts.items() if text in each.fields["name"]][:limit]


class Friendships(Product):
    """`Relations` that are what `follows` says."""

    def __init__(self) -> None:
        super().__init__()
        self.follows = Follows()

    async def find(self, pairs: Sequence[Pair]) -> dict[Pair, Relation]:
        await self.hears(pairs)
        return await self.follows.find(pairs)


class SessionTable(Product):
    """A `SessionStore` of what `sessions` says."""

    def __init__(self, **sessions: Session) -> None:
        super().__init__()
        self.sessions = sessions

    async def find(self, session: str) -> Session | None:
        await self.hears([session])
        return self.sessions.get(session)

    async def find_all(self, ids: Sequence[str]) -> dict[str, Session]:
        await self.hears(ids)
        return {id: self.sessions[id] for id in ids if id in self.sessions}


class Bookings(Product):
    """`Contexts` as `things` has them, in which those are related who are in `related`;
    `asked_related` is each question for that."""

    def __init__(self, things: Mapping[Reference, Thing] | None = None, *related: Pair) -> None:
        super().__init__()
        self.things = dict(things or {})
        self.related_pairs = set(related)
        self.asked_related: list[list[Pair]] = []

    async def find(self, references: Sequence[Reference]) -> dict[Reference, Thing]:
        await self.hears(references)
        return {each: self.things[each] for each in references if each in self.things}

    async def related(self, pairs: Sequence[Pair]) -> list[Pair]:
        self.asked_related.append(list(pairs))
        await self.thinks()
        return [pair for pair in self.related_pairs if {*pair} in [{*each} for each in pairs]]


def shared(*parties: str) -> Thing:
    """A booking, say: of these alone."""
    return Thing(parties=frozenset(parties))


def person(id: str, **more: Any) -> Account:
    fields = {"name": id.title(), "avatar": f"https://example.org/{id}.png", "role": "tutor"}
    return Account({**fields, "email": f"{id}@example.org", **more})


class Groups(Product):
    """`Membership` as `roles` has it, of each group by user."""

    def __init__(self, **roles: dict[str, str]) -> None:
        super().__init__()
        self.roles = roles

    async def find(self, pairs: Sequence[Pair]) -> dict[Pair, str]:
        known = {(group, user): r for group, us in self.roles.items() for user, r in us.items()}
        await self.hears(pairs)  # it may have changed meanwhile
        return {pair: known[pair] for pair in pairs if pair in known}


class Subscribers(Product):
    """`Premium` whose users are `subscriptions`."""

    def __init__(self, *users: str, **subscriptions: Subscription) -> None:
        super().__init__()
        self.subscriptions = dict.fromkeys(users, Subscription()) | subscriptions

    async def find(self, users: Sequence[str]) -> dict[str, Subscription]:
        await self.hears(users)
        return {user: self.subscriptions[user] for user in users if user in self.subscriptions}


GONE = Account({"name": "Gone"}, active=False)


class Pusher:
    """`Delivery` to somebody who pushes: what they were `told`, and what they were to be told while
    they were `broken`."""

    def __init__(self, *, broken: bool = False, delay_s: float = 0.01) -> None:
        self.told: list[Notice] = []
        self.tries: list[Notice] = []
        self.broken = broken
        self.delay_s = delay_s

    async def deliver(self, notice: Notice) -> None:
        await trio.sleep(self.delay_s)
        if self.broken:
            self.tries.append(notice)
            raise RuntimeError("no such device")
        self.told.append(notice)

    @property
    def users(self) -> list[str]:
        return [notice.user for notice in self.told]


Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""To a question by HTTP. RuntimeError is a 500."""
ID = "webhook-id"
"""Added to what is asked: under it the host was asked."""


@asynccontextmanager
async def web(answers: Mapping[str, Answer]) -> AsyncIterator[str]:
    """The address of a host that gives these `answers`, each under its path, over HTTP, if it is
    asked under `SECRET`."""
    api = FastAPI()

    @api.post("/palaver/{path:path}")
    async def answer(path: str, request: Request) -> Any:
        body = await request.body()
        id, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, f"{id}.{at}.{body.decode()}".encode(), hashlib.sha256).digest()
        assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
        try:
            return await answers[path]({**await request.json(), ID: id})
        except RuntimeError:
            return Response(status_code=500)

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(supervise, api, listeners)
        try:
            yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/palaver/"
        finally:
            nursery.cancel_scope.cancel()
            for listener in listeners:
                listener.socket.close()


@asynccontextmanager
async def opened(
    name: str,
    adapter: str,
    product: Any,
    answers: Mapping[str, Answer],
    *,
    claims: Claims | None = None,
    policy: Mapping[str, Any] | None = None,
    **host: Any,
) -> AsyncIterator[Any]:
    """The port `name` before `product`, which is asked by `adapter`: "python", "http" (where it
    gives these `answers`), "claims", or as `host` says."""
    given = {name: product} if adapter == "python" else {}
    async with AsyncExitStack() as stack:
        if adapter == "http":
            url = await stack.enter_async_context(web(answers))
            host = {name: "callback", "url": url, "secret": SECRET} | host
        elif adapter == "claims":
            host[name] = "claims"
        settings = Settings.model_validate({"host": host, "policy": policy or {}})
        there = await stack.enter_async_context(
            open_host(
                settings, claims or Claims(1000), Metrics(), numbered_ids(), cast(Ports, given)
            )
        )
        yield getattr(there, name)


def by_http(users: Directory) -> dict[str, Answer]:
    """How a host answers for its users."""

    async def find(asked: dict[str, Any]) -> dict[str, Any]:
        found = await users.find(asked["ids"])
        return {"users": {id: {"active": a.active, **a.fields} for id, a in found.items()}}

    async def search(asked: dict[str, Any]) -> dict[str, Any]:
        return {"found": await users.search(asked["user"], asked["text"], asked["limit"])}

    return {"users": find, "users/search": search}


def relations_by_http(relations: Friendships) -> dict[str, Answer]:
    async def find(asked: dict[str, Any]) -> dict[str, Any]:
        pairs = [(user, other) for user, other in asked["pairs"]]
        found = await relations.find(pairs)
        told = [{"follows": each.follows, "followed": each.followed} for each in found.values()]
        return {"relations": told}

    return {"relations": find}


def sessions_by_http(table: SessionTable) -> dict[str, Answer]:
    async def find(asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "sessions": {id: asdict(s) for id, s in (await table.find_all(asked["ids"])).items()}
        }

    return {"sessions": find}


def pushes_by_http(pusher: Pusher) -> dict[str, Answer]:
    async def deliver(told: dict[str, Any]) -> dict[str, Any]:
        await pusher.deliver(Notice(id=told.pop(ID), **told))
        return {}

    return {"delivery": deliver}


def listed(things: Mapping[Reference, Thing]) -> list[dict[str, Any]]:
    """As a host says it, over HTTP or in a token."""
    return [
        {
            "type": type,
            "id": id,
            "parties": None if thing.parties is None else sorted(thing.parties),
            "owner": thing.owner,
        }
        for (type, id), thing in things.items()
    ]


def bookings_by_http(bookings: Bookings) -> dict[str, Answer]:
    """How a host answers for its bookings."""

    async def find(asked: dict[str, Any]) -> dict[str, Any]:
        references = [(each["type"], each["id"]) for each in asked["contexts"]]
        return {"contexts": listed(await bookings.find(references))}

    async def related(asked: dict[str, Any]) -> dict[str, Any]:
        pairs = [(one, other) for one, other in asked["pairs"]]
        return {"related": await bookings.related(pairs)}

    return {"contexts": find, "contexts/related": related}


def groups_by_http(membership: Groups) -> dict[str, Answer]:
    """How a host answers for its groups."""

    async def find(asked: dict[str, Any]) -> dict[str, Any]:
        groups: dict[str, list[str]] = asked["groups"]
        found = await membership.find(
            [(id, user) for id, users in groups.items() for user in users]
        )
        answer: dict[str, dict[str, str]] = {}
        for (group, user), role in found.items():
            answer.setdefault(group, {})[user] = role
        return {"groups": answer}

    return {"membership": find}


def premium_by_http(premium: Subscribers) -> dict[str, Answer]:
    """How a host answers for its subscribers."""

    async def find(asked: dict[str, Any]) -> dict[str, Any]:
        found = await premium.find(asked["users"])
        return {"premium": {user: asdict(each) for user, each in found.items()}}

    return {"premium": find}
