"""The channel as a terminal shows it: who typed what, what came back, and what only one person saw."""

import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

from playground.client import Workspace

Message = dict[str, Any]
PATIENCE = 30.0  # seconds; a story that has to wait longer than this went otherwise

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_DATE = re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<(https?://[^|>]+)\|([^>]*)>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


class WentOtherwise(Exception):
    """The story expected something that did not come."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(expected, seen)
        self.expected, self.seen = expected, seen

    def __str__(self) -> str:
        return f"Expected {self.expected}; what stands there instead:\n{self.seen}"


class Transcript:
    """Act as people in one channel, print what happens there once, and wait for what should come."""

    def __init__(self, slack: Workspace, channel: str, names: dict[str, str]) -> None:
        self._slack, self._channel, self._names = slack, channel, names
        self._printed: dict[str, str] = {}

    def heading(self, words: str) -> None:
        """Say what the next act is about."""
        print(f"\n── {words} ──", flush=True)

    def types(self, person: str, text: str, *words: str) -> str:
        """Have a person type `/migrate text`; gives what only they see at once, which must have all the words."""
        print(f"\n{self._names[person]}: /migrate {text}", flush=True)
        answer = self._slack.as_person(person).slash("/migrate", text, channel=self._channel) or ""
        if answer:
            self._print_lines("   (only they see) ", [self.plain(answer)])
        if not all(word in answer for word in words):
            raise WentOtherwise(f"an answer with {', '.join(map(repr, words))}", answer or "nothing")
        return answer

    def runs(self, person: str, command: str, said: str) -> None:
        """Show what a person ran in a terminal, and what it said there."""
        print(f"\n{self._names[person]}, in a terminal: {command}", flush=True)
        self._print_lines("   ", said.splitlines())

    def sees(self, person: str, *words: str) -> Message:
        """Wait until one ephemeral message to this person has all the words, print it, and return it."""
        label = f"   (only {self._names[person]} sees) "
        return self._await(lambda: self._slack.ephemerals(person), words=words, label=label)

    def shows(self, *words: str) -> Message:
        """Wait until one message of the channel (not of a thread) has all the words; print it as it stands then."""
        return self._await(lambda: self._slack.messages(self._channel), words=words, label="   Twokey: ")

    def thread_shows(self, message: Message, *words: str) -> Message:
        """Wait until one reply under `message` has all the words; print it."""
        ts = str(message["ts"])
        return self._await(lambda: self._slack.thread(self._channel, ts), words=words, label="     ↳ ")

    def reacts(self, person: str, message: Message, emoji: str) -> None:
        """Have a person put an emoji under a message."""
        print(f"\n{self._names[person]} reacts :{emoji}:", flush=True)
        self._slack.as_person(person).react(self._channel, str(message["ts"]), emoji)

    def fills_in(self, person: str, values: dict[str, str]) -> dict[str, Any]:
        """Have a person fill in the dialog that opened for them; gives Slack's answer to the submission."""
        view = self._slack.wait_for(lambda: self._slack.views(person), timeout=PATIENCE)[-1]
        print(f"{self._names[person]} fills in the dialog: {', '.join(values.values())}", flush=True)
        return self._slack.as_person(person).submit(view["id"], values)

    def plain(self, text: str) -> str:
        """Slack's markup as a terminal reads it: names instead of ids, dates in words, no entities."""
        text = _MENTION.sub(lambda m: "@" + self._names.get(m[1], m[1]), text)
        text = _LINK.sub(r"\2", _DATE.sub(r"\1", text))
        for entity, sign in _ENTITIES.items():
            text = text.replace(entity, sign)
        return text

    def _await(self, messages: Any, *, words: tuple[str, ...], label: str) -> Message:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for message in reversed(messages()):
                seen = self.plain("\n".join(read(message)))
                if all(word in seen for word in words):
                    self._print_once(message, seen, label=label)
                    return message
            time.sleep(0.1)
        stands = "\n---\n".join(self.plain("\n".join(read(m))) for m in messages())
        raise WentOtherwise(f"a message with {', '.join(map(repr, words))}", stands or "nothing")

    def _print_once(self, message: Message, seen: str, *, label: str) -> None:
        key = f"{label}{message['ts']}"
        if self._printed.get(key) != seen:
            self._printed[key] = seen
            self._print_lines(label, seen.splitlines())

    def _print_lines(self, label: str, lines: Iterable[str]) -> None:
        first, *rest = [line for text in lines for line in text.splitlines()] or [""]
        print(label + first)
        for line in rest:
            print(" " * len(label) + line)
        print(end="", flush=True)


def read(message: Message) -> Iterator[str]:
    """The words of a message as a person reads them: its blocks, or its text where there are none, and its files."""
    blocks = message.get("blocks") or []
    if not blocks:
        yield str(message.get("text", ""))
    for block in blocks:
        yield from _words(block)
    for file in message.get("files") or []:
        yield f"📎 {file['name']}: {file['alt_txt']}"


def _words(block: dict[str, Any]) -> Iterator[str]:
    if isinstance(text := block.get("text"), dict):
        yield str(text["text"])
    yield from (str(field["text"]) for field in block.get("fields") or [])
    elements = block.get("elements") or []
    if block["type"] == "context":
        yield "  ".join(str(element.get("text", "")) for element in elements)
    elif block["type"] == "actions":
        yield "  ".join(f"[ {element['text']['text']} ]" for element in elements if "text" in element)
