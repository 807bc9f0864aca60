"""The repository's own workflow file, for whoever needs one on disk."""

from pathlib import Path

OURS = (Path(__file__).parents[2] / "twokey.toml").read_text(encoding="utf-8")


def workflow_with(**settings: str) -> str:
    """The same with other values at its top: `workflow_with(start_delay="1s")`."""
    return "".join(f'{key} = "{value}"\n' for key, value in settings.items()) + OURS
