"""What is already known to stand against a wish, before anything is written: the place, the person, the ledger."""

from dataclasses import replace

from bot.identity import Directory
from bot.outcomes import Refused
from ledger import policy
from ledger.book import Book
from ledger.events import Refused as NotCounted
from ledger.request import Act, Actor, Request, Wish
from ledger.states import FINAL
from ledger.workflow import Environment, Workflow

#: How many open ones a gate looks through.
GATE_FROM = 50


class Threshold:
    """One per process. Every method may raise LedgerUnreachable, and SlackFailed where Slack is asked."""

    def __init__(self, book: Book, *, directory: Directory, workflow: Workflow) -> None:
        self._book, self._directory, self._workflow = book, directory, workflow

    def with_groups(self, wish: Wish, environment: Environment) -> Wish:
        """The wish with the user groups that matter for it, as they are now; they are written down with it."""
        gated = policy.takes_two_keys(wish.act, environment)
        listed = (environment.certifiers or ()) if wish.act is Act.CERTIFY else environment.approvers if gated else ()
        return replace(wish, groups=self._directory.groups(listed))

    def refusal(self, wish: Wish, environment: Environment) -> Refused | None:
        """Why it cannot be asked for now, or None."""
        if not self._is_configured(wish.channel, environment):
            return Refused(f"Ask for {environment.name} in <#{environment.channel}>, where everyone concerned sees it.")
        if shared := self.shared(wish.channel, environment):
            return shared
        # Only these are gated by the ledger; everyone else's ack need not wait for two more questions.
        gated = policy.takes_two_keys(wish.act, environment)
        limited = gated or wish.act is Act.BACKUP
        before = self._workflow.before(environment) if gated else None
        verdict = policy.may_ask(
            wish.actor,
            environment,
            act=wish.act,
            open_requests=self._book.requests(environment=environment.name, open_only=True, limit=GATE_FROM)
            if limited
            else (),
            before=before,
            certification=self._book.certification(before.name) if before else None,
            groups=wish.groups,
            freeze=self._book.frozen(environment.name),
        )
        return Refused(verdict.why) if isinstance(verdict, policy.Denied) else None

    def keeps_from_cancelling(
        self, request: Request, environment: Environment, *, actor: Actor, channel: str
    ) -> Refused | None:
        """Why this person cannot cancel from there, or None; while the request is open, kept as a line of its story."""
        if not self._is_configured(channel, environment):
            return Refused(f"Cancel #{request.id} in <#{environment.channel}>, where everyone concerned sees it.")
        groups = self._directory.groups(environment.approvers)
        verdict = policy.may_cancel(actor, request, environment, groups=groups)
        if not isinstance(verdict, policy.Denied):
            return None
        if request.state not in FINAL:
            self._book.tell(request.id, NotCounted(actor.id, actor.name, verdict.why, deed="cancelling"))
        return Refused(verdict.why)

    def _is_configured(self, channel: str, environment: Environment) -> bool:
        return channel in {environment.channel, self._workflow.channel}

    def shared(self, channel: str, environment: Environment) -> Refused | None:
        """Why nothing may be said there, where strangers may read; None where none do."""
        for one in dict.fromkeys((channel, environment.channel)):
            if not self._directory.is_ours(one):
                return Refused(
                    f"<#{one}> may be shared with other organisations: Slack does not say that it is not. Nothing is "
                    "asked for where strangers read. Unshare it, or name another channel in twokey.toml."
                )
        return None
