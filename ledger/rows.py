"""Rows of the ledger's tables as the values the rooms speak about, and actors as columns."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from ledger import plain
from ledger.events import KINDS
from ledger.records import Deed, Delivery, Heard, Inquiry, Observation, Question, Share, Told
from ledger.request import (
    Act,
    Actor,
    Certification,
    CertifiedBy,
    Decision,
    Freeze,
    Group,
    Kind,
    PlanSummary,
    Request,
    Source,
    Verdict,
    Witness,
)
from ledger.states import State


def actor_columns(actor: Actor) -> dict[str, str]:
    """The four columns that say who."""
    return {"actor_id": actor.id, "actor_team": actor.team, "actor_name": actor.name, "actor_kind": actor.kind}


def person_columns(actor: Actor) -> dict[str, Any]:
    """The same, and what else is this person."""
    return actor_columns(actor) | {"actor_marks": list(actor.marks)}


def actor(row: Row[Any]) -> Actor:
    return Actor(id=row.actor_id, team=row.actor_team, name=row.actor_name, kind=Kind(row.actor_kind))


def person(row: Row[Any]) -> Actor:
    return replace(actor(row), marks=tuple(row.actor_marks))


def groups(row: Row[Any]) -> tuple[Group, ...]:
    return tuple(plain.load(Group, one) for one in row.groups)


def request(row: Row[Any]) -> Request:
    """A row of requests, joined with the `summary` of its plan if there is one."""
    return Request(
        id=row.id,
        act=Act(row.act),
        environment=row.environment,
        protected=row.protected,
        actor=person(row),
        reason=row.reason,
        note=row.note,
        covers_of=row.covers_of,
        channel=row.channel,
        state=State(row.state),
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        starts_at=row.starts_at,
        plan=None if row.summary is None else plain.load(PlanSummary, row.summary),
        version=row.version,
        about=tuple(row.about),
        groups=groups(row),
    )


def told(row: Row[Any]) -> Told:
    return Told(seq=row.seq, at=row.at, event=plain.load(KINDS[row.kind], row.body), hash=row.hash)


def decision(row: Row[Any]) -> Decision:
    return Decision(
        request_id=row.request_id,
        actor=person(row),
        verdict=Verdict(row.verdict),
        digest=row.digest,
        event_ts=row.event_ts,
        withdrawn_ts=row.withdrawn_ts,
        source=Source(row.source),
    )


def witness(row: Row[Any]) -> Witness:
    return Witness(
        request_id=row.request_id,
        at=row.at,
        approving=tuple(plain.load(Actor, one) for one in row.approving),
        rejecting=tuple(plain.load(Actor, one) for one in row.rejecting),
        pressed=tuple(plain.load(Actor, one) for one in row.pressed),
        groups=groups(row),
        ours=row.ours,
        asking=plain.load(Actor, row.asking) if row.asking else None,
    )


def heard(row: Row[Any]) -> Heard:
    return Heard(
        team=row.team,
        channel=row.channel,
        message_ts=row.message_ts,
        actor_id=row.actor_id,
        emoji=row.emoji,
        added=row.added,
        event_ts=row.event_ts,
        event_id=row.event_id,
        id=row.id,
        heard_at=row.heard_at,
        source=Source(row.source),
    )


def certification(row: Row[Any]) -> Certification:
    return Certification(
        request_id=row.request_id,
        environment=row.environment,
        covers=tuple((migration, checksum) for migration, checksum in row.covers),
        by=CertifiedBy(actor_id=row.actor_id, actor_name=row.actor_name, at=row.at, note=row.note),
    )


def freeze(row: Row[Any]) -> Freeze:
    return Freeze(
        request_id=row.request_id,
        environment=row.environment,
        actor_name=row.actor_name,
        reason=row.reason,
        at=row.at,
        until=row.until,
    )


def observation(row: Row[Any]) -> Observation:
    return Observation(
        id=row.id,
        environment=row.environment,
        inquiry_id=row.inquiry_id,
        asked_at=row.asked_at,
        observed_at=row.observed_at,
        body=row.body,
        schema_of=row.schema_of,
    )


def inquiry(row: Row[Any]) -> Inquiry:
    share = Share(row.share_actor_id, row.share_actor_name, row.share_channel, row.share_ts)
    return Inquiry(
        id=row.id,
        question=Question(row.question),
        environment=row.environment,
        actor=actor(row),
        channel=row.channel,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        body=row.body,
        delivered_at=row.delivered_at,
        share=share if row.share_channel is not None else None,
    )


def delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        request_id=row.request_id,
        slot=row.slot,
        channel=row.channel,
        attempt_key=row.attempt_key,
        ts=row.ts,
        content_hash=row.content_hash,
        plan_ts=row.plan_ts,
    )


def deed(row: Row[Any]) -> Deed:
    return Deed(id=row.deed, at=row.at, act=row.act, what=tuple(row.what), by=row.done_by)
