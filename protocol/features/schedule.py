"""Messages for later: written now, sent at their time, like any other then (MSG-23)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, ValidationError

from ..aloof import kept_apart
from ..commands import Context, Effect, UserCommand, UserQuery, bad_field
from ..errors import Rejected, invalid
from ..ids import ClientId, scheduled_id
from ..immutable import immutable
from ..jobs import Job, JobState
from ..paging import LARGEST_PAGE
from ..personal import FOREVER, Personal, UserContext, UserEventData
from ..state import ConversationState
from .messages import SendMessage

SEND: Final = "message.send"
"""The kind of the job."""

Status = Literal["pending", "sent", "cancelled", "failed"]
STATES: Final[dict[Status, JobState]] = {
    "pending": "pending",
    "sent": "done",
    "cancelled": "cancelled",
    "failed": "dead",
}
_STATUSES = {state: status for status, state in STATES.items()}


@immutable
class MessageScheduled(UserEventData):
    """`job` is the id of the job, and the client id that the message will have: so it is sent once,
    however often that is tried. Without `message` it has been sent."""

    name: ClassVar[str] = "message.scheduled"
    remembered: ClassVar[bool] = False

    id: str
    job: str
    conversation: str
    send_at: int
    message: dict[str, Any] | None = None

    @property
    def subject(self) -> str:
        return f"schedule {self.job}"


@immutable
class ScheduleCancelled(UserEventData):
    name: ClassVar[str] = "schedule.cancelled"
    remembered: ClassVar[bool] = False

    id: str
    job: str

    @property
    def subject(self) -> str:
        return f"schedule {self.job}"


@immutable
class ScheduleFailed(UserEventData):
    """It was not sent, and will not be, by itself; `error` is a code (ERR-01)."""

    name: ClassVar[str] = "schedule.failed"
    remembered: ClassVar[bool] = False

    id: str
    job: str
    conversation: str
    error: str

    @property
    def subject(self) -> str:
        return f"schedule {self.job}"


class TryMessage(SendMessage):
    """Refused if the message would be refused now, and nothing else."""

    name: ClassVar[str] = "message.try"
    host_only: ClassVar[bool] = True
    writes: ClassVar[bool] = False
    attends: ClassVar[bool] = False
    while_locked: ClassVar[bool] = True

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        effects = list(super().decide(state, context))
        if state.aloof:
            list(kept_apart(state, context, effects))
        return ()


class SendScheduled(SendMessage):
    """A message like any other; but what its author is writing now is something else."""

    name: ClassVar[str] = "message.send_scheduled"
    host_only: ClassVar[bool] = True
    attends: ClassVar[bool] = False


class ScheduleMessage(UserCommand):
    """`message` is what `message.send` would get, at `send_at` (ms). `id` is the client's name for
    it: said again under the same one, it is another message or another time, until the sending
    begins; then it is VERSION_CONFLICT."""

    name: ClassVar[str] = "message.schedule"

    id: ClientId
    send_at: int = Field(ge=0, le=FOREVER)
    message: dict[str, Any]

    @property
    def trial(self) -> TryMessage:
        """To be asked of the conversation. VALIDATION_FAILED if it cannot be a message at all."""
        for name in ("to", "client_id", "attempt"):
            if name in self.message:
                raise invalid(f"message.{name}", "not in a message that is scheduled")
        try:
            return TryMessage.model_validate(self.message)
        except ValidationError as error:
            raise bad_field(error, "message") from None

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        most = context.policy.max_schedule_s
        if not most:
            raise Rejected("FEATURE_DISABLED")
        if not context.now < self.send_at <= context.now + most * 1000:
            raise invalid("send_at", f"must lie in the future, at most {most} s from now")
        yield MessageScheduled(
            id=self.id,
            job=scheduled_id(context.user, self.id),
            conversation=context.place.conversation,
            send_at=self.send_at,
            message=self.message,
        )


class CancelScheduled(UserCommand):
    """It is never sent. MESSAGE_NOT_FOUND if there is none, VERSION_CONFLICT once its sending has
    begun. Again it changes nothing."""

    name: ClassVar[str] = "schedule.cancel"
    in_conversation: ClassVar[bool] = False

    id: ClientId

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        yield ScheduleCancelled(id=self.id, job=scheduled_id(context.user, self.id))


class FailScheduled(UserCommand):
    """It was given up. Nobody asks for this but who has tried to send it."""

    name: ClassVar[str] = "schedule.fail"
    host_only: ClassVar[bool] = True
    in_conversation: ClassVar[bool] = False

    id: ClientId
    job: str
    conversation: str
    error: str

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        yield ScheduleFailed(self.id, self.job, self.conversation, self.error)


class ListScheduled(UserQuery):
    """The caller's own of one status, the earliest first. `next`, given back as `after`,
    continues."""

    name: ClassVar[str] = "schedule.list"

    status: Status = "pending"
    after: str | None = Field(default=None, pattern=r"^\d{1,15} [0-9a-f-]{36}$")
    limit: int | None = Field(default=None, ge=1, le=LARGEST_PAGE)


def listed(job: Job) -> dict[str, Any]:
    """As `schedule.list` shows it."""
    item = {
        "id": job.data["id"],
        "c": job.data["conversation"],
        "send_at": job.due,
        "status": _STATUSES[job.state],
        "client_id": job.id,
    }
    if job.state == "dead" and job.error is not None:
        item["error"] = job.error.partition(" ")[0]
    if (message := job.data.get("message")) is not None:
        item["message"] = message
    return item
