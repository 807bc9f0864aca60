"""What the world can do to a migration. Each error carries its facts; `str()` is the sentence, with what to do next."""

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Hint:
    """A command that helps: `why` to say it, and its words. What stands before them, only who shows it knows."""

    why: str
    words: str


class EngineError(Exception):
    """The root of everything the engine raises on purpose. Children are dataclasses; they pickle.

    `str()` names no command: a terminal and Slack type it otherwise. `hint` is what they name after it.
    """

    @property
    def hint(self) -> Hint | None:
        """The command that helps, if one does."""
        return None

    def __post_init__(self) -> None:
        # Exception remembers its arguments for pickling; a dataclass alone would leave them out.
        super().__init__(*(getattr(self, field.name) for field in fields(self)))  # pyright: ignore[reportArgumentType]


def near(word: str, known: Iterable[str]) -> str | None:
    """Which of what is known somebody may have meant."""
    from difflib import get_close_matches  # only a slip needs it

    known = list(known)
    return None if word in known else next(iter(get_close_matches(word, known, n=1, cutoff=0.8)), None)


@dataclass(eq=False)
class BadAddress(EngineError):
    """The database address cannot be read. Nothing of it is repeated: it may hold a password."""

    environment: str

    def __str__(self) -> str:
        return (
            f"The database address of {self.environment} is not one PostgreSQL understands. "
            "Write it as postgresql://name:password@host:5432/database, special characters percent-encoded."
        )


@dataclass(eq=False)
class Unreachable(EngineError):
    """No session could be opened. `why` is one of our own phrases, never the driver's text.

    `shut`: the server answered that it lets this login not in there, or has no such place; else it may a moment later.
    """

    environment: str
    place: str
    why: str
    next_step: str
    shut: bool = False

    def __str__(self) -> str:
        return f"{self.environment} ({self.place}) cannot be reached: {self.why}. {self.next_step}"


@dataclass(eq=False)
class ServerTooOld(EngineError):
    """The server is older than PostgreSQL 13."""

    environment: str
    server: str

    def __str__(self) -> str:
        return (
            f"{self.environment} runs on PostgreSQL {self.server}; Twokey needs 13 or newer. "
            "Upgrade the server, then ask again."
        )


@dataclass(eq=False)
class ReadOnly(EngineError):
    """The server is a standby, or its sessions are read-only."""

    environment: str
    place: str

    def __str__(self) -> str:
        return (
            f"{self.environment} ({self.place}) only accepts reads: it is a standby or set read-only. "
            "Point the environment's address at the primary."
        )


@dataclass(eq=False)
class ConnectionLost(EngineError):
    """The session ended in the middle. What committed is for a new session to ask (`apply.what_is_in`)."""

    environment: str

    def __str__(self) -> str:
        return (
            f"The connection to {self.environment} was lost. "
            "Its own history knows what committed: look at the status before applying again."
        )


@dataclass(eq=False)
class ServerRefused(EngineError):
    """The server would not do what was asked outside a migration's text. `message` is its own, masked."""

    environment: str
    sqlstate: str
    message: str

    def __str__(self) -> str:
        return (
            f"The server of {self.environment} refused ({self.sqlstate}): {self.message}. "
            "Remove the cause, or wait until it passes, then ask again."
        )


@dataclass(eq=False)
class MissingPrivilege(EngineError):
    """The role of the address may not do what bookkeeping needs."""

    environment: str
    role: str
    schema: str

    def __str__(self) -> str:
        return (
            f"{self.role} may not keep Twokey's tables in {self.environment}. "
            f"An owner can allow it: GRANT USAGE, CREATE ON SCHEMA {self.schema} TO {self.role}; "
            "and give it the table schema_migrations if another role owns it."
        )


@dataclass(eq=False)
class NoSchema(EngineError):
    """The session's search_path names no schema that exists and may be used."""

    environment: str

    def __str__(self) -> str:
        return (
            f"{self.environment} has no schema to keep its history in: no schema of the search_path exists, "
            "or the role may use none. Create one, or grant USAGE on it."
        )


@dataclass(eq=False)
class ForeignHistory(EngineError):
    """A table named schema_migrations exists, but of another shape."""

    environment: str
    table: str
    lacking: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.table} in {self.environment} belongs to another tool: it has no {', '.join(self.lacking)}. "
            "Rename that table, or keep Twokey's history in another schema by setting search_path for the role."
        )


@dataclass(eq=False)
class HistoryElsewhere(EngineError):
    """This database has Twokey's tables in a schema that the session's search_path does not lead to."""

    environment: str
    schema: str

    def __str__(self) -> str:
        return (
            f"The history in this database stands in the schema {self.schema}, where the search_path of "
            f"{self.environment} does not lead. Correct the address, or set the role's search_path so that "
            f"{self.schema} comes first."
        )


@dataclass(eq=False)
class WrongEnvironment(EngineError):
    """The address leads to a database that says it is another environment."""

    environment: str
    found: str
    place: str
    table: str

    def __str__(self) -> str:
        return (
            f"The address of {self.environment} leads to {self.place}, and that database says it is {self.found}. "
            f"Correct the address. If the database is a copy of {self.found} made on purpose, "
            f"an owner empties {self.table} there."
        )


@dataclass(eq=False)
class WouldUnprotect(EngineError):
    """The database says it is protected; the workflow file says it is not."""

    environment: str
    table: str

    def __str__(self) -> str:
        return (
            f"{self.environment} is protected, the database says so, but twokey.toml does not. "
            f"Set protected = true there. To unprotect it, an owner sets protected to false in {self.table}."
        )


@dataclass(eq=False)
class EnvironmentBusy(EngineError):
    """Another run held the environment's lock for as long as we were willing to wait."""

    environment: str
    holder: str
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.environment} is busy: {self.holder} still holds it after {self.seconds:.0f} s. "
            "Nothing was changed. Ask again when that run has ended."
        )


@dataclass(eq=False)
class LockNotHeld(EngineError):
    """This session does not hold the environment's lock, though it should."""

    environment: str

    def __str__(self) -> str:
        return (
            f"The lock of {self.environment} is not held by this session, so nothing runs. "
            "If a pooler such as PgBouncer stands between, point the address at the server itself."
        )
