"""The product is told of what was stored, though the server is killed before it could be."""

from pathlib import Path

import trio

from palaver.gateway.client import Client
from palaver.tests.support.hooked import Hooked
from palaver.tests.support.hosts import SECRET


async def test_AUTO_07_what_was_stored_is_told_after_a_kill(served, token, tmp_path: Path):
    product, config = Hooked(), tmp_path / "palaver.toml"
    async with product.listening():
        config.write_text(
            f'[webhooks]\nurl = "{product.url}"\nsecret = "{SECRET}"\nevents = ["message.sent"]\n'
            "[jobs]\nbackoff_s = 0.1\ntries = 100\n"
        )
        product.broken = True
        async with served.start("--config", str(config)) as server:
            async with Client(server.ws_url, token("ann"), pushes=False) as ann:
                body = {"kind": "group", "members": ["bob"], "client_id": "g"}
                room = (await ann.call("conversation.create", body))["c"]
                for n in range(5):
                    await ann.call("message.send", {"text": f"{n}"}, c=room)
            await product.heard(1)
            await server.kill()
        product.broken = False
        async with served.start("--config", str(config)):
            with trio.fail_after(30):
                while len(set(product.texts)) < 5:
                    await product.heard(product.tries + 1)
        assert set(product.texts) == {f"{n}" for n in range(5)}
