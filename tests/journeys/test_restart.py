"""Stopped, killed, started again: nothing that was replied to is missing."""

import httpx
import pytest
import trio

from palaver.gateway.client import Client, ClientError, Rejected


async def texts(url, token, conversation):
    """Everything that was said, oldest first, as a new client reads it."""
    async with Client(url, token, pushes=False) as client:
        found: list[str] = []
        cursor: dict[str, int] = {}
        while True:
            page = await client.call("message.history", {"limit": 100, **cursor}, c=conversation)
            found[:0] = [message["text"] for message in page["messages"]]
            if not page["more"]:
                return found
            cursor = {"before": page["messages"][0]["seq"]}


class Load:
    """Several clients send to one group as fast as they are answered, until they cannot."""

    def __init__(self, url, token):
        self.replied = []
        self.conversation = ""
        self._url = url
        self._token = token
        self._sent = 0
        self._enough = trio.Event()

    async def run(self, until):
        users = [f"user{number}" for number in range(4)]
        async with Client(self._url, self._token("user0"), pushes=False) as client:
            created = await client.call(
                "conversation.create", {"kind": "group", "members": users, "client_id": "g"}
            )
            self.conversation = created["c"]
        async with trio.open_nursery() as nursery:
            for user in users:
                nursery.start_soon(self._send, user)
            await self._enough.wait()
            await until()
            nursery.cancel_scope.cancel()

    async def _send(self, user):
        try:
            async with (
                Client(self._url, self._token(user), pushes=False) as client,
                trio.open_nursery() as nursery,
            ):
                for lane in range(4):
                    nursery.start_soon(self._lane, client, f"{user}.{lane}")
        except* (ClientError, Rejected):
            pass  # the server is gone; what was replied to is what counts

    async def _lane(self, client, name):
        for number in range(1_000_000):
            text = f"{name} {number}"
            await client.call("message.send", {"text": text}, c=self.conversation)
            self.replied.append(text)
            if len(self.replied) >= 300:
                self._enough.set()


@pytest.mark.parametrize("durability", ["write_behind", "commit"])
async def test_SEND_11_what_was_replied_to_survives_kill_9(served, token, durability):
    async with served.start("--durability", durability) as server:
        load = Load(server.ws_url, token)
        await load.run(server.kill)
    async with served.start("--durability", durability) as server:
        said = await texts(server.ws_url, token("user0"), load.conversation)
        assert len(set(said)) == len(said)
        assert set(load.replied) <= set(said)
        assert await server.stop() == 0


async def test_CONN_16_what_was_replied_to_survives_a_stop_under_load(served, token):
    """And DEP-11: it drains, and says so with its exit status."""
    async with served.start() as server:
        load = Load(server.ws_url, token)

        async def stop():
            assert await server.stop() == 0

        await load.run(stop)
    async with served.start() as server:
        said = await texts(server.ws_url, token("user0"), load.conversation)
        assert set(load.replied) <= set(said)


async def test_HIST_07_an_event_that_died_with_the_server_is_told_by_a_new_epoch(served, token):
    """A device is caught up, or told from where on it must load; and never left with a lie."""
    async with served.start() as server:
        async with Client(server.ws_url, token("ann"), pushes=False) as ann:
            sent = await ann.send_to("bob", "before")
        await server.kill()
    async with (
        served.start() as server,
        Client(server.ws_url, token("ann"), pushes=False) as ann,
    ):
        whole = await ann.call("conversation.resume", {"epoch": 1, "seq": 2}, c=sent["c"])
        assert (whole["recovered"], whole["epoch"]) == (True, 2)
        ahead = await ann.call("conversation.resume", {"epoch": 1, "seq": 3}, c=sent["c"])
        assert (ahead["recovered"], ahead["reason"]) == (False, "diverged")
        assert ahead["reload_after"] == 2


async def test_SEND_06_a_client_id_is_known_after_a_restart(served, token):
    async with served.start() as server:
        async with Client(server.ws_url, token("ann"), pushes=False) as ann:
            message = {"to": "bob", "text": "once", "client_id": "k"}
            first = await ann.call("message.send", message)
        assert await server.stop() == 0
    async with served.start() as server:
        async with Client(server.ws_url, token("ann"), pushes=False) as ann:
            assert await ann.call("message.send", message) == first
            assert await ann.call("message.send", {**message, "attempt": 2}) == first
        assert await texts(server.ws_url, token("bob"), first["c"]) == ["once"]


async def test_CONN_18_a_started_server_says_that_it_is_up(served):
    async with served.start() as server, httpx.AsyncClient() as http:
        health = (await http.get(f"{server.http_url}/v1/health")).json()
        assert health["status"] == "ok"
        assert (await http.get(f"{server.http_url}/v1/ready")).status_code == 200
        metrics = (await http.get(f"{server.http_url}/metrics")).text
        assert "palaver_commit_seconds" in metrics
