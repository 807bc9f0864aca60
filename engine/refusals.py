"""Why a plan cannot be drawn: each a rule of promotion, with the sentence that names the file and the way out."""

from dataclasses import dataclass

from engine.errors import EngineError, Hint


class PlanRefused(EngineError):
    """The rules of promotion say no. Nothing was changed."""


@dataclass(eq=False)
class HistoryDisagrees(PlanRefused):
    """The folder and the environment's history do not agree. `problems` are whole sentences; `edited` are ids."""

    environment: str
    problems: tuple[str, ...]
    edited: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(self.problems)

    @property
    def hint(self) -> Hint | None:
        """What changed in a file can be seen."""
        return Hint("See what changed", f"repair {self.environment}") if self.edited else None


@dataclass(eq=False)
class UpToDate(PlanRefused):
    """Every file of the folder is applied."""

    environment: str

    def __str__(self) -> str:
        return f"{self.environment} already has every migration of the folder. There is nothing to apply."


@dataclass(eq=False)
class NotCommitted(PlanRefused):
    """The folder is a git checkout, and what would run stands in no commit as it is."""

    environment: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.environment} is protected and gets what is committed alone. Not in HEAD as in the folder: "
            f"{', '.join(self.files)}. Commit it, bring the workers that commit, then ask again."
        )


@dataclass(eq=False)
class CheckoutUnread(PlanRefused):
    """The folder is a git checkout that git will not read for us. `why` is git's own word."""

    environment: str
    why: str

    def __str__(self) -> str:
        return (
            f"{self.environment} is protected, its migrations are a git checkout, and that cannot be read: {self.why}. "
            "Put that right where the worker runs (`git log` there says the same), then ask again."
        )


@dataclass(eq=False)
class BeforeUnobserved(PlanRefused):
    """What the environment before has is not known."""

    environment: str
    before: str

    def __str__(self) -> str:
        return (
            f"{self.environment} only gets what {self.before} has, and {self.before} was not observed. "
            f"Start the worker of {self.before} or bring its database back, then ask again."
        )


@dataclass(eq=False)
class AfterUnobserved(PlanRefused):
    """What an environment further on has is not known."""

    environment: str
    after: str

    def __str__(self) -> str:
        return (
            f"{self.environment} only loses what no environment after it has, and {self.after} was not observed. "
            f"Start the worker of {self.after} or bring its database back, then ask again."
        )


@dataclass(eq=False)
class BeforeLacks(PlanRefused):
    """What is pending here is not on the environment before yet."""

    environment: str
    before: str
    migration: str

    def __str__(self) -> str:
        return (
            f"{self.before} does not have {self.migration}.sql yet, so {self.environment} cannot get it. "
            f"Bring it to {self.before} first."
        )


@dataclass(eq=False)
class BeforeDiffers(PlanRefused):
    """The environment before ran another text under the same name."""

    environment: str
    before: str
    migration: str
    ran: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.before} ran another text of {self.migration}.sql ({self.ran[:8]}) "
            f"than {self.environment} would get ({self.found[:8]}). "
            f"Restore the file as {self.before} ran it, or put the change in a new migration."
        )


@dataclass(eq=False)
class OrderDiffers(PlanRefused):
    """The two histories do not run side by side; `here` stands where `there` should."""

    environment: str
    before: str
    here: str
    there: str

    def __str__(self) -> str:
        return (
            f"{self.environment} would have {self.here} where {self.before} has {self.there}, "
            "and the order must be the same. "
            f"Compare the two with validate, then bring {self.environment}'s history in line by hand."
        )


@dataclass(eq=False)
class NotInBefore(PlanRefused):
    """This environment has something that the one before it never got."""

    environment: str
    before: str
    migration: str

    def __str__(self) -> str:
        return f"{self.environment} has {self.migration}, which {self.before} does not. Apply {self.before} first."


@dataclass(eq=False)
class NotCertified(PlanRefused):
    """Nothing of what is pending here is certified on the environment before."""

    environment: str
    before: str
    migration: str

    def __str__(self) -> str:
        return (
            f"{self.migration}.sql is on {self.before} but not certified there, so {self.environment} cannot get it. "
            f"Test {self.before}, then certify {self.before} first."
        )


@dataclass(eq=False)
class CertifiedOtherwise(PlanRefused):
    """What was certified under this name had another text."""

    environment: str
    before: str
    migration: str

    def __str__(self) -> str:
        return (
            f"{self.before} was certified with another text of {self.migration}.sql than it has now. "
            f"Test {self.before} again, then certify {self.before}."
        )


@dataclass(eq=False)
class PlanAltered(EngineError):
    """A stored plan's texts or digest do not belong together."""

    environment: str
    digest: str

    def __str__(self) -> str:
        return (
            f"The stored plan {self.digest[:12]} of {self.environment} was altered, so it will not run. "
            "Ask again for a new plan."
        )


@dataclass(eq=False)
class HistoryMoved(EngineError):
    """The environment's history is not what it was when the plan was drawn."""

    environment: str
    planned: str | None
    found: str | None

    def __str__(self) -> str:
        return (
            f"{self.environment} moved on since the plan: its last migration was {self.planned or 'none'} "
            f"and is now {self.found or 'none'}. Ask again for a new plan."
        )


@dataclass(eq=False)
class PlanForAnother(EngineError):
    """A plan was brought to another environment than it was drawn for."""

    environment: str
    planned: str

    def __str__(self) -> str:
        return (
            f"This plan was drawn for {self.planned} and will not run on {self.environment}. "
            f"Ask for a plan of {self.environment}."
        )
