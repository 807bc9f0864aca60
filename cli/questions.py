"""What can be asked without changing anything: status and validate. Light: status parses no SQL."""

from typing import Any

from cli import looking, words
from cli.answer import Answer, Code
from cli.surroundings import here
from engine import validate as side_by_side
from engine.files import BadFile


def status(word: str | None) -> Answer:
    """Migrations × environments, or one of them. Unreachable when one that was looked at is.

    With a folder that cannot be read: what is wrong with it, what each history holds, and a refusal's code.
    """
    around = here()
    environments = (around.environment(word),) if word else around.workflow.environments
    files = around.folder()
    bad = str(files) if isinstance(files, BadFile) else None
    body = side_by_side.overview(looking.at_all(around, environments, files), folder=bad)
    return Answer(Code.REFUSED if bad else _code(body, Code.DONE), words.status(body), body)


def validate() -> Answer:
    """Whether the environments agree, what differs, and what may go where next."""
    from engine import bounds  # brings the SQL parser, which status does without

    around = here()
    files = around.files()
    seen = looking.at_all(around, around.workflow.environments, files, closely=True)
    pending = {id_ for one in seen if one.standing for id_ in one.standing.pending}
    refusals = bounds.refusals((file for file in files if file.id in pending), limits=around.limits)
    body = side_by_side.compare(seen, refusals=refusals)
    for ready in body["ready"]:
        ready["certified"] = None  # the ledger knows; a terminal cannot
    agreed = Code.DONE if not body["findings"] else Code.REFUSED
    return Answer(_code(body, agreed), words.validate(body), body)


def _code(body: dict[str, Any], otherwise: Code) -> Code:
    states = {environment["state"] for environment in body["environments"]}
    if "refused" in states:
        return Code.REFUSED
    return Code.UNREACHABLE if "unreachable" in states else otherwise
