"""generate: from declared models to a proven file in the migrations folder."""

import os
from collections.abc import Callable
from datetime import UTC, datetime

from cli import generate_words
from cli.answer import Answer
from cli.surroundings import Surroundings, here
from cli.terminal import say
from engine import generate as engine
from engine.connection import open_session
from engine.generate import Progress
from engine.generate.command import Command
from engine.generate.declared import Models
from engine.generate.errors import NoSource
from ledger.workflow import GENERATOR_SEES


def generate(name: str, *, aloud: bool) -> Answer:
    """A file that brings the first environment to what is declared, or that there is no difference."""
    around = here()
    source, server, first = _source(around), around.scratch(), around.workflow.environments[0]
    tell: Callable[[Progress], None] = (lambda step: say(generate_words.step(step))) if aloud else (lambda _: None)
    purpose = f"twokey generate by {around.person}"
    with open_session(around.database(first), purpose=purpose, limits=around.limits) as session:
        now = datetime.now(UTC)
        drawn = engine.draft(session, around.files(), source, server=server, name=name, now=now, tell=tell)
    if drawn is None:
        return generate_words.nothing(first.name, source.name)
    path = engine.write(around.workflow.migrations, drawn)
    return generate_words.written(first.name, drawn, path, said=name)


def _source(around: Surroundings) -> Models | Command:
    """What to generate from. Raises NoSource."""
    ours = around.workflow.generate
    if ours is None:
        raise NoSource
    if ours.models:
        return Models(ours.models, ours.folder, ours.python)
    return Command(ours.command, ours.folder, {name: os.environ[name] for name in GENERATOR_SEES if name in os.environ})
