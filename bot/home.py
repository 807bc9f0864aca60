"""The app's own tab, as one person sees it: what waits for them, what is open, where each environment stands. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bot import lists
from bot.blocks import Block, context, link, moment, mono, said, section, sections
from bot.outcomes import Entry, Home, Refused, Station
from bot.story import brought, end, frozen
from ledger.request import Freeze
from ledger.workflow import Workflow


def view(shown: Home | Refused, workflow: Workflow) -> dict[str, Any]:
    """The tab as Slack takes it."""
    if isinstance(shown, Refused):
        return _tab([section(f"🚫 {said(shown.why)}")])

    def part(title: str, entries: Iterable[Entry], none: str) -> list[Block]:
        lines = [lists.line(one, workflow, others=shown.open) for one in entries]
        return [section(f"*{title}*"), *sections(lines or [none])]

    others = [one for one in shown.open if one not in shown.waiting]
    return _tab(
        [
            *part("Waits for you", shown.waiting, "Nothing waits for you."),
            *part("Open", others, "No other request is open." if shown.waiting else "No request is open."),
            section("*Environments*"),
            *sections(map(_station, shown.stations)),
            *part("Ended last", shown.ended, "Nothing has ended yet."),
            context(
                f"As the ledger knew it {moment(shown.at)}. `/migrate status` looks at the environments themselves."
            ),
        ]
    )


def _tab(blocks: list[Block]) -> dict[str, Any]:
    return {"type": "home", "blocks": blocks}


def _station(one: Station) -> str:
    """An environment by its last run, and by the word of whoever tested it."""
    name = f"🔒 *{said(one.environment.name)}*" if one.environment.protected else f"*{said(one.environment.name)}*"
    tested = one.certification
    certified = f" · certified by {said(tested.by.actor_name)} {_day(tested.by.at)}{_since(one)}" if tested else ""
    return f"{name} · {_last_run(one)}{certified}{_frost(one.freeze)}"


def _since(one: Station) -> str:
    """Whose word is older than the last run is of what stood there before it."""
    ended = one.last and (end(one.last.told) or one.last.told[-1])
    return ", before that run" if one.certification and ended and one.certification.by.at < ended.at else ""


def _frost(freeze: Freeze | None) -> str:
    if freeze is None:
        return ""
    return f" · ❄️ {frozen(freeze.actor_name, freeze.until.isoformat() if freeze.until else None, freeze.reason)}"


def _last_run(one: Station) -> str:
    if one.last is None:
        return "no run from here yet"
    request, number = one.last.request, f"#{one.last.request.id}"
    came = brought(one.last.told)
    newest = f", newest {mono(came[-1])}" if came else ""
    where = link(one.last.link, number) if one.last.link else number
    ended = end(one.last.told) or one.last.told[-1]
    return f"last run {where} {request.act} {_day(ended.at)}{newest}"


def _day(at: datetime) -> str:
    return moment(at, "{date_short_pretty} {time}")
