"""Text → command, or a Slip that points at the word. Pure: the environments' names are the only knowledge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from bot import until
from bot.commands import (
    Backups,
    Cancel,
    Command,
    Do,
    Edits,
    Export,
    Freeze,
    Help,
    History,
    Plan,
    Requests,
    Status,
    Validate,
)
from bot.phrasebook import TABLE
from bot.typed import LONGEST_NOTE, QUOTES, Said, Slip, clip, read, short
from ledger.request import Act
from ledger.workflow import Environment, Workflow

#: The longest name of a migration, as its history has room for it; and more than anybody takes back at once.
LONGEST_NAME, MOST = 255, 10_000

#: How alike a word has to be that is offered: one or two letters of it may be wrong.
NEAR = 0.7

#: How many files one repair may name: as many as a button has room for.
MOST_FILES = 7


def parse(text: str, workflow: Workflow) -> Command:
    """What was asked. Environments come back by their configured names.

    Raises Slip, which points at the word that was not understood and offers the nearest one.
    """
    said = read(text, workflow)
    if not said.words:
        return Help()
    reader = READERS.get(said.first.text.casefold())
    if reader is None:
        raise said.slip(said.first, _unknown_command(said.first.text))
    return reader(said)


def _unknown_command(word: str) -> str:
    near = _near(word.casefold(), [row.word for row in TABLE])
    offer = f"Did you mean `{near}`?" if near else "`/migrate help` lists what can be said."
    return f"“{clip(word)}” is not a command. {offer}"


def _near(word: str, known: Sequence[str]) -> str | None:
    """The only one of these that begins so, or the one that looks most like it; None where none is near."""
    begun = [one for one in known if one.startswith(word)] if len(word) > 1 else []
    near = begun if len(begun) == 1 else get_close_matches(word, known, n=1, cutoff=NEAR)
    return near[0] if near else None


def _environment(said: Said) -> Environment:
    if len(said.words) < 2:
        raise said.slip(None, f"Which environment? For example `{_example(said)}`.")
    word = said.words[1]
    found = said.workflow.environment(word.text)
    if found is None:
        raise said.slip(word, _unknown_environment(said, word.text))
    return found


def _example(said: Said) -> str:
    """The command with an environment for which it makes sense."""
    flow, word = said.workflow, said.first.text.casefold()
    certified = [before for e in flow.environments if e.protected and (before := flow.before(e))]
    fitting = {"certify": certified, "promote": list(flow.environments[1:])}.get(word, [])
    return f"{word} {short((fitting or flow.environments)[0])}"


def _unknown_environment(said: Said, word: str) -> str:
    known = [name for e in said.workflow.environments for name in (e.name, *e.aliases)]
    if near := _near(word.casefold(), [name.casefold() for name in known]):
        return f"“{clip(word)}” is not an environment. Did you mean `{said.first.text.casefold()} {near}`?"
    return f"“{clip(word)}” is not an environment. There are {', '.join(known)}."


def _nothing_after(said: Said, count: int) -> None:
    if len(said.words) > count:
        extra = said.words[count]
        whole = " ".join(word.text for word in said.words[:count])
        raise said.slip(extra, f"“{clip(extra.text)}” is a word too many; `{whole}` says it all.")


def _one_environment(said: Said) -> str:
    found = _environment(said)
    _nothing_after(said, 2)
    return found.name


def _perhaps_environment(said: Said) -> str | None:
    return _one_environment(said) if len(said.words) > 1 else None


def _promote(said: Said) -> Do:
    found = _environment(said)
    if said.workflow.before(found) is None:
        why = f"{found.name} is the first environment, so nothing is promoted to it. Say `apply {short(found)}`."
        raise said.slip(said.first, why)
    return Do(Act.APPLY, _one_environment(said))


def _certify(said: Said) -> Do:
    environment = _environment(said)
    if len(said.words) == 2:
        return Do(Act.CERTIFY, environment.name)
    return Do(Act.CERTIFY, environment.name, note=_rest(said, 2, what="note"))


def _rest(said: Said, place: int, *, what: str) -> str:
    """Everything from a word on, as it was typed."""
    first = said.words[place]
    rest = said.text[first.start :]
    if said.text[first.start - 1] in QUOTES:  # quoted as a whole
        rest = rest.rstrip(QUOTES)
    if len(rest) > LONGEST_NOTE:
        why = f"The {what} has {len(rest)} characters; {LONGEST_NOTE} fit. Say it shorter and link to the rest."
        raise Slip(text=said.text[: first.start + 20], start=first.start, length=20, why=why)
    return rest


def _freeze(said: Said) -> Freeze:
    environment = _environment(said)
    words = [word.text for word in said.words[2:]]
    try:
        ends, count = until.read(words)
    except until.NoSuchMoment as none:
        posing = said.words[2 + none.first :][: none.count]
        about = clip(" ".join(word.text for word in posing))
        raise said.slip_along(posing, f"Until when? For “{about}”, {none}.") from none
    if len(words) == count:
        why = f"Why? Whoever comes next reads it: `freeze {short(environment)} 2h the database is being moved`."
        raise said.slip(None, why)
    reason = _rest(said, 2 + count, what="reason")
    return Freeze(environment.name, reason, ends, tuple(words[:count]))


def _rollback(said: Said) -> Do:
    environment = _environment(said)
    match [word.text.casefold() for word in said.words[2:]]:
        case []:
            return Do(Act.ROLLBACK, environment.name)
        case ["last", count] if count.isascii() and count.isdigit() and 0 < int(count) < MOST:
            return Do(Act.ROLLBACK, environment.name, ("last", str(int(count))))
        case ["to", _]:
            return Do(Act.ROLLBACK, environment.name, ("to", _name(said, 3).removesuffix(".sql")))
    why = f"How far back? `rollback {short(environment)}`, or `… last 2`, or `… to 20250818130001_create_users`."
    raise said.slip(said.words[-1], why)


def _about(said: Said, act: Act, which: str) -> Do:
    environment = _environment(said)
    if len(said.words) == 2:
        raise said.slip(None, which.format(short(environment)))
    _nothing_after(said, 3)
    return Do(act, environment.name, (_name(said, 2),))


def _generate(said: Said) -> Do:
    if len(said.words) == 1:
        raise said.slip(None, "What does it do? For example `generate add_cities`.")
    _nothing_after(said, 2)
    return Do(Act.GENERATE, said.workflow.environments[0].name, (_name(said, 1),))


def _baseline(said: Said) -> Do:
    found = _about(said, Act.BASELINE, "Up to which migration? `/migrate status {}` lists what is pending.")
    return replace(found, about=(found.about[0].removesuffix(".sql"),))


def _repair(said: Said) -> Do | Edits:
    environment, named = _environment(said), range(2, len(said.words))
    if not named:
        return Edits(environment.name)
    if len(named) > MOST_FILES:
        raise said.slip(
            said.words[2 + MOST_FILES], f"{MOST_FILES} files at once are enough. Ask for the rest after them."
        )
    names = (_name(said, place).removesuffix(".sql") for place in named)
    return Do(Act.REPAIR, environment.name, tuple(dict.fromkeys(names)))


def _name(said: Said, place: int) -> str:
    """The name of a thing, as it stands there."""
    word = said.words[place]
    if len(word.text) > LONGEST_NAME:
        raise said.slip(word, f"“{clip(word.text)}” is too long to be a name; {LONGEST_NAME} characters are enough.")
    return word.text


def _help(said: Said) -> Help:
    if len(said.words) == 1:
        return Help()
    word = said.words[1].text.casefold()
    if word not in READERS:
        raise said.slip(said.words[1], _unknown_command(said.words[1].text))
    _nothing_after(said, 2)
    return Help(word)


def _request(said: Said, lists: str) -> int:
    if len(said.words) == 1:
        raise said.slip(None, f"Which request? {lists}")
    number = said.words[1].text.removeprefix("#")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise said.slip(said.words[1], f"“{clip(said.words[1].text)}” is not the number of a request. {lists}")
    _nothing_after(said, 2)
    return int(number)


def _alone(command: Command) -> Callable[[Said], Command]:
    def read(said: Said) -> Command:
        _nothing_after(said, 1)
        return command

    return read


#: How the words after each command are read. Its keys are the words of the command table.
READERS: Mapping[str, Callable[[Said], Command]] = {
    "status": lambda said: Status(_perhaps_environment(said)),
    "plan": lambda said: Plan(_one_environment(said)),
    "apply": lambda said: Do(Act.APPLY, _one_environment(said)),
    "promote": _promote,
    "certify": _certify,
    "rollback": _rollback,
    "backup": lambda said: Do(Act.BACKUP, _one_environment(said)),
    "backups": lambda said: Backups(_one_environment(said)),
    "restore": lambda said: _about(said, Act.RESTORE, "Which backup? `/migrate backups {}` lists them."),
    "discard": lambda said: _about(said, Act.DISCARD, "Which database? `/migrate backups {}` lists them."),
    "generate": _generate,
    "baseline": _baseline,
    "repair": _repair,
    "freeze": _freeze,
    "thaw": lambda said: Do(Act.THAW, _one_environment(said)),
    "validate": _alone(Validate()),
    "history": lambda said: History(_perhaps_environment(said)),
    "requests": _alone(Requests()),
    "cancel": lambda said: Cancel(_request(said, "`/migrate requests` lists the open ones.")),
    "export": lambda said: Export(_request(said, "`/migrate history` lists those that have ended.")),
    "help": _help,
}
