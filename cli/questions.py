"""What can be asked without changing anything: status and validate. Light: no SQL is parsed."""

from typing import Any

from cli import looking, words
from cli.answer import Answer, Code
from cli.surroundings import here
from engine import validate as side_by_side


def status(word: str | None) -> Answer:
    """Migrations × environments, or one of them. Unreachable when one that was looked at is."""
    around = here()
    environments = (around.environment(word),) if word else around.workflow.environments
    body = side_by_side.overview(looking.at_all(around, environments))
    return Answer(_code(body, Code.DONE), words.status(body), body)


def validate() -> Answer:
    """Whether the environments agree, what differs, and what may go where next."""
    around = here()
    body = side_by_side.compare(looking.at_all(around, around.workflow.environments, closely=True))
    for ready in body["ready"]:
        ready["certified"] = None  # the ledger knows; a terminal cannot
    agreed = Code.DONE if not body["findings"] else Code.REFUSED
    return Answer(_code(body, agreed), words.validate(body), body)


def _code(body: dict[str, Any], otherwise: Code) -> Code:
    states = {environment["state"] for environment in body["environments"]}
    if "refused" in states:
        return Code.REFUSED
    return Code.UNREACHABLE if "unreachable" in states else otherwise
