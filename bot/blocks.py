"""The few Block Kit pieces that the messages are made of, and how typed text is made harmless in them."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Block = dict[str, Any]

#: Slack's limits: characters of a section's text, of a message's `text`, and blocks of a message.
SECTION = 3000
TEXT = 4000
BLOCKS = 50

# Besides what cannot be seen, the marks that turn the direction of writing: with them a name can pose as another.
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f]")

# Slack's markup has no escape (github.com/slackhq/slack-api-docs, issues 34 and 93), so a mark is shown as its double
# in Unicode. Inside a word an underscore is no mark: names of files stay as they are.
_LIVE = re.compile("[*~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_DEAD = {"*": "\N{ASTERISK OPERATOR}", "~": "\N{TILDE OPERATOR}", "_": "\N{MODIFIER LETTER LOW MACRON}"}

_MOMENT = re.compile(r"`[^`]*`|\b(?P<day>\d{4}-\d\d-\d\d) \d\d:\d\d(?P<seconds>:\d\d)? UTC\b")

_NAMED = re.compile(r"&lt;(@[UW][A-Z0-9]+|#[CG][A-Z0-9]+)&gt;")


@dataclass(frozen=True, slots=True)
class Body:
    """A message without its place: `text` is what is pushed, searched and read aloud; `blocks` what is seen."""

    text: str
    blocks: tuple[Block, ...]

    def as_arguments(self) -> dict[str, Any]:
        """`text` and `blocks` as Slack's methods take them."""
        return {"text": self.text, "blocks": list(self.blocks)}

    def content_hash(self) -> str:
        """Equal bodies have equal hashes."""
        return hashlib.sha256(json.dumps(self.as_arguments(), sort_keys=True).encode()).hexdigest()


def body(text: str, *blocks: Block) -> Body:
    """A message from a full sentence and its blocks; what is beyond Slack's limits is cut."""
    kept = blocks if len(blocks) <= BLOCKS else (*blocks[: BLOCKS - 1], section("… and more than fits a message."))
    return Body(cut(text, TEXT), tuple(kept))


def plain(text: str, *buttons: Block) -> Body:
    """A message that is one paragraph, with buttons below."""
    return body(text, section(text), *row(*buttons))


def escape(text: str) -> str:
    """Text that Slack shows as it is: no mention, no link, no channel call can come out of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def said(text: str) -> str:
    """What a person typed, on one line and harmless: it can forge no line and no bold label of ours."""
    return _harmless(text.replace("`", "'"))


def spoken(sentence: str) -> str:
    """A sentence of a worker: harmless too, with its commands in fixed width and its moments in the reader's time."""
    return _MOMENT.sub(_in_their_time, _harmless(sentence))


def _harmless(text: str) -> str:
    return _LIVE.sub(lambda mark: _DEAD[mark[0]], _line(text))


def _in_their_time(found: re.Match[str]) -> str:
    """A moment that other rooms write in UTC, who know no reader. One in a command is typed as it stands."""
    if found["day"] is None:
        return found[0]
    form = "%Y-%m-%d %H:%M:%S UTC" if found["seconds"] else "%Y-%m-%d %H:%M UTC"
    try:
        at = datetime.strptime(found[0], form).replace(tzinfo=UTC)
    except ValueError:
        return found[0]
    shown = "{date_short_pretty} {time_secs}" if found["seconds"] else "{date_short_pretty} {time}"
    return f"<!date^{int(at.timestamp())}^{shown}|{found[0]}>"


def ours(sentence: str) -> str:
    """A sentence of our own: harmless too, except that the people and channels it names are shown as such."""
    return _NAMED.sub(r"<\1>", spoken(sentence))


def mono(text: str) -> str:
    """A name as fixed-width text, in which no mark is live. A backtick would end it, so it is shown as a quote."""
    return f"`{_line(text.replace('`', chr(39)))}`"


def visible(text: str) -> str:
    """Text on one line, without what cannot be seen. In a message it could still be markup: there it is `said`."""
    return " ".join(_UNSEEN.sub("", text).split())


def _line(text: str) -> str:
    return escape(visible(text))


def fenced(text: str) -> str:
    """Lines in fixed width, cut whole lines at a time so that the fence always closes."""
    lines = escape(text.replace("```", "'''")).splitlines()
    budget = SECTION - 60
    kept: list[str] = []
    for line in lines:
        if sum(len(done) + 1 for done in kept) + len(line) > budget:
            kept.append(f"and {len(lines) - len(kept)} more")
            break
        kept.append(line)
    return "```\n" + "\n".join(kept) + "\n```"


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; a cut shows as an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def listed(lines: Sequence[str], *, show: int) -> list[str]:
    """The first `show` lines, and how many there are beyond."""
    more = len(lines) - show
    return list(lines) if more <= 0 else [*lines[:show], f"and {more} more"]


def mention(actor_id: str) -> str:
    """A mention of a person or a user group, which notifies. Only for whom the message is."""
    return f"<!subteam^{escape(actor_id)}>" if actor_id.startswith("S") else f"<@{escape(actor_id)}>"


def link(url: str, text: str) -> str:
    """A link of our own making. What Slack would take for its end or for another link's is not let into the address."""
    return f"<{escape(url).replace('|', '%7C')}|{escape(text)}>"


def moment(at: datetime, form: str = "{time}") -> str:
    """A moment in the reader's own time zone. `form` is one of Slack's date tokens."""
    utc = at.astimezone(UTC)
    fallback = utc.strftime("%H:%M:%S UTC" if form == "{time_secs}" else "%H:%M UTC")
    if form.startswith("{date"):
        fallback = utc.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(utc.timestamp())}^{form}|{fallback}>"


def size(count: int) -> str:
    """Bytes as a person says them."""
    for unit, scale in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"


def seconds(count: float) -> str:
    """A duration as a person says it."""
    if count < 0.95:
        return f"{round(count * 1000)} ms"
    if count < 120:
        return f"{count:.0f} s" if float(count).is_integer() else f"{count:.1f} s"
    minutes, rest = divmod(round(count), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def counted(count: int, noun: str) -> str:
    """A number and its noun, in the singular where it is one."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def section(text: str) -> Block:
    """A paragraph."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut(text, SECTION)}}


def sections(lines: Iterable[str]) -> list[Block]:
    """Lines as few paragraphs, each within Slack's limit, no line torn."""
    made: list[list[str]] = [[]]
    for line in (cut(line, SECTION) for line in lines):
        if sum(len(done) + 1 for done in made[-1]) + len(line) > SECTION:
            made.append([])
        made[-1].append(line)
    return [section("\n".join(group)) for group in made if group]


def context(text: str) -> Block:
    """A small grey line."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": cut(text, SECTION)}]}


def button(label: str, *, action: str, value: str, style: str | None = None) -> Block:
    """A button. `action` says what, `value` on what: a name or a number that the ledger is asked about again."""
    made: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": cut(label, 75)},
        "action_id": action,
        "value": value,
    }
    return made | {"style": style} if style else made


def row(*buttons: Block) -> list[Block]:
    """A row of buttons, or nothing where there is none."""
    return [{"type": "actions", "elements": list(buttons)}] if buttons else []


def field(*, block: str, label: str, hint: str, lines: bool = False) -> Block:
    """One text field of a modal; its answer comes back under `block` and the action `typed`."""
    element: Mapping[str, Any] = {"type": "plain_text_input", "action_id": "typed", "multiline": lines}
    return {
        "type": "input",
        "block_id": block,
        "label": {"type": "plain_text", "text": label},
        "hint": {"type": "plain_text", "text": hint},
        "element": dict(element),
    }
