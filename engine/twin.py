"""A new database that is like another in all that a dump does not tell: owner, encoding, locale, grants, settings."""

from collections.abc import Iterator, Mapping
from typing import Any, LiteralString

from psycopg import sql

from engine.connection import Session

#: Settings whose value is a list of names; SET would quote the whole value as one name.
_LISTS = {"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"}
#: datlocprovider → what it is called, and what its locale is called.
_PROVIDERS: dict[str, tuple[str, LiteralString]] = {
    "c": ("libc", "LOCALE"),
    "i": ("icu", "ICU_LOCALE"),
    "b": ("builtin", "BUILTIN_LOCALE"),
}

_KNOWS_PROVIDERS = 150000

#: Encoding and locale of a database, as CREATE DATABASE calls them.
Letters = Mapping[LiteralString, str]


def create(maintenance: Session, name: str, *, like: str) -> None:
    """An empty database with the owner, encoding, locale and tablespace of the other."""
    facts = _facts(maintenance, like)
    options = sql.SQL(" ").join(
        sql.SQL("{} = {}").format(sql.SQL(key), sql.Literal(value)) for key, value in _options(facts)
    )
    owner = sql.Identifier(facts["owner"])
    # Named only where it must be: to name the default one takes a right that few roles have.
    space = sql.SQL("TABLESPACE = {}").format(sql.Identifier(facts["space"])) if facts["space"] else sql.SQL("")
    maintenance.conn.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE = template0 OWNER = {} {} {}").format(
            sql.Identifier(name), owner, space, options
        )
    )


def letters(session: Session) -> Letters:
    """Encoding and locale of the session's own database, as CREATE DATABASE calls them."""
    return dict(_options(_facts(session, session.conn.info.dbname)))


def creating(name: str, options: Letters, *, server: int) -> sql.Composed:
    """The statement that makes an empty database with these letters on a server of that version, maybe another's."""
    fit = dict(options)
    if server < _KNOWS_PROVIDERS and fit.get("LOCALE_PROVIDER") == "libc":
        del fit["LOCALE_PROVIDER"]  # there is no other
    if server >= _KNOWS_PROVIDERS and fit:
        fit.setdefault("LOCALE_PROVIDER", "libc")
    listed = (sql.SQL("{} = {}").format(sql.SQL(key), sql.Literal(value)) for key, value in fit.items())
    return sql.SQL("CREATE DATABASE {} TEMPLATE = template0 {}").format(sql.Identifier(name), sql.SQL(" ").join(listed))


def dress(maintenance: Session, name: str, *, like: str) -> None:
    """The grants, settings, comment and connection limit of the other; its roles' own settings in it too."""
    facts = _facts(maintenance, like)
    database = sql.Identifier(name)
    with maintenance.conn.transaction():
        for statement in (
            *_grants(maintenance, database, facts),
            *_settings(maintenance, database, facts["oid"]),
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, sql.Literal(facts["comment"])),
            sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {} IS_TEMPLATE {}").format(
                database, sql.Literal(facts["datconnlimit"]), sql.Literal(facts["datistemplate"])
            ),
        ):
            maintenance.conn.execute(statement)


def drop(maintenance: Session, name: str) -> bool:
    """The database is gone, and whoever was in it; False when there was none."""
    if maintenance.conn.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
        return False
    maintenance.conn.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(sql.Identifier(name)))
    maintenance.conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    return True


def _facts(maintenance: Session, name: str) -> Mapping[str, Any]:
    """The row of pg_database, whose columns differ by version, and the names that its oids stand for."""
    row = maintenance.conn.execute(
        "SELECT to_jsonb(d) || jsonb_build_object('oid', d.oid::bigint, 'owner', pg_get_userbyid(d.datdba),"
        " 'encoding', pg_encoding_to_char(d.encoding),"
        " 'space', CASE WHEN d.dattablespace <> (SELECT dattablespace FROM pg_database WHERE datname = 'template0')"
        " THEN t.spcname END,"
        " 'comment', shobj_description(d.oid, 'pg_database'))"
        " FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = %s",
        (name,),
    ).fetchone()
    assert row is not None
    return row[0]


def _options(facts: Mapping[str, Any]) -> Iterator[tuple[LiteralString, str]]:
    yield "ENCODING", facts["encoding"]
    yield "LC_COLLATE", facts["datcollate"]
    yield "LC_CTYPE", facts["datctype"]
    provider, locale = _PROVIDERS[facts.get("datlocprovider", "c")]
    if "datlocprovider" in facts:
        yield "LOCALE_PROVIDER", provider
    if provider != "libc":
        # The column was daticulocale before PostgreSQL 17.
        yield locale, facts.get("datlocale") or facts["daticulocale"]
    if facts.get("daticurules"):
        yield "ICU_RULES", facts["daticurules"]


def _grants(maintenance: Session, database: sql.Identifier, facts: Mapping[str, Any]) -> Iterator[sql.Composed]:
    """Nothing where nobody ever granted or revoked anything; else exactly what stands, as from the owner."""
    if facts["datacl"] is None:
        return
    yield sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(database, sql.Identifier(facts["owner"]))
    for grantee, privilege, grantable in maintenance.conn.execute(
        "SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee)::text END, privilege_type, is_grantable"
        " FROM pg_database, aclexplode(datacl) WHERE pg_database.oid = %s ORDER BY 1, 2",
        (facts["oid"],),
    ).fetchall():
        yield sql.SQL("GRANT {} ON DATABASE {} TO {} {}").format(
            sql.SQL(privilege),
            database,
            sql.SQL("PUBLIC") if grantee is None else sql.Identifier(grantee),
            sql.SQL("WITH GRANT OPTION" if grantable else ""),
        )


def _settings(maintenance: Session, database: sql.Identifier, oid: int) -> Iterator[sql.Composed]:
    for role, each in maintenance.conn.execute(
        "SELECT CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole)::text END, unnest(setconfig)"
        " FROM pg_db_role_setting WHERE setdatabase = %s ORDER BY 1 NULLS FIRST",
        (oid,),
    ).fetchall():
        setting, _, value = each.partition("=")
        whose = sql.SQL("ALTER DATABASE {}").format(database)
        if role is not None:
            whose = sql.SQL("ALTER ROLE {} IN DATABASE {}").format(sql.Identifier(role), database)
        name = sql.SQL(".").join(sql.Identifier(part) for part in setting.split("."))
        if setting in _LISTS:
            yield sql.SQL("SELECT set_config({}, {}, true)").format(sql.Literal(setting), sql.Literal(value))
            yield sql.SQL("{} SET {} FROM CURRENT").format(whose, name)
        else:
            yield sql.SQL("{} SET {} = {}").format(whose, name, sql.Literal(value))
