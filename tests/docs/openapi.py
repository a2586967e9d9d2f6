"""docs/openapi.json, which is what a server with service keys serves, and docs/rest-reference.md.

`make openapi` writes both; a test says if they are not current.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import httpx
import trio

from palaver.engine import Engine, Settings
from palaver.gateway import open_gateway
from palaver.gateway.http import make_app
from palaver.tests.docs import rest_page

FILE: Final = Path(__file__).parents[2] / "docs/openapi.json"


async def document() -> dict[str, Any]:
    """As any client gets it."""
    auth = {"secret": "s" * 32, "service_keys": {"docs": "k" * 32}}
    settings = Settings.model_validate({"storage": {"memory": True}, "auth": auth})
    async with Engine(settings) as engine, open_gateway(engine) as gateway:
        transport = httpx.ASGITransport(make_app(gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://palaver") as http:
            whole: dict[str, Any] = (await http.get("/openapi.json")).json()
            return whole


def written(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    served = trio.run(document)
    FILE.write_text(written(served))
    rest_page.PAGE.write_text(rest_page.page(served))
