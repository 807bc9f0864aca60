"""What `python -m ledger` is given by the environment variables around it: the ledger's address, and nothing else."""

import os
from collections.abc import Mapping

from ledger.errors import LedgerError

_LEDGER = "LEDGER_DATABASE_URL"


class NotSet(LedgerError):
    """A variable that is needed is not there."""

    def __init__(self, setting: str) -> None:
        super().__init__(setting)
        self.setting = setting

    def __str__(self) -> str:
        return (
            f"{self.setting} is not set. It holds the ledger's address, postgresql://login:password@host:5432/ledger; "
            "an evidence file is verified without it: python -m ledger verify evidence.json"
        )


def ledger_url(surroundings: Mapping[str, str] = os.environ) -> str:
    """The ledger's address; raises NotSet."""
    if url := surroundings.get(_LEDGER):
        return url
    raise NotSet(_LEDGER)
