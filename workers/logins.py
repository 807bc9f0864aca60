"""The ledger's roles and who logs in with them. Nobody but its owner may run this.

The statements are fixed texts; names and verifiers reach them through settings of the session and `format`. A
password leaves this process only as its SCRAM verifier, so no server log can hold it.
"""

from collections.abc import Mapping
from typing import LiteralString
from urllib.parse import unquote, urlsplit

from engine.connection import Session
from workers.config import Misconfigured, Secret

ROLES = ("twokey_bot", "twokey_worker", "twokey_sweep")

_SETTING = "SELECT set_config('twokey.login', %s, false), set_config('twokey.role', %s, false)"
_VERIFIER = "SELECT set_config('twokey.verifier', %s, false)"
_MAY_MAKE = "SELECT rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user"
_MISSING = """
SELECT name FROM unnest(%s::text[]) WITH ORDINALITY AS ours (name, place)
  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) ORDER BY place"""
_MAKE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = current_setting('twokey.login')) THEN
    EXECUTE format('CREATE ROLE %I LOGIN', current_setting('twokey.login'));
  END IF;
END $$"""
_ADMIT = """
DO $$ BEGIN
  EXECUTE format(
    'ALTER ROLE %I LOGIN PASSWORD %L', current_setting('twokey.login'), current_setting('twokey.verifier')
  );
END $$"""
_GRANT = """
DO $$ BEGIN
  EXECUTE format('GRANT %I TO %I', current_setting('twokey.role'), current_setting('twokey.login'));
END $$"""


def make_roles(session: Session) -> tuple[str, ...]:
    """The three roles are there; gives those that were not. Raises Misconfigured when the owner may not make them."""
    missing = tuple(name for (name,) in session.conn.execute(_MISSING, (list(ROLES),)).fetchall())
    if missing and not _truth(session, _MAY_MAKE):
        raise Misconfigured(
            f"The owner in LEDGER_OWNER_URL may not make the roles {', '.join(missing)}. "
            "Give it CREATEROLE, or have them made by somebody who has it, and run this again."
        )
    for role in missing:
        _make(session, login=role, role=role)
    return missing


def admit(session: Session, logins: Mapping[str, Secret]) -> tuple[tuple[str, str], ...]:
    """Whoever an address names can log in with its password and has its role; gives (role, login).

    Raises Misconfigured, before anything changes, for an address that names no login, the owner, or another's login.
    """
    named = {role: _login(role, url) for role, url in logins.items()}
    _each_its_own(named, owner=session.conn.info.user)
    for role, (login, password) in named.items():
        _make(session, login=login, role=role)
        if password:
            _let_in(session, login=login, password=password)
        if login != role:
            session.conn.execute(_GRANT)
    return tuple((role, login) for role, (login, _) in named.items())


def _login(role: str, url: Secret) -> tuple[str, str]:
    parts = urlsplit(url.reveal())
    if not parts.username:
        raise Misconfigured(f"{_variable(role)} names no login. Write it as postgresql://login:password@host/ledger.")
    return unquote(parts.username), unquote(parts.password or "")


def _each_its_own(named: Mapping[str, tuple[str, str]], *, owner: str) -> None:
    seen: dict[str, str] = {owner: "LEDGER_OWNER_URL"}
    for role, (login, _) in named.items():
        foreign = login in ROLES and login != role
        if login in seen or foreign:
            other = seen.get(login, f"the role {login}")
            raise Misconfigured(
                f"{_variable(role)} names the login {login}, which belongs to {other}. Give each a login of its own."
            )
        seen[login] = _variable(role)


def _make(session: Session, *, login: str, role: str) -> None:
    session.conn.execute(_SETTING, (login, role))
    session.conn.execute(_MAKE)


def _let_in(session: Session, *, login: str, password: str) -> None:
    verifier = session.conn.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    session.conn.execute(_VERIFIER, (verifier.decode(),))
    session.conn.execute(_ADMIT)


def _variable(role: str) -> str:
    return f"LEDGER_{role.removeprefix('twokey_').upper()}_URL"


def _truth(session: Session, question: LiteralString) -> bool:
    row = session.conn.execute(question).fetchone()
    return bool(row and row[0])
