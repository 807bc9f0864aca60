"""What can go wrong with the ledger itself. Each error carries its facts and says the next step."""

from datetime import datetime

from ledger.states import SAID, State


class LedgerError(Exception):
    """The root of what this room raises."""


class LedgerUnreachable(LedgerError):
    """The ledger's database does not answer, or does not let us in. Never carries the URL: it holds a password."""

    def __str__(self) -> str:
        return (
            "The ledger's database cannot be reached. Check that PostgreSQL is up and that LEDGER_DATABASE_URL "
            "names the right host, login and database."
        )


class LedgerBusy(LedgerUnreachable):
    """The ledger's database is there and could not do it now: locked, overloaded, full or read-only. Tried again."""

    def __str__(self) -> str:
        return (
            "The ledger's database did not do that just now: it is locked, overloaded, full or read-only. "
            "Try again in a moment; if that does not help, look at the server."
        )


class MalformedUrl(LedgerError):
    """A setting that should be a URL is not one. Names the setting and never its value."""

    def __init__(self, setting: str, example: str) -> None:
        super().__init__(setting, example)
        self.setting, self.example = setting, example

    def __str__(self) -> str:
        return f"{self.setting} is not a URL that Twokey understands. Write it like {self.example}."


class NoSuchRequest(LedgerError):
    """No request has this number."""

    def __init__(self, request_id: int) -> None:
        super().__init__(request_id)
        self.request_id = request_id

    def __str__(self) -> str:
        return f"There is no request #{self.request_id}. `/migrate requests` lists the open ones."


class NoSuchRecord(LedgerError):
    """A ring or a button named a row that the ledger does not have, such as observation 7."""

    def __init__(self, what: str, record_id: int) -> None:
        super().__init__(what, record_id)
        self.what, self.record_id = what, record_id

    def __str__(self) -> str:
        return f"The ledger has no {self.what} {self.record_id}. Ask again."


class IllegalMove(LedgerError):
    """The request stands where this move does not start from: someone else was first, or it is over."""

    def __init__(self, request_id: int, standing: State, to: State) -> None:
        super().__init__(request_id, standing, to)
        self.request_id, self.standing, self.to = request_id, standing, to

    def __str__(self) -> str:
        return (
            f"#{self.request_id} {SAID[self.standing]}, so that cannot be done now. "
            "`/migrate requests` shows where the open requests stand."
        )


class TooLate(IllegalMove):
    """The request would be approved or started, but its time was over on the ledger's clock."""

    def __init__(self, request_id: int, standing: State, to: State, expired_at: datetime) -> None:
        LedgerError.__init__(self, request_id, standing, to, expired_at)
        self.request_id, self.standing, self.to, self.expired_at = request_id, standing, to, expired_at

    def __str__(self) -> str:
        return f"#{self.request_id} expired at {self.expired_at:%Y-%m-%d %H:%M} UTC. Ask again for a new plan."


class FrozenMeanwhile(IllegalMove):
    """A second person said yes in the very moment in which somebody froze the environment, and that counts."""

    def __str__(self) -> str:
        return f"#{self.request_id} was frozen while you approved it. Approve it anew when that is over."


class AlreadyOpen(LedgerError):
    """A protected environment has an open request, and there is one at a time."""

    def __init__(self, environment: str, request_id: int) -> None:
        super().__init__(environment, request_id)
        self.environment, self.request_id = environment, request_id

    def __str__(self) -> str:
        return (
            f"{self.environment} has an open request, #{self.request_id}. "
            f"Wait for its end, or take it back with `/migrate cancel {self.request_id}`."
        )


class OwnDecision(LedgerError):
    """The requester tried to decide about their own request, and the ledger's constraint refused the row."""

    def __init__(self, request_id: int) -> None:
        super().__init__(request_id)
        self.request_id = request_id

    def __str__(self) -> str:
        return f"Whoever asked for #{self.request_id} cannot decide about it. The second key is someone else's."


class AuthorsDecision(LedgerError):
    """An author whom the plan bars tried to decide about it, and the ledger's trigger refused the row."""

    def __init__(self, request_id: int) -> None:
        super().__init__(request_id)
        self.request_id = request_id

    def __str__(self) -> str:
        return f"Whoever wrote a part of what #{self.request_id} is about does not decide about it. Ask somebody else."
