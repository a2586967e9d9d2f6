"""One contract for all adapters of the users port, and what each has of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from palaver.actors.host import Users
from palaver.engine import StartupError
from palaver.engine.host import Account
from palaver.engine.host.claims import Claims
from palaver.engine.host.opening import open_host
from palaver.engine.host.ports import Ports
from palaver.engine.metrics import Metrics
from palaver.engine.settings import Settings
from palaver.engine.testing import numbered_ids
from palaver.protocol.errors import Rejected
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import GONE, SECRET, Directory, by_http, person, web

every_adapter = pytest.mark.parametrize("adapter", ["python", "http", "claims"])
who_can_be_asked = pytest.mark.parametrize("adapter", ["python", "http"])


class Case:
    """A port with the host behind it. `change` makes a user something else and says so."""

    def __init__(self, port: Users, directory: Directory, claims: Claims) -> None:
        self.port = port
        self._directory = directory
        self._claims = claims
        for user, account in directory.accounts.items():
            claims.told(user, account.fields)

    def change(self, user: str, account: Account) -> None:
        self._directory.accounts[user] = account
        self.port.invalidate(user)
        self._claims.told(user, account.fields)

    async def shown(self, *users: str) -> dict[str, dict[str, Any]]:
        await self.port.learn(users)
        return self.port.shown(users)


@asynccontextmanager
async def opened(
    adapter: str, directory: Directory, fields: Sequence[str] = ("name",), **host: Any
) -> AsyncIterator[Case]:
    claims, given = Claims(1000), None
    if adapter == "http":
        async with (
            web(by_http(directory)) as url,
            _opened(claims, fields, None, users="callback", url=url, secret=SECRET, **host) as port,
        ):
            yield Case(port, directory, claims)
        return
    if adapter == "python":
        given = directory
    else:
        host["users"] = "claims"
    async with _opened(claims, fields, given, **host) as port:
        yield Case(port, directory, claims)


@asynccontextmanager
async def _opened(
    claims: Claims, fields: Sequence[str], given: Directory | None, **host: Any
) -> AsyncIterator[Users]:
    settings = Settings.model_validate({"host": host, "policy": {"user_fields": tuple(fields)}})
    ports: Ports = {} if given is None else {"users": given}
    async with open_host(settings, claims, Metrics(), numbered_ids(), ports) as there:
        assert there.users is not None
        yield there.users


@every_adapter
async def test_CONV_19_shown_are_exactly_the_fields_of_the_product(adapter: str):
    directory = Directory("ann")
    async with opened(adapter, directory, ("name", "email", "stars")) as case:
        said = {"name": "Ann", "email": "ann@example.org", "stars": None}
        assert await case.shown("ann") == {"ann": said}


@every_adapter
async def test_CONV_23_who_is_there_is_there(adapter: str):
    async with opened(adapter, Directory("ann", "bob")) as case:
        await case.port.require(["ann", "bob"])
        assert case.port.are_there(["ann", "bob"]), "without asking again"
        assert case.port.are_there([])


@every_adapter
async def test_what_may_not_travel_is_not_shown(adapter: str):
    odd = {"a": "x" * 5000, "b": "\x00", "c": {"d": 1}, "d": 2**70, "e": ["x"], "f": 5, "g": True}
    directory = Directory(ann=Account({**odd, "h": "Ünï"}))
    async with opened(adapter, directory, "abcdefgh") as case:
        shown = (await case.shown("ann"))["ann"]
        nothing = dict.fromkeys("abcde")
        assert shown == {**nothing, "f": 5, "g": True, "h": "Ünï"}


@every_adapter
async def test_CONV_19_who_has_changed_is_shown_anew(adapter: str):
    async with opened(adapter, Directory("ann", "bob")) as case:
        assert await case.shown("ann") == {"ann": {"name": "Ann"}}
        case.change("ann", person("ann", name="Anna"))
        assert await case.shown("ann", "bob") == {"ann": {"name": "Anna"}, "bob": {"name": "Bob"}}


@every_adapter
async def test_many_at_once(adapter: str):
    names = [f"user {n}" for n in range(250)]
    async with opened(adapter, Directory(*names)) as case:
        shown = await case.shown(*names)
        assert shown == {name: {"name": name.title()} for name in names}


@who_can_be_asked
async def test_CONV_23_who_is_unknown_or_inactive_is_not_found(adapter: str):
    async with opened(adapter, Directory("ann", old=GONE)) as case:
        for users, missing in ((["ann", "zed"], "zed"), (["old", "ann"], "old")):
            no = await refused(case.port.require(users))
            assert (no.code, no.details) == ("USER_NOT_FOUND", {"user": missing})
            assert not case.port.are_there(users)
        assert await case.shown("old", "zed") == {"old": {"name": "Gone"}}, "old has written things"
        case.change("old", person("old"))
        await case.port.require(["old"])


@who_can_be_asked
async def test_what_was_said_is_not_asked_again(adapter: str):
    directory = Directory("ann")
    async with opened(adapter, directory) as case:
        for _ in range(3):
            assert await case.shown("ann", "zed") == {"ann": {"name": "Ann"}}
        assert directory.asked == [["ann", "zed"]]


@who_can_be_asked
async def test_users_are_found_as_the_host_finds_them(adapter: str):
    directory = Directory("zoe", "anton", "anna", antje=GONE, antonia=person("antonia"))
    directory.accounts["antje"] = Account({"name": "Antje"}, active=False)
    async with opened(adapter, directory) as case:
        assert await case.port.search("zoe", "An", 10) == ["anton", "anna", "antonia"]
        assert await case.port.search("zoe", "An", 1) == ["anton"]


@who_can_be_asked
@pytest.mark.parametrize("when_away", ["refuse", "allow"])
async def test_CONV_23_while_the_host_is_away(adapter: str, when_away: str):
    directory = Directory("ann")
    async with opened(adapter, directory, when_away=when_away) as case:
        await case.port.require(["ann"])
        directory.broken = True
        await case.port.require(["ann"])
        if when_away == "allow":
            await case.port.require(["bob"])
        else:
            assert (await refused(case.port.require(["bob"]))).code == "UNAVAILABLE"
        assert (await refused(case.port.learn(["bob"]))).code == "UNAVAILABLE"


async def test_CONV_23_by_tokens_alone_everybody_may_be_there():
    async with opened("claims", Directory("ann")) as case:
        await case.port.require(["ann", "zed"])
        assert await case.shown("zed") == {"zed": {"name": None}}
        assert (await refused(case.port.search("ann", "z", 5))).code == "FEATURE_DISABLED"


async def test_claims_of_the_last_to_sign_in_are_kept_and_only_those_that_are_shown():
    claims = Claims(2)
    claims.told("early", {"name": "Early"})
    claims.want(["name"])
    for user in ("ann", "bob", "ann", "cid"):
        claims.told(user, {"name": user, "email": "secret"})
    assert [claims.of(user) for user in ("early", "bob")] == [{}, {}]
    assert [claims.of(user) for user in ("ann", "cid")] == [{"name": "ann"}, {"name": "cid"}]


async def test_found_are_ids_that_can_be_ids():
    class Odd(Directory):
        async def search(self, user: str, text: str, limit: int) -> list[str]:
            return ["ann", "\ud800", "", " bob", "ann", "x" * 129]

    async with opened("python", Odd("ann")) as case:
        assert await case.port.search("zoe", "a", 10) == ["ann"]


async def test_a_host_refuses_a_search_in_its_own_words():
    class Shy(Directory):
        async def search(self, user: str, text: str, limit: int) -> list[str]:
            raise Rejected("PERMISSION_DENIED")

    async with opened("python", Shy("ann")) as case:
        for _ in range(10):
            assert (await refused(case.port.search("zoe", "a", 10))).code == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ({}, "host.url and host.secret"),
        ({"url": "https://example.org"}, "host.url and host.secret"),
        ({"url": "ftp://example.org", "secret": SECRET}, "https://"),
        ({"url": "https://example.org", "secret": "sesame"}, "whsec_"),
        ({"url": "https://example.org", "secret": "whsec_c2hvcnQ="}, "24 to 64"),
        ({"url": "https://example.org", "secret": "whsec_!"}, "base64"),
    ],
)
async def test_settings_that_cannot_work_are_refused_in_words(host: dict[str, str], words: str):
    with pytest.raises(StartupError, match=words):
        async with _opened(Claims(1), (), None, users="callback", **host):
            pass
