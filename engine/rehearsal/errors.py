"""Why a rehearsal gives no receipt. In every case the environment itself is as it was."""

from dataclasses import dataclass

from engine.errors import EngineError
from engine.report import Failure


@dataclass(eq=False)
class NotRehearsed(EngineError):
    """The plan was not run at all. `why` is a sentence's half."""

    environment: str
    why: str
    next_step: str

    def __str__(self) -> str:
        return f"The plan for {self.environment} was not rehearsed: {self.why}. Nothing was touched. {self.next_step}"


@dataclass(eq=False)
class RehearsalFailed(EngineError):
    """A statement was refused on the copy: the file's `number`th of so many, 0 where it was none of them."""

    environment: str
    number: int
    of: int
    failure: Failure

    def __str__(self) -> str:
        told = self.failure
        line = f":{told.line}" if told.line else ""
        which = f", statement {self.number} of {self.of}," if self.number else ""
        return (
            f"{told.migration}.sql{line}{which} failed in rehearsal on a copy of {self.environment} ({told.sqlstate}): "
            f"{told.message}. {self.environment} was not touched. {told.next_step}"
        )


@dataclass(eq=False)
class EffectsDiffer(EngineError):
    """What a file declares as its effects is not what it did. `why` is a sentence's half."""

    environment: str
    migration: str
    line: int
    why: str

    def __str__(self) -> str:
        return (
            f"{self.migration}.sql:{self.line} declares other effects than the rehearsal saw on a copy of "
            f"{self.environment}: {self.why}. {self.environment} was not touched. "
            "Correct the file or its `-- effects:` line."
        )
