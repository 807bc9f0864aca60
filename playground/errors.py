"""Slack's way of saying no: `{"ok": false, "error": "a_name"}`, nearly always with status 200."""

from playground.people import Json


class Refused(Exception):
    """A call that Slack would not do. `error` is Slack's own name for it."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.more = more

    def as_slack(self) -> Json:
        """The body of the answer."""
        return {"ok": False, "error": self.error, **self.more}

    @classmethod
    def because(cls, error: str, *reasons: str) -> "Refused":
        """With the lines that Slack puts into `response_metadata`, each beginning with [ERROR]."""
        return cls(error, response_metadata={"messages": [f"[ERROR] {reason}" for reason in reasons]})


class Unspeakable(Exception):
    """A wish of a test or of the page that makes no sense, in one sentence."""
