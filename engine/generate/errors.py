"""Why nothing was generated: each with the sentence that names what it was and the way out."""

from dataclasses import dataclass

from engine.errors import EngineError, Hint


class NotGenerated(EngineError):
    """Nothing was generated and nothing was written."""


@dataclass(eq=False)
class NoSource(NotGenerated):
    """Nobody has said what to generate from."""

    def __str__(self) -> str:
        return (
            "twokey.toml does not say what migrations are generated from. Write there: "
            '[generate] models = "models:Base", a module and its MetaData or declarative base; '
            'or command = ["…"], a command that prints SQL.'
        )


@dataclass(eq=False)
class NotLevel(NotGenerated):
    """The first environment is not what the folder makes. `why` is sentences, `helps` the command that does."""

    environment: str
    why: str
    helps: Hint | None = None

    def __str__(self) -> str:
        return f"Nothing is generated while {self.environment} is not as the folder makes it. {self.why}"

    @property
    def hint(self) -> Hint | None:
        """As `helps` says."""
        return self.helps


@dataclass(eq=False)
class ModelsWrong(NotGenerated):
    """The models could not be read. `why` is a sentence's half."""

    models: str
    why: str
    next_step: str

    def __str__(self) -> str:
        return f"The models {self.models} could not be read: {self.why}. {self.next_step}"


@dataclass(eq=False)
class CommandFailed(NotGenerated):
    """The command that should print SQL did not. `why` is a sentence's half."""

    command: str
    why: str

    def __str__(self) -> str:
        return f"The command {self.command}, from [generate] in twokey.toml, {self.why}. Run it by hand to see why."


@dataclass(eq=False)
class CannotGenerate(NotGenerated):
    """The models say something for which no statement is generated; `what` names it."""

    what: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"This cannot be generated: {'; '.join(self.what)}. "
            "Write a migration for it by hand, apply it, then generate again."
        )


@dataclass(eq=False)
class NotProven(NotGenerated):
    """What was generated does not do what it should. `why` is sentences."""

    why: str

    def __str__(self) -> str:
        return f"What was generated could not be proven, so nothing was written. {self.why}"
