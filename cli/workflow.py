"""The workflow file of this shell: twokey.toml, or the one that TWOKEY_CONFIG names."""

import os
from pathlib import Path

from ledger.workflow import Workflow
from ledger.workflow_file import load


def read() -> Workflow:
    """The file as it is now. Raises WorkflowError."""
    return load(Path(os.environ.get("TWOKEY_CONFIG") or "twokey.toml"))
