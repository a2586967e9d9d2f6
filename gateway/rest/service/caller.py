"""The host, who asks by HTTP for what it may do in its own process, too."""

from __future__ import annotations

from typing import Any, Final

from ....engine import Engine
from ....protocol.commands import Command, parse_command
from ....protocol.ids import HOST
from .routes import ENDPOINTS

_COMMANDS: Final[dict[str, type[Command]]] = {
    command.name: command for endpoint in ENDPOINTS for command in endpoint.commands
}


class HostCaller:
    user = HOST

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.pushed: list[dict[str, Any]] = []

    async def ask(
        self, command: str, payload: dict[str, Any] | None = None, conversation: str | None = None
    ) -> dict[str, Any]:
        """As `User.do`."""
        parsed = parse_command(_COMMANDS[command], payload or {})
        return await self.engine.as_host().do(parsed, conversation)
