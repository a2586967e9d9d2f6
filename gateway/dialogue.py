"""What is said on one connection, item by item, from hello to goodbye."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import trio

from ..actors.bucket import Bucket
from ..protocol.disconnects import BAD_FRAME, NORMAL, RATE, Disconnect
from ..protocol.errors import Rejected, invalid
from ..protocol.frames import Item, parse_frame
from ..protocol.values import BadFrame
from .auth import Identity
from .hello import refreshed, refusal, sign_in, welcome
from .socket_outbox import PAGES, SocketOutbox
from .websocket import Message
from .wire import WebSocketWire
from .write_side import WriteSide

if TYPE_CHECKING:
    from .gateway import Gateway

MAX_OFFENCES: Final = 5
OFFENCE_WINDOW_S: Final = 60.0
SLICE: Final = 64
"""Items handled before others get their turn."""


class Dialogue:
    """Items are handled in order. `proceed` pauses while too many commands are in flight, and lets
    others have their turn now and then. Whatever is wrong with an item is answered to it, and the
    connection goes on (CONN-19), unless the client was not let in or goes on sending what cannot be
    read (WS-09) or more than it may.
    """

    __slots__ = (
        "_close",
        "_gateway",
        "_identity",
        "_offences",
        "_pace",
        "_patience",
        "_side",
        "_waiting",
        "_wire",
        "expires",
        "outbox",
    )

    def __init__(
        self,
        gateway: Gateway,
        side: WriteSide,
        wire: WebSocketWire,
        identity: Identity | None,
        close: Callable[[Disconnect], None],
        expires: float,
    ) -> None:
        self._gateway = gateway
        self._side = side
        self._wire = wire
        self._identity = identity
        self._close = close
        self._offences: tuple[float, ...] = ()
        self._pace, self._patience = Bucket(gateway.pace), Bucket(gateway.pace)
        self._waiting: list[Item] = []
        self.expires = expires
        """when the connection ends, in trio's time, unless the client signs in (again)"""
        self.outbox: SocketOutbox | None = None
        """there once the client has signed in"""

    @property
    def paused(self) -> bool:
        """The client waits for us, so its silence means nothing."""
        return bool(self._waiting)

    def take(self, messages: list[Message], frames: int) -> None:
        """Read `messages`, which came in `frames`; what they ask for is done in `proceed`."""
        if frames > len(messages) and self._too_much(frames - len(messages)):
            return
        items: list[Item] = []
        codec = self._wire.codec
        for message in messages:
            try:
                if message.binary is not codec.binary:
                    raise BadFrame(f"not a {'binary' if codec.binary else 'text'} message")
                items += parse_frame(codec.decode(message.data))
            except BadFrame as no:
                self._offended(no)
                if self._side.ended:
                    return
        items.reverse()
        self._waiting = items

    async def proceed(self) -> None:
        """Do what was asked for. If cancelled, go on by calling it again."""
        done = 0
        while self._waiting:
            item = self._waiting[-1]
            if self.outbox is not None and not self.outbox.takes(item):
                await self.outbox.room()
                continue
            self._waiting.pop()
            if self.outbox is not None and self._too_fast(item):
                pass
            elif self.outbox is not None and item.kind != "refresh":
                self._handle(item, self.outbox)
            else:
                await self._identify(item)
            done += 1
            if done % SLICE == 0:
                await trio.lowlevel.checkpoint()

    def stop(self) -> None:
        """Do no more of what was asked for."""
        self._waiting.clear()

    def over(self) -> None:
        """Say that the session is, before the connection is closed for that."""
        self._refuse(None, Rejected("SESSION_EXPIRED"))

    def leave(self, why: Disconnect, reconnect_after: float) -> None:
        """Tell the client to go, let what is in flight be answered, then close."""
        if self.outbox is None:
            self._close(why)
        elif not self.outbox.leaving:
            self._send({"t": "goodbye", "d": {"reconnect_after": reconnect_after}})
            self.outbox.leave(why)

    async def _identify(self, item: Item) -> None:
        """The only items that are waited for."""
        try:
            if self.outbox is None:
                await self._hello(item)
            else:
                await self._refresh(item, self.outbox)
        except trio.Cancelled:
            self._waiting.append(item)  # nothing has come of it yet
            raise

    def _handle(self, item: Item, outbox: SocketOutbox) -> None:
        if item.kind == "ping":
            self._send({"t": "pong"} if item.id is None else {"t": "pong", "id": item.id})
        elif item.kind == "pong":
            pass
        elif item.kind == "goodbye":
            outbox.leave(NORMAL)
        elif item.kind == "hello":
            self._refuse(item, Rejected("VALIDATION_FAILED", "hello: was said already"))
        elif outbox.leaving:
            self._refuse(item, Rejected("UNAVAILABLE", "Not on this connection any more."))
        else:
            if item.kind == "ack":
                item.id = None  # it gets no Reply, so none must be waited for
            if item.id is not None:
                outbox.submitted(item)
            elif item.kind in PAGES:
                self._refuse(None, invalid("id", "a page is asked for under an id"))
                return
            self._gateway.engine.submit(outbox, item)

    async def _hello(self, item: Item) -> None:
        gateway = self._gateway
        try:
            identity = await sign_in(
                item,
                self._identity,
                gateway.authenticator,
                token_in_hello="hello" in gateway.settings.auth.token_sources,
            )
            gateway.engine.introduce(identity.user, identity.claims)
            await gateway.engine.admit(identity.user)
            gateway.authenticator.confirm(identity)  # it may have been revoked meanwhile
            outbox = SocketOutbox(
                identity,
                self._wire,
                self._side,
                self._close,
                gateway.limits.max_in_flight,
                gateway.counters,
            )
            # Attached before the welcome is written, so that nothing is missed after it (DEF-02);
            # what is pushed meanwhile stays behind it.
            gateway.engine.attach(outbox)
        except Rejected as no:
            self._refuse(item, no)
            self._close(refusal(no))
        else:
            self.outbox = outbox
            self._identity = None
            id, now = gateway.engine.new_id(), gateway.engine.now()
            outbox.open(self._wire.frame(welcome(item, identity, id, now, gateway.settings)))
            self._identified(identity)

    async def _refresh(self, item: Item, outbox: SocketOutbox) -> None:
        try:
            identity = await refreshed(item, outbox.user, self._gateway.authenticator)
        except Rejected as no:
            self._refuse(item, no)
        else:
            outbox.identified(identity)
            self._gateway.engine.introduce(identity.user, identity.claims)
            self._identified(identity)
            if item.id is not None:
                self._send({"t": "reply", "id": item.id, "ok": {"ttl": identity.ttl()}})

    def _identified(self, identity: Identity) -> None:
        ttl = identity.ttl()
        self.expires = math.inf if ttl is None else trio.current_time() + ttl

    def _too_fast(self, item: Item) -> bool:
        """Whether `item` is one too many just now; that is its answer, then."""
        wait = self._pace.take(trio.current_time())
        if wait and item.kind != "ack":  # a later one says the same, and more
            self._refuse(item, Rejected("RATE_LIMITED", retry_after=wait))
            self._too_much(1)
        return wait > 0

    def _too_much(self, count: int) -> bool:
        """Whether the client is sent away, since it goes on with what leads to nothing: items over
        the rate, control frames, fragments."""
        if self._patience.take(trio.current_time(), count):
            self._close(RATE)
        return self._side.ended

    def _offended(self, no: BadFrame) -> None:
        now = trio.current_time()
        since = now - OFFENCE_WINDOW_S
        self._offences = (*(time for time in self._offences if time > since), now)
        self._refuse(None, no)
        if len(self._offences) >= MAX_OFFENCES:
            self._close(BAD_FRAME)

    def _refuse(self, item: Item | None, no: Rejected) -> None:
        reply: dict[str, Any] = {"t": "reply", "error": no.payload()}
        if item is not None and item.id is not None:
            reply["id"] = item.id
        self._gateway.counters.errors[no.code] += 1
        self._send(reply)

    def _send(self, item: dict[str, Any]) -> None:
        self._side.write(self._wire.frame(item))
