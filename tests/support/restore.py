"""Builders for restores: a backup, a restore under its lock, and looks past Twokey."""

import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from engine import backup, lock, manifest, restore
from engine.backup import Into
from engine.connection import Database, open_session
from engine.form import Form
from engine.restore import Source
from tests.support.engine import TOOLS

NOW = datetime(2025, 8, 18, 16, 15, tzinfo=UTC)
KEPT = "shop_before_20250818_161500"


def taken(shop: Database, folder: Path, form: Form = Form.PLAIN, parallel: int = 1) -> Source:
    with open_session(shop, purpose="twokey test") as session:
        receipt = backup.take(session, into=Into(folder, TOOLS, form, parallel), now=NOW)
    return Source(Path(receipt.path), TOOLS, parallel)


def restored(shop: Database, source: Source) -> tuple[restore.Restored, list[restore.Progress]]:
    told: list[restore.Progress] = []
    with open_session(shop, purpose="twokey test") as session, lock.only_one(session):
        return restore.run(session, source, now=NOW, actor="ada", request=None, tell=told.append), told


def ask(shop: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(shop.dsn, autocommit=True) as conn:
        found = conn.execute(query)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return found.fetchall() if found.description else []


def databases(conn: psycopg.Connection) -> list[str]:
    return [n for (n,) in conn.execute("SELECT datname FROM pg_database WHERE datname LIKE 'shop%' ORDER BY 1")]


def sign(backup: Path) -> None:
    """The manifest says what the backup is now, as somebody might forge it."""
    path = manifest.beside(backup)
    size, sha256 = manifest.sum_of(backup)
    path.write_text(json.dumps({**json.loads(path.read_text()), "bytes": size, "sha256": sha256}))
