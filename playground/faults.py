"""Slack's bad days, on demand: an error, a rate limit, a long silence, or an answer that never arrives."""

from dataclasses import dataclass, field, replace

from playground.people import Json


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next `times` calls of a method ("*" for any)."""

    method: str
    times: int = 1
    error: str | None = None
    status: int = 200
    retry_after: int | None = None
    hang: float = 0.0
    lose_answer: bool = False

    @property
    def drops(self) -> bool:
        """The connection ends without an answer; a call that only hung ends so too, with nothing done."""
        return self.lose_answer or (self.hang > 0 and not self.error and self.status == 200)

    def as_slack(self) -> Json:
        return {"ok": False, "error": self.error or ("ratelimited" if self.status == 429 else "internal_error")}


@dataclass(slots=True)
class Faults:
    """The faults that were ordered, oldest first."""

    ordered: list[Fault] = field(default_factory=list)

    def take(self, method: str) -> Fault | None:
        """The fault this call meets, if any; one fewer is left afterwards."""
        for position, fault in enumerate(self.ordered):
            if fault.method in ("*", method):
                if fault.times > 1:
                    self.ordered[position] = replace(fault, times=fault.times - 1)
                else:
                    del self.ordered[position]
                return fault
        return None
