"""A network between a store and Postgres that a test can break in the ways networks break."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import trio


class Proxy:
    """Forwards TCP connections to the unix socket that a dsn names.

    `opened` counts the connections ever made through it, `open` those that live.
    """

    def __init__(self, dsn: str, nursery: trio.Nursery) -> None:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
        port = query.get("port", ["5432"])[0]
        self._server = f"{query['host'][0]}/.s.PGSQL.{port}"
        self._user, self._database = parts.username, parts.path
        self._nursery = nursery
        self._port = 0
        self._deaf = False
        self._accepting = True
        self._scopes: set[trio.CancelScope] = set()
        self.opened = 0
        self.most = 0

    @property
    def dsn(self) -> str:
        return f"postgresql://{self._user}@127.0.0.1:{self._port}{self._database}?sslmode=disable"

    @property
    def open(self) -> int:
        return len(self._scopes)

    def cut(self) -> None:
        """Break every connection, now."""
        for scope in self._scopes:
            scope.cancel()

    def go_away(self) -> None:
        """Break every connection and take none."""
        self._accepting = False
        self.cut()

    def come_back(self) -> None:
        self._accepting, self._deaf = True, False

    def swallow_answers(self) -> None:
        """What the server says from now on does not arrive; what it is told does."""
        self._deaf = True

    async def serve(self, task_status: trio.TaskStatus[None]) -> None:
        listener, *_ = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self._port = listener.socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._connect, [listener], handler_nursery=self._nursery)

    async def _connect(self, client: trio.SocketStream) -> None:
        async with client:
            if not self._accepting:
                return
            self.opened += 1
            server = await trio.open_unix_socket(self._server)
            with trio.CancelScope() as scope:
                self._scopes.add(scope)
                self.most = max(self.most, self.open)
                async with server, trio.open_nursery() as nursery:
                    nursery.start_soon(self._forward, client, server, nursery.cancel_scope, False)
                    nursery.start_soon(self._forward, server, client, nursery.cancel_scope, True)
            self._scopes.discard(scope)

    async def _forward(
        self,
        source: trio.SocketStream,
        target: trio.SocketStream,
        end: trio.CancelScope,
        answers: bool,
    ) -> None:
        try:
            async for chunk in source:
                if not (answers and self._deaf):
                    await target.send_all(chunk)
        except trio.BrokenResourceError:
            pass
        end.cancel()


@asynccontextmanager
async def proxied(dsn: str) -> AsyncGenerator[Proxy]:
    async with trio.open_nursery() as nursery:
        proxy = Proxy(dsn, nursery)
        await nursery.start(proxy.serve)
        yield proxy
        nursery.cancel_scope.cancel()
