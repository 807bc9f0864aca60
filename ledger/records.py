"""What the ledger remembers besides requests: reactions heard, questions and answers, messages posted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ledger.events import Event
from ledger.request import Actor, Source


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it stands in a request's story: `seq` is 1, 2, 3 … without a gap, `hash` chains them."""

    seq: int
    at: datetime
    event: Event
    hash: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A reaction that came or went, or a button that says the same; written before the ack and judged afterwards.

    `event_id` makes a second delivery harmless; it is Slack's, but for what was read back. `id` and `heard_at` are the
    ledger's, 0 and None until it is written; Slack may deliver minutes after `event_ts`.
    """

    team: str
    channel: str
    message_ts: str
    actor_id: str
    emoji: str
    added: bool
    event_ts: str
    event_id: str
    id: int = 0
    heard_at: datetime | None = None
    source: Source = Source.REACTION


class Question(StrEnum):
    """What can be asked about environments without changing them."""

    STATUS = "status"
    PLAN = "plan"
    VALIDATE = "validate"
    BACKUPS = "backups"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True)
class Observation:
    """What one environment was at one moment; `body` is an engine Standing as JSON, None while it is pending.

    `schema_of` names a history whose schema is wanted, too.
    """

    id: int
    environment: str
    inquiry_id: int | None
    asked_at: datetime
    observed_at: datetime | None
    body: Mapping[str, Any] | None
    schema_of: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """An answer that its asker showed to a channel; `ts` is None until the message stands there."""

    actor_id: str
    actor_name: str
    channel: str
    ts: str | None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question somebody asked, and its answer once a worker has drawn it.

    `environment` is the one that was meant, or None for all.
    """

    id: int
    question: Question
    environment: str | None
    actor: Actor
    channel: str
    asked_at: datetime
    answered_at: datetime | None
    body: Mapping[str, Any] | None
    delivered_at: datetime | None
    share: Share | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message slot of one request. `attempt_key` goes into the message's metadata, so that a post whose
    answer was lost can be found again; `ts` and `content_hash` are what stands in Slack, None before the first.
    `plan_ts` is since when the plan stands there, as Slack writes a moment; None while it does not.
    """

    request_id: int
    slot: str
    channel: str
    attempt_key: str
    ts: str | None
    content_hash: str | None
    plan_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Pulse:
    """How an environment fared `at` that moment: what its server counted `since` then, and who waited for a lock."""

    at: datetime
    since: datetime | None
    deadlocks: int
    rollbacks: int
    commits: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Ended:
    """When a request's run began and ended, by the ledger's clock."""

    request_id: int
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done to an environment at a terminal, as the environment has it on record.

    `act` is the command's word, `what` its migrations, or the backup and the databases it is about.
    """

    id: str
    at: datetime
    act: str
    what: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person did in one go, to be told in the environment's channel; or all `earlier` than the first look."""

    id: int
    environment: str
    earlier: bool
    deeds: tuple[Deed, ...]
    attempt_key: str
