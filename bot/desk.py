"""What happens when someone asks: judge by what the ledger knows → write → ring. Knows nothing of Slack's shapes."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot import story
from bot.archive import Archive
from bot.bygones import Bygones
from bot.commands import Backups, Cancel, Command, Do, Edits, Export, Freeze, Help, History, Plan, Requests, Status
from bot.identity import Directory
from bot.outcomes import (
    NAME_FIELD,
    REASON_FIELD,
    AskInModal,
    FrozenNow,
    Helped,
    Home,
    Looking,
    Mistyped,
    Outcome,
    Refused,
    Shared,
    TakenBack,
    WrittenDown,
)
from bot.threshold import GATE_FROM, Threshold
from bot.typed import LONGEST_NOTE, tidy
from ledger import policy, verdict
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.errors import AlreadyOpen, IllegalMove, NoSuchRecord, NoSuchRequest
from ledger.events import Cancelled
from ledger.records import Question
from ledger.request import Act, Actor, Kind, Wish
from ledger.states import State
from ledger.verdict import harmless
from ledger.workflow import Environment, Workflow


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, where, and how they are answered. `key` is the same for two deliveries of the same asking.

    `under` is the message whose button was pressed, as Slack numbers it, if one was.
    """

    actor_id: str
    channel: str
    key: str
    response_url: str = ""
    under: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """The form before a protected environment, as it came back."""

    environment: str
    typed: str
    reason: str
    act: Act = Act.APPLY
    about: tuple[str, ...] = ()
    covers_of: int | None = None


