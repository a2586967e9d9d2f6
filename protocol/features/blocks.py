"""Blocking somebody, and restricting them, which they do not see (REQ-08, 09, 10; C-38)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from ..commands import UserCommand, UserQuery
from ..errors import Rejected
from ..ids import UserId, direct_conversation_id
from ..immutable import immutable
from ..people import Bar, Barred
from ..personal import Personal, UserContext, UserEventData


@immutable
class BlockChanged(UserEventData):
    """How one keeps `user` out from now on, or that one does not. `conversation` is the direct one
    of the two, be it there or not; `seen` (ms) is when one was online last, for them."""

    name: ClassVar[str] = "block.changed"

    user: str
    level: Literal["blocked", "restricted", "none"]
    conversation: str
    seen: int | None = None

    @property
    def subject(self) -> str:
        return f"block {self.user}"

    @property
    def affects(self) -> str:
        return self.conversation

    @property
    def bar(self) -> Bar | None:
        return None if self.level == "none" else self.level

    def apply(self, personal: Personal) -> None:
        if self.bar is None:
            personal.barred.pop(self.user, None)
            personal.barred_in.discard(self.conversation)
        else:
            personal.barred[self.user] = Barred(self.bar, self.seen)
            personal.barred_in.add(self.conversation)


class BlockUser(UserCommand):
    """Nothing passes between the two any more, in either direction, but inside groups."""

    name: ClassVar[str] = "user.block"
    in_conversation: ClassVar[bool] = False
    tells_seen: ClassVar[bool] = True
    level: ClassVar[Bar] = "blocked"

    user: UserId

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        policy = context.policy
        if policy.blocks == "off":
            raise Rejected("FEATURE_DISABLED")
        if self.user == context.user:
            raise Rejected("SELF_MESSAGE", "One cannot keep oneself out.")
        before = personal.barred.get(self.user)
        if before is not None and before.bar == self.level:
            return
        if before is None and len(personal.barred) >= policy.max_blocks:
            raise Rejected(
                "VALIDATION_FAILED",
                "Too many blocked users; unblock one first.",
                details={"field": "user", "max_blocks": policy.max_blocks},
            )
        conversation = direct_conversation_id(policy.profile, context.user, self.user)
        seen = context.seen if before is None else before.seen
        yield BlockChanged(self.user, self.level, conversation, seen)


class RestrictUser(BlockUser):
    """What they say to the caller in the direct conversation does not arrive; the caller may still
    write to them. In place of a block, if there is one."""

    name: ClassVar[str] = "user.restrict"
    level: ClassVar[Bar] = "restricted"


class UnblockUser(UserCommand):
    """Neither blocked nor restricted any more. What was said meanwhile does not arrive later."""

    name: ClassVar[str] = "user.unblock"
    in_conversation: ClassVar[bool] = False

    user: UserId

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        if self.user in personal.barred:
            conversation = direct_conversation_id(context.policy.profile, context.user, self.user)
            yield BlockChanged(self.user, "none", conversation)


class ListBlocks(UserQuery):
    """Whom the caller keeps out, in order of user id, by pages."""

    name: ClassVar[str] = "block.list"

    after: UserId | None = None
    limit: int = Field(default=100, ge=1, le=500)
