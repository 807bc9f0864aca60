"""The tables of the sample migrations as SQLAlchemy models: change one, then `twokey generate <name>`."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What all tables have in common."""

    type_annotation_map = {str: Text, datetime: DateTime(timezone=True), int: BigInteger}  # noqa: RUF012


class User(Base):
    """A person who can sign in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    display_name: Mapped[str] = mapped_column(server_default="")
    last_seen_at: Mapped[datetime | None]


class UserAudit(Base):
    """One change to a user. A trigger writes it, which is no model's business: its migration has it."""

    __tablename__ = "user_audit"
    __table_args__ = (
        CheckConstraint("change IN ('INSERT', 'UPDATE', 'DELETE')"),
        Index("user_audit_user_id", "user_id", "changed_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[int]
    change: Mapped[str]
    changed_by: Mapped[str] = mapped_column(server_default=text("current_user"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
