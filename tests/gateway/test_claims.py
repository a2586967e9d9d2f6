"""What tokens say of their users is what others see of them, if the settings say so."""

from __future__ import annotations

import time
from typing import Any

import jwt

from palaver.tests.gateway.harness import SECRET, House, Peer, town


def token(user: str, **claims: Any) -> str:
    return jwt.encode({"sub": user, "exp": time.time() + 600, **claims}, SECRET, "HS256")


async def signed_in(here: House, user: str, **claims: Any) -> Peer:
    peer = await here.connected()
    assert (await peer.hello(token(user, **claims)))["t"] == "welcome"
    return peer


async def shown(peer: Peer, *users: str) -> Any:
    await peer.send({"t": "user.get", "id": 7, "d": {"users": list(users)}})
    return (await peer.item())["ok"]["users"]


async def test_CONV_19_the_last_token_of_a_user_says_who_they_are():
    async with town(host={"users": "claims"}) as here:
        ann = await signed_in(
            here, "ann", name="Ann", picture="https://example.org/a", role="tutor"
        )
        said = {"name": "Ann", "avatar": "https://example.org/a", "role": "tutor"}
        assert await shown(ann, "ann") == {"ann": said}
        assert await shown(ann, "bob") == {"bob": {"name": None, "avatar": None, "role": None}}
        bob = await signed_in(here, "bob", name="Bob", secret="sesame")
        assert await shown(bob, "bob") == {"bob": {"name": "Bob", "avatar": None, "role": None}}

        await bob.send({"t": "refresh", "id": 1, "d": {"token": token("bob", name="Robert")}})
        assert (await bob.item())["ok"]["ttl"] > 0
        assert (await shown(ann, "bob"))["bob"]["name"] == "Robert"


async def test_CONV_19_claims_are_called_as_the_settings_say():
    host = {"users": "claims", "claims": {"name": "https://example.org/nick"}}
    async with town(host=host, policy={"user_fields": ["name"]}) as here:
        ann = await signed_in(here, "ann", **{"https://example.org/nick": "Annie", "name": "Ann"})
        assert await shown(ann, "ann") == {"ann": {"name": "Annie"}}
