"""What tokens say of their users besides who they are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any


class Claims:
    """Of each user what their last token said, in this process: of the `most` users who signed in
    last, and only the claims that somebody `wants`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._wanted: set[str] = set()
        self._said: OrderedDict[str, Mapping[str, Any]] = OrderedDict()  # the oldest first

    def want(self, names: Iterable[str]) -> None:
        """Keep these claims from now on."""
        self._wanted.update(names)

    def told(self, user: str, claims: Mapping[str, Any]) -> None:
        """`user` has signed in with these."""
        if not self._wanted:
            return
        self._said[user] = {name: claims[name] for name in self._wanted if name in claims}
        self._said.move_to_end(user)
        if len(self._said) > self._most:
            self._said.popitem(last=False)

    def of(self, user: str) -> Mapping[str, Any]:
        """What is kept of `user`; empty for who has not signed in."""
        return self._said.get(user, {})

    def forget(self, user: str | None, name: str | None = None) -> None:
        """What was said of `user`, or of all: the claim `name`, or every one."""
        for each in list(self._said) if user is None else [user]:
            if name is None:
                self._said.pop(each, None)
            elif each in self._said:
                said = self._said[each]
                self._said[each] = {key: value for key, value in said.items() if key != name}
