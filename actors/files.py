"""What the actors need to know of files: ports like those of `ports.py`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from ..protocol.uploads import Content, Upload


class Uploads(Protocol):
    """Files that users have announced (`protocol/uploads.py`); their bytes are elsewhere."""

    async def add(self, upload: Upload) -> None:
        """Returns when it is durable."""
        ...

    async def find(self, ids: Collection[str]) -> dict[str, Upload]:
        """Those of `ids` that there are."""
        ...

    async def sent_in(self, url: str, user: str, limit: int) -> list[tuple[str, str]]:
        """Conversation and id of at most `limit` messages, in no order, that have the attachment
        that lies at `url`, in conversations that `user` is or was a member of."""
        ...

    async def complete(self, id: str, content: Content) -> None:
        """It is ready. Of one that is ready already, the first word holds."""
        ...

    async def forget(self, before: int, limit: int) -> list[str]:
        """Keep those no longer that were announced before that time (ms) and are not complete, at
        most `limit` of them: their ids."""
        ...


class Links(Protocol):
    """Addresses of files that carry their own permission."""

    @property
    def ttl_s(self) -> int:
        """How long one is good."""
        ...

    def sign(self, url: str) -> str:
        """An address from which `url` can be loaded without a token; of what is not served here,
        `url` itself."""
        ...
