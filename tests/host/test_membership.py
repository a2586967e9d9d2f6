"""One contract for all adapters of the membership port, and what each has of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from palaver.actors.host import Membership, Pair
from palaver.engine import StartupError
from palaver.engine.host.claims import Claims
from palaver.engine.host.opening import open_host
from palaver.engine.host.ports import Ports
from palaver.engine.metrics import Metrics
from palaver.engine.settings import Settings
from palaver.engine.testing import numbered_ids
from palaver.protocol.errors import Rejected
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import SECRET, Groups, groups_by_http, web

every_adapter = pytest.mark.parametrize("adapter", ["python", "http", "claims"])
who_can_be_asked = pytest.mark.parametrize("adapter", ["python", "http"])
ROLES = ("member", "moderator", "admin", "owner")


class Case:
    """A port with the host behind it."""

    def __init__(self, port: Membership, groups: Groups, claims: Claims) -> None:
        self.port = port
        self.groups = groups
        self._claims = claims

    def sign_in(self, *users: str) -> None:
        """With a token that says, of all groups, what they are there."""
        for user in users:
            roles = {id: us[user] for id, us in self.groups.roles.items() if user in us}
            self._claims.told(user, {"groups": roles})

    async def roles(self, group: str, *users: str) -> list[str | None]:
        """What they are, or UNKNOWN if the port has no word on them."""
        pairs = [(group, user) for user in users]
        await self.port.learn(pairs)
        assert self.port.are_known(pairs), "without asking again"
        return [self.port.role(pair, UNKNOWN) for pair in pairs]


UNKNOWN: Any = "unknown"


@asynccontextmanager
async def opened(adapter: str, groups: Groups, **host: Any) -> AsyncIterator[Case]:
    claims, given = Claims(1000), None
    if adapter == "http":
        async with web(groups_by_http(groups)) as url:
            host.update(membership="callback", url=url, secret=SECRET)
            async with _opened(claims, None, **host) as port:
                yield Case(port, groups, claims)
        return
    if adapter == "python":
        given = groups
    else:
        host["membership"] = "claims"
    async with _opened(claims, given, **host) as port:
        yield Case(port, groups, claims)


@asynccontextmanager
async def _opened(
    claims: Claims, given: Groups | None, /, **host: Any
) -> AsyncIterator[Membership]:
    settings = Settings.model_validate({"host": host, "policy": {"roles": ROLES}})
    ports: Ports = {} if given is None else {"membership": given}
    async with open_host(settings, claims, Metrics(), numbered_ids(), ports) as there:
        assert there.membership is not None
        yield there.membership


def clubs() -> Groups:
    return Groups(chess={"ann": "owner", "bob": "member"}, go={"bob": "moderator"})


@every_adapter
async def test_GRP_16_who_is_in_is_what_the_host_says(adapter: str):
    async with opened(adapter, clubs()) as case:
        case.sign_in("ann", "bob", "cid")
        assert await case.roles("chess", "ann", "bob", "cid") == ["owner", "member", None]
        assert await case.roles("go", "ann", "bob", "cid") == [None, "moderator", None]
        assert await case.roles("poker", "ann") == [None]
        assert await case.roles("chess") == []


@every_adapter
async def test_GRP_16_who_was_removed_is_out_once_the_host_has_said_so(adapter: str):
    async with opened(adapter, clubs()) as case:
        case.sign_in("ann", "bob")
        await case.roles("chess", "ann", "bob")
        await case.roles("go", "bob")
        del case.groups.roles["chess"]["bob"]
        case.port.invalidate("chess", ["bob"])
        assert await case.roles("chess", "ann", "bob") == ["owner", None]
        assert await case.roles("go", "bob") == ["moderator"], "elsewhere nothing has changed"


@every_adapter
async def test_GRP_16_who_was_added_is_in_with_the_next_word(adapter: str):
    async with opened(adapter, clubs()) as case:
        case.sign_in("cid")
        assert await case.roles("chess", "cid") == [None]
        case.groups.roles["chess"]["cid"] = "admin"
        if adapter == "claims":
            case.sign_in("cid")
        else:
            case.port.invalidate("chess", ["cid"])
        assert await case.roles("chess", "cid") == ["admin"]


@every_adapter
async def test_GRP_16_what_the_host_does_itself_outdates_what_it_said(adapter: str):
    async with opened(adapter, clubs()) as case:
        case.sign_in("ann", "bob")
        await case.roles("chess", "ann", "bob")
        case.groups.roles["chess"] = {"ann": "admin"}
        case.port.told(("chess", "ann"), "admin")
        case.port.told(("chess", "bob"), None)
        assert await case.roles("chess", "ann", "bob") == ["admin", None]
        assert await case.roles("go", "bob") == ["moderator"]


@every_adapter
async def test_GRP_16_many_at_once(adapter: str):
    names = [f"user {n}" for n in range(250)]
    groups = Groups(chess=dict.fromkeys(names[:200], "member"))
    async with opened(adapter, groups) as case:
        case.sign_in(*names)
        assert await case.roles("chess", *names) == ["member"] * 200 + [None] * 50


@who_can_be_asked
async def test_GRP_16_what_was_said_is_not_asked_again(adapter: str):
    async with opened(adapter, clubs()) as case:
        for _ in range(3):
            await case.roles("chess", "ann", "zed")
        assert case.groups.asked == [[("chess", "ann"), ("chess", "zed")]]


@who_can_be_asked
async def test_GRP_16_a_whole_group_is_asked_about_anew(adapter: str):
    async with opened(adapter, clubs()) as case:
        await case.roles("chess", "ann", "bob")
        await case.roles("go", "bob")
        case.groups.roles = {}
        case.port.invalidate("chess", ())
        assert await case.roles("chess", "ann", "bob") == [None, None]
        assert await case.roles("go", "bob") == ["moderator"], "as it said a moment ago"


@who_can_be_asked
async def test_GRP_16_while_the_host_is_away_its_last_word_is_at_hand(adapter: str):
    async with opened(adapter, clubs()) as case:
        await case.roles("chess", "bob", "zed")
        case.groups.broken = True
        assert await case.roles("chess", "bob", "zed") == ["member", None]
        assert (await refused(case.port.learn([("chess", "ann")]))).code == "UNAVAILABLE"
        assert case.port.role(("chess", "ann"), "admin") == "admin", "no word on her"
        vouched = [case.port.vouches(("chess", user)) for user in ("bob", "zed", "ann")]
        assert vouched == [True, False, False]
        case.port.invalidate("chess", ["bob"])
        assert not case.port.vouches(("chess", "bob")), "that is what is not so any more"
    async with opened(adapter, clubs(), when_away="allow") as case:
        assert case.port.vouches(("chess", "ann"))


@who_can_be_asked
@pytest.mark.parametrize("role", ["king", 5, ["member"], {}])
async def test_GRP_16_an_answer_with_a_role_that_there_is_not_is_none(adapter: str, role: Any):
    async with opened(adapter, Groups(chess={"ann": role})) as case:
        assert (await refused(case.port.learn([("chess", "ann")]))).code == "UNAVAILABLE"


async def test_GRP_16_a_claim_may_be_a_list_of_groups():
    claims = Claims(1000)
    async with _opened(claims, None, membership="claims", claims={"groups": "teams"}) as port:
        claims.told("ann", {"teams": ["chess", 5, None], "groups": ["go"]})
        assert [port.role((group, "ann"), UNKNOWN) for group in ("chess", "go")] == ["member", None]


@pytest.mark.parametrize(
    ("claim", "role"),
    [([], None), ({}, None), ({"chess": "king"}, None), ({"chess": 1}, None), ("chess", None)],
)
async def test_GRP_16_a_claim_that_says_nothing_of_a_group_says_no(claim: Any, role: Any):
    claims = Claims(1000)
    async with _opened(claims, None, membership="claims") as port:
        claims.told("ann", {"groups": claim})
        assert port.role(("chess", "ann"), UNKNOWN) == role


async def test_GRP_16_without_a_claim_one_is_what_one_was():
    claims, pair = Claims(1000), ("chess", "ann")
    async with _opened(claims, None, membership="claims") as port:
        assert port.role(pair, UNKNOWN) == UNKNOWN
        claims.told("ann", {"name": "Ann"})
        assert port.role(pair, UNKNOWN) == UNKNOWN
        assert port.vouches(pair)
        port.invalidate("chess", ["ann"])
        assert port.role(pair, UNKNOWN) is None
        assert port.role(("go", "ann"), UNKNOWN) == UNKNOWN, "nothing was said of that"
        claims.told("ann", {"groups": ["chess"]})
        assert port.role(pair, UNKNOWN) == "member"


async def test_GRP_16_nobody_can_be_asked_about_a_whole_group_by_tokens():
    async with _opened(Claims(1000), None, membership="claims") as port:
        with pytest.raises(Rejected, match="FEATURE_DISABLED"):
            port.invalidate("chess", ())


@pytest.mark.parametrize("answer", [{}, {"groups": []}, {"groups": {"chess": ["ann"]}}])
async def test_GRP_16_what_is_no_answer_is_none(answer: Any):
    async def nonsense(asked: Any) -> Any:
        return answer

    async with web({"membership": nonsense}) as url:
        host = {"membership": "callback", "url": url, "secret": SECRET}
        async with _opened(Claims(1000), None, **host) as port:
            assert (await refused(port.learn([("chess", "ann")]))).code == "UNAVAILABLE"


async def test_GRP_16_an_answer_may_say_less_and_more_than_was_asked():
    async def more(asked: Any) -> Any:
        assert asked["groups"] == {"chess": ["ann", "bob"], "go": ["ann"], "poker": ["ann"]}
        members = {"ann": "owner", "bob": None, "eve": "king"}
        return {"groups": {"chess": members, "go": None, "bridge": {"ann": "member"}}, "more": 1}

    async with web({"membership": more}) as url:
        host = {"membership": "callback", "url": url, "secret": SECRET}
        async with _opened(Claims(1000), None, **host) as port:
            pairs: list[Pair] = [
                ("chess", "ann"),
                ("chess", "bob"),
                ("go", "ann"),
                ("poker", "ann"),
            ]
            await port.learn(pairs)
            assert [port.role(pair, UNKNOWN) for pair in pairs] == ["owner", None, None, None]


async def test_a_callback_needs_an_address():
    with pytest.raises(StartupError, match="needs an address"):
        async with _opened(Claims(1000), None, membership="callback"):
            pass