class Desk:
    """One per process. Every method may raise LedgerUnreachable, and SlackFailed where a person is looked up."""

    def __init__(
        self, book: Book, *, bell: Doorbell, directory: Directory, workflow: Workflow, archive: Archive
    ) -> None:
        self._book, self._bell, self._directory, self._workflow = book, bell, directory, workflow
        self._archive = archive
        self._threshold = Threshold(book, directory=directory, workflow=workflow)
        self._bygones = Bygones(book)

    def ask(self, command: Command, asker: Asker) -> Outcome:
        """Do what a command says, or refuse with a sentence. What comes back as done is committed."""
        if isinstance(command, Help):
            return Helped(command.word)
        actor = self._directory.actor(asker.actor_id)
        if actor.kind not in {Kind.FULL_MEMBER, Kind.GUEST}:
            return Refused("Twokey answers the members of its own workspace. Ask one of them to look for you.")
        match command:
            case Do(act=act, environment=name, about=about, note=note):
                done = asker.under and self._bygones.asked_under(
                    command, by=actor.id, channel=asker.channel, ts=asker.under
                )
                return done or self._do(replace(_wish(act, name, actor, asker), about=about, note=note))
            case Freeze():
                return self._freeze(command, actor, asker)
            case Cancel(request_id=request_id):
                return self._cancel(request_id, actor, asker.channel)
            case Export(request_id=request_id):
                return self._archive.export(request_id, actor, channel=asker.channel, shared=self._threshold.shared)
            case Requests():
                return self._archive.listed(None, open_only=True)
            case History(environment=name):
                return self._archive.listed(name, open_only=False)
            case Status(environment=name):
                return self._look(Question.STATUS, name, actor, asker)
            case Backups(environment=name):
                return self._look(Question.BACKUPS, name, actor, asker)
            case Edits(environment=name):
                refused = verdict.not_a_member(actor)  # what changed is SQL
                return Refused(refused.why) if refused else self._look(Question.REPAIR, name, actor, asker)
            case Plan(environment=name):
                return self._look(Question.PLAN, name, actor, asker)
            case _:
                return self._look(Question.VALIDATE, None, actor, asker)

    def home(self, actor_id: str) -> Home | Refused:
        """What the app's own tab shows to this person."""
        return self._archive.home(self._directory.actor(actor_id))

    def certify_after(self, request_id: int, asker: Asker) -> Outcome:
        """Certify what a run left, as the button under its message says."""
        try:
            request = self._book.request(request_id)
        except NoSuchRequest as missing:
            return Refused(str(missing))
        covers_of = request.id if request.act is Act.APPLY else request.covers_of
        actor = self._directory.actor(asker.actor_id)
        return self._do(replace(_wish(Act.CERTIFY, request.environment, actor, asker), covers_of=covers_of))

    def undo(self, request_id: int, asker: Asker) -> Outcome:
        """Take back what a run brought, as the button under its message says; it and nothing else."""
        try:
            request = self._book.request(request_id)
        except NoSuchRequest as missing:
            return Refused(str(missing))
        brought = len(story.brought(self._book.events(request_id))) if request.act is Act.APPLY else 0
        if not brought:
            return Refused(f"#{request_id} brought nothing that could be taken back.")
        actor = self._directory.actor(asker.actor_id)
        wish = _wish(Act.ROLLBACK, request.environment, actor, asker)
        return self._do(replace(wish, about=("last", str(brought)), covers_of=request.id))

    def confirm(self, filled: Filled, asker: Asker) -> WrittenDown | Mistyped | Refused:
        """Open the request that the form asked for, when its name is typed right and a reason is given.

        Everything is judged again: minutes may lie between the form and its return.
        """
        environment = self._workflow.environment(filled.environment)
        if environment is None:
            return Refused(f"{filled.environment} is no longer in twokey.toml. `/migrate help` lists the environments.")
        if tidy(filled.typed) != environment.name:
            return Mistyped(NAME_FIELD, f"Type {environment.name}, exactly so, to confirm.")
        reason = tidy(filled.reason)
        if not reason:
            return Mistyped(REASON_FIELD, "Say why, in a few words. The second person reads it.")
        if len(reason) > LONGEST_NOTE:
            return Mistyped(REASON_FIELD, f"The reason has {len(reason)} characters; {LONGEST_NOTE} fit.")
        actor = self._directory.actor(asker.actor_id)
        wish = replace(
            _wish(filled.act, environment.name, actor, asker),
            reason=reason,
            about=filled.about,
            covers_of=filled.covers_of,
        )
        wish = self._threshold.with_groups(wish, environment)
        refused = self._threshold.refusal(wish, environment) or self._bygones.of_a_run(wish)
        return refused or self._open(wish, environment)

    def share(self, inquiry_id: int, asker: Asker) -> Outcome:
        """Let the answer stand in the channel too."""
        actor = self._directory.actor(asker.actor_id)
        try:
            inquiry = self._book.inquiry(inquiry_id)
        except NoSuchRecord as missing:
            return Refused(str(missing))
        if guest := verdict.not_a_member(actor):  # who may only look says nothing in a channel by us
            return Refused(guest.why)
        if inquiry.actor.id != actor.id:
            return Refused("Only the one who asked can share this answer. Ask the same yourself.")
        if asker.channel not in {e.channel for e in self._workflow.environments} | {self._workflow.channel}:
            return Refused(f"Answers are shared in <#{self._workflow.channel}>. Ask there.")
        if self._book.share(inquiry_id, actor=actor, channel=asker.channel):
            return Shared()
        return Refused("This answer was shared already.")

    def _do(self, wish: Wish) -> Outcome:
        environment = self._workflow.environment(wish.environment)
        if environment is None:
            return Refused(f"{wish.environment} is no longer in twokey.toml. `/migrate help` lists the environments.")
        wish = self._threshold.with_groups(wish, environment)
        refused = self._needless(wish, environment) or self._threshold.refusal(wish, environment)
        if refused := refused or self._certified(wish) or self._bygones.of_a_run(wish):
            return refused
        if policy.takes_two_keys(wish.act, environment):
            return AskInModal(environment, wish.channel, wish.act, wish.about, wish.covers_of)
        return self._open(wish, environment)

    def _freeze(self, command: Freeze, actor: Actor, asker: Asker) -> Outcome:
        """At once, for whoever may ask: it only makes safer."""
        wish = _wish(Act.FREEZE, command.environment, actor, asker)
        wish = replace(wish, reason=command.reason, about=command.about)
        environment = self._workflow.environment(wish.environment)
        assert environment is not None  # the grammar knows no other
        if refused := self._threshold.refusal(wish, environment):
            return refused
        until = command.until
        if isinstance(until, datetime) and until <= self._book.now():
            return Refused(f"{until:%Y-%m-%d %H:%M} UTC is over. Nothing was frozen.")
        keys = {"protected": environment.protected, "approvals": environment.approvals}
        request, _ = self._book.freeze(wish, until=until, **keys)
        ends = request.asked_at + until if isinstance(until, timedelta) else until
        return FrozenNow(request, ends, self._book.frozen(environment.name))

    def _needless(self, wish: Wish, environment: Environment) -> Refused | None:
        """A certification that no environment waits for, and a thaw where there is no frost."""
        if wish.act is Act.THAW and self._book.frozen(environment.name) is None:
            return Refused(f"{environment.name} is not frozen.")
        after = self._workflow.after(environment)
        if wish.act is not Act.CERTIFY or (after is not None and after.protected):
            return None
        return Refused(f"{environment.name} needs no certification: no protected environment comes after it.")

    def _certified(self, wish: Wish) -> Refused | None:
        """The same word twice says nothing new: refused while nothing was applied since and no new note is given."""
        newest = self._book.certification(wish.environment) if wish.act is Act.CERTIFY else None
        if newest is None or wish.note not in {None, newest.by.note}:
            return None
        if self._book.applied_since(wish.environment, newest.by.at) is not None:
            return None
        by = f"by {harmless(newest.by.actor_name)} at {newest.by.at:%Y-%m-%d %H:%M} UTC"
        return Refused(
            f"{wish.environment} is certified already, {by}, "
            "and nothing was applied since. To certify it anew, add a note: "
            f"`/migrate certify {wish.environment} <note>`."
        )

    def _open(self, wish: Wish, environment: Environment) -> WrittenDown | Refused:
        expires_in = self._workflow.requests_expire
        # Asked before: once it is written, nothing may fail that would have it said that it was not.
        there = self._book.requests(environment=environment.name, open_only=True, limit=GATE_FROM)
        try:
            request, new = self._book.open(wish, expires_in=expires_in, protected=environment.protected)
        except AlreadyOpen as error:
            return Refused(str(error))
        rung = self._bell.ring(request, environment.name)
        behind = next((one.id for one in there if one.id < request.id), None)  # of one environment, one runs at a time
        return WrittenDown(request, new=new, rung=rung, behind=behind)

    def _cancel(self, request_id: int, actor: Actor, channel: str) -> Outcome:
        try:
            request = self._book.request(request_id)
            environment = self._workflow.environment(request.environment)
            if environment is None:
                return Refused(f"{request.environment} is no longer in twokey.toml, so #{request_id} can only expire.")
            if refused := self._threshold.keeps_from_cancelling(request, environment, actor=actor, channel=channel):
                return refused
            return TakenBack(self._book.move(request_id, State.CANCELLED, why=Cancelled(actor.id, actor.name)))
        except (NoSuchRequest, IllegalMove) as error:
            return Refused(str(error))

    def _look(self, question: Question, name: str | None, actor: Actor, asker: Asker) -> Looking:
        names = self._needed_for(question, name)
        meant = names if name is None else (name,)
        inquiry, _ = self._book.ask(
            question=question,
            environment=name,
            environments=names,
            actor=actor,
            channel=asker.channel,
            response_url=asker.response_url,
            key=asker.key,
        )
        rung = [self._bell.ring_look(one.id, one.environment) for one in self._book.observations(inquiry.id)]
        return Looking(meant, rung=any(rung))

    def _needed_for(self, question: Question, name: str | None) -> tuple[str, ...]:
        environment = self._workflow.environment(name) if name else None
        if environment is None:
            return tuple(each.name for each in self._workflow.environments)
        if question in {Question.STATUS, Question.BACKUPS, Question.REPAIR}:
            return (environment.name,)
        before = self._workflow.before(environment)
        return (before.name, environment.name) if before else (environment.name,)


def _wish(act: Act, name: str, actor: Actor, asker: Asker) -> Wish:
    return Wish(act=act, environment=name, actor=actor, channel=asker.channel, key=asker.key)
