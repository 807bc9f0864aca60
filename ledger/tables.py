"""The ledger's tables for SQLAlchemy Core. `schema/*.sql` makes them; a test proves that both say the same."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Identity, Integer, MetaData, Table, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
_NOW = func.clock_timestamp()


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _at(name: str, *, null: bool = True) -> Column:
    """A moment. Those that must be there are stamped by the server's own clock."""
    return Column(name, DateTime(timezone=True), nullable=null, server_default=None if null else _NOW)


def _actor() -> tuple[Column[str], ...]:
    return _text("actor_id"), _text("actor_team"), _text("actor_name"), _text("actor_kind")


def _source() -> Column[str]:
    return Column("source", Text, nullable=False, server_default="reaction")


def _marks(name: str) -> Column:
    return Column(name, ARRAY(Text), nullable=False, server_default="{}")


def _groups() -> Column:
    return Column("groups", JSONB, nullable=False, server_default="[]")


def _request(*, key: bool = False) -> Column[int]:
    return Column("request_id", BigInteger, ForeignKey("requests.id"), primary_key=key, nullable=False)


requests = Table(
    "requests",
    metadata,
    _id(),
    _text("key"),
    _text("act"),
    _text("environment"),
    Column("protected", Boolean, nullable=False),
    *_actor(),
    _marks("actor_marks"),
    _text("channel"),
    _text("reason", null=True),
    _text("note", null=True),
    Column("covers_of", BigInteger, ForeignKey("requests.id")),
    Column("about", JSONB, nullable=False, server_default="[]"),
    _groups(),
    _text("state"),
    _text("digest", null=True),
    _at("asked_at", null=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _at("starts_at"),
    _at("rung_at"),
    _at("beat_at"),
    Column("version", Integer, nullable=False),
    Column("announced_version", Integer, nullable=False, server_default="0"),
    Column("sealed_version", Integer, nullable=False, server_default="0"),
)

plans = Table(
    "plans",
    metadata,
    _request(key=True),
    _text("digest"),
    Column("summary", JSONB, nullable=False),
    Column("frozen", JSONB, nullable=False),
    _at("laid_at", null=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("request_id", BigInteger, ForeignKey("plans.request_id"), primary_key=True, nullable=False),
    Column("receipt", JSONB, nullable=False),
    Column("schema", JSONB, nullable=False),
)

events = Table(
    "events",
    metadata,
    _request(key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _at("at", null=False),
    _text("kind"),
    Column("body", JSONB, nullable=False),
    _text("hash"),
)

seals = Table(
    "seals",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _at("at", null=False),
    Column("heads", JSONB, nullable=False),
    _text("hash"),
)

manifests = Table("manifests", metadata, _request(key=True), Column("manifest", JSONB, nullable=False))

decisions = Table(
    "decisions",
    metadata,
    _id(),
    _request(),
    _text("requester_id"),
    _marks("requester_marks"),
    *_actor(),
    _marks("actor_marks"),
    _text("verdict"),
    _text("digest"),
    _text("event_ts"),
    _text("withdrawn_ts", null=True),
    _at("decided_at", null=False),
    _source(),
)

heard = Table(
    "heard",
    metadata,
    _id(),
    _text("event_id"),
    _text("team"),
    _text("channel"),
    _text("message_ts"),
    _text("actor_id"),
    _text("emoji"),
    Column("added", Boolean, nullable=False),
    _text("event_ts"),
    _at("heard_at", null=False),
    _at("judged_at"),
    _source(),
)

witnesses = Table(
    "witnesses",
    metadata,
    _id(),
    _request(),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("approving", JSONB, nullable=False),
    Column("rejecting", JSONB, nullable=False),
    Column("pressed", JSONB, nullable=False, server_default="[]"),
    _groups(),
    Column("ours", Boolean, nullable=False, server_default="false"),
    Column("asking", JSONB(none_as_null=True)),
)

certifications = Table(
    "certifications",
    metadata,
    _request(key=True),
    _text("environment"),
    Column("covers", JSONB, nullable=False),
    _text("actor_id"),
    _text("actor_name"),
    Column("at", DateTime(timezone=True), nullable=False),
    _text("note", null=True),
)

freezes = Table(
    "freezes",
    metadata,
    _request(key=True),
    _text("environment"),
    _text("actor_name"),
    _text("reason"),
    _at("at", null=False),
    _at("until"),
    Column("thawed_by", BigInteger, ForeignKey("requests.id")),
)

inquiries = Table(
    "inquiries",
    metadata,
    _id(),
    _text("key"),
    _text("question"),
    _text("environment", null=True),
    *_actor(),
    _text("channel"),
    _text("response_url"),
    _at("asked_at", null=False),
    _at("answered_at"),
    Column("body", JSONB(none_as_null=True)),
    _at("delivered_at"),
    _text("share_actor_id", null=True),
    _text("share_actor_name", null=True),
    _text("share_channel", null=True),
    _text("share_ts", null=True),
)

observations = Table(
    "observations",
    metadata,
    _id(),
    Column("inquiry_id", BigInteger, ForeignKey("inquiries.id")),
    _text("environment"),
    _at("asked_at", null=False),
    _at("observed_at"),
    Column("body", JSONB(none_as_null=True)),
    Column("schema_of", Text),
)

deliveries = Table(
    "deliveries",
    metadata,
    _request(key=True),
    Column("slot", Text, primary_key=True),
    _text("channel"),
    _text("attempt_key"),
    _at("reserved_at", null=False),
    _text("ts", null=True),
    _text("content_hash", null=True),
    _text("plan_ts", null=True),
)

watches = Table(
    "watches",
    metadata,
    _id(),
    Column("environment", Text, nullable=False),
    _at("rung_at"),
    _at("heard_at"),
    _at("since"),
)

pulses = Table(
    "pulses",
    metadata,
    Column("environment", Text, ForeignKey("watches.environment"), primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True, server_default=_NOW),
    _at("since"),
    Column("deadlocks", BigInteger, nullable=False),
    Column("rollbacks", BigInteger, nullable=False),
    Column("commits", BigInteger, nullable=False),
    Column("waiting", Integer, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    _id(),
    Column("environment", Text, ForeignKey("watches.environment"), nullable=False),
    Column("earlier", Boolean, nullable=False),
    _at("noticed_at", null=False),
    _text("channel", null=True),
    _text("attempt_key"),
    _at("reserved_at"),
    _text("ts", null=True),
)

deeds = Table(
    "deeds",
    metadata,
    Column("environment", Text, ForeignKey("watches.environment"), primary_key=True),
    Column("deed", Text, primary_key=True),
    Column("notice_id", BigInteger, ForeignKey("notices.id"), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    _text("act"),
    Column("what", JSONB, nullable=False),
    _text("done_by"),
)

#: What the engine keeps in every database it migrates, the ledger's own included; read here, never written.
schema_migrations = Table("schema_migrations", MetaData(), Column("migration_id", Text))
