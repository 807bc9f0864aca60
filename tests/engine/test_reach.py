"""How far a login reaches: past its own database only by a right, and each right is told by its name."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from engine import reach
from engine.connection import Database, open_session
from engine.reach import ReachesProtected
from playground.embedded import Postgres

LOGIN = "reaches_far"
THERE = "reach_production"
OTHER = "reaches_for_it"
ALTERED = f"ALTER ROLE {LOGIN} IN DATABASE {THERE}"
MADE_ONE = f"ALTER ROLE {LOGIN} NOINHERIT; GRANT {OTHER} TO {LOGIN}"
WRITES = "as one who may write there"


@pytest.fixture
def production(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """A protected environment's database beside one that is not, and a login that has no right but to enter."""
    with psycopg.connect(postgres.create(THERE), autocommit=True) as conn:
        conn.execute("CREATE TABLE twokey_environment (name text, protected boolean)")
        conn.execute("INSERT INTO twokey_environment VALUES ('production', true)")
        conn.execute(sql.SQL("GRANT SELECT ON twokey_environment TO PUBLIC; CREATE TABLE users (id int)"))
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN; CREATE ROLE {}").format(*map(sql.Identifier, (LOGIN, OTHER))))
        yield conn
        conn.execute(sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(sql.Identifier(THERE)))
        for role in (LOGIN, OTHER):
            conn.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)))
    postgres.drop(THERE)


def reached(postgres: Postgres) -> reach.Reached | None:
    """What the login reaches from a database of its own, of the one here: the session's server has others."""
    ours = Database("development", protected=False, dsn=postgres.url("postgres", login=LOGIN))
    with open_session(ours, purpose="twokey test") as session:
        there = (one for one in reach.neighbours(session) if one.name == THERE)
        return next((found for one in there for found in reach._reached(session, one)), None)


def test_who_may_only_enter_and_read_reaches_nothing(production: psycopg.Connection, postgres: Postgres) -> None:
    production.execute(f"GRANT SELECT ON users TO {LOGIN}")
    assert reached(postgres) is None
    production.execute(f"REVOKE CONNECT ON DATABASE {THERE} FROM PUBLIC")
    assert reached(postgres) is None


@pytest.mark.parametrize(
    ("grant", "right"),
    [
        (f"ALTER ROLE {LOGIN} SUPERUSER", "as a superuser or as good as one"),
        (f"GRANT pg_execute_server_program TO {LOGIN}", "as a superuser or as good as one"),
        (f"ALTER DATABASE {THERE} OWNER TO {LOGIN}", "as its owner"),
        (f"GRANT TRUNCATE ON users TO {LOGIN}", WRITES),
        (f"GRANT CREATE ON SCHEMA public TO {LOGIN}", WRITES),
        (f"GRANT CREATE ON DATABASE {THERE} TO {LOGIN}", WRITES),
        (f"ALTER ROLE {OTHER} SUPERUSER; GRANT {OTHER} TO {LOGIN}", "as a superuser or as good as one"),
        (f"ALTER DATABASE {THERE} OWNER TO {OTHER}; {MADE_ONE}", "as its owner"),
        (f"GRANT DELETE ON users TO {OTHER}; {MADE_ONE}", WRITES),
        (
            f"GRANT DELETE ON users TO {OTHER}; {MADE_ONE} WITH ADMIN OPTION",
            WRITES,
        ),
        (f"GRANT UPDATE (id) ON users TO {LOGIN}", WRITES),
        (f"GRANT TRIGGER ON users TO {LOGIN}", WRITES),
        (f"ALTER TABLE users OWNER TO {LOGIN}; REVOKE ALL ON users FROM {LOGIN}", WRITES),
        (f"CREATE VIEW v AS SELECT * FROM users; GRANT INSERT ON v TO {LOGIN}", WRITES),
        (f"CREATE MATERIALIZED VIEW m AS SELECT 1; ALTER MATERIALIZED VIEW m OWNER TO {LOGIN}", WRITES),
        (f"CREATE SEQUENCE s; GRANT UPDATE ON SEQUENCE s TO {LOGIN}", WRITES),
        (f"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() OWNER TO {LOGIN}", WRITES),
        (f"SELECT lo_create(4711); GRANT UPDATE ON LARGE OBJECT 4711 TO {LOGIN}", WRITES),
        (f"GRANT INSERT ON users TO {LOGIN}; {ALTERED} SET default_transaction_read_only = on", WRITES),
        (f"GRANT INSERT ON users TO {LOGIN}; GRANT {OTHER} TO {LOGIN}; {ALTERED} SET role = {OTHER}", WRITES),
    ],
)
def test_each_right_is_told(production: psycopg.Connection, postgres: Postgres, grant: str, right: str) -> None:
    production.execute(grant)  # pyright: ignore[reportArgumentType, reportCallIssue]
    found = reached(postgres)
    assert found is not None
    said = (
        f"development's login {LOGIN} may change production's database on the same server ({THERE}), {right}: "
        "by a migration of development one person alone could."
    )
    assert found.sentence == said
    assert found.meant == f"{said} on_protected_server in twokey.toml lets it."
    assert str(ReachesProtected(found)) == (
        f"{said} Give development a login without that right, or better a server of its own; "
        "or, if that is meant, write on_protected_server = true for development in twokey.toml."
    )
    production.execute("UPDATE twokey_environment SET protected = false")
    assert reached(postgres) is None


def test_a_template_is_a_database_as_any_other(production: psycopg.Connection, postgres: Postgres) -> None:
    production.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(THERE)))
    ours = Database("development", protected=False, dsn=postgres.url("postgres"))
    with open_session(ours, purpose="twokey test") as session:
        names = {one.name for one in reach.neighbours(session)}
        assert THERE in names
        assert not {"template0", "template1"} & names
    production.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(sql.Identifier(THERE)))


def test_whose_database_it_is_need_not_be_readable(production: psycopg.Connection, postgres: Postgres) -> None:
    production.execute("REVOKE ALL ON twokey_environment FROM PUBLIC")
    assert reached(postgres) is None
    production.execute(f"GRANT INSERT ON users TO {LOGIN}")
    found = reached(postgres)
    assert found is not None
    assert f"may change a database of an environment it may not read on the same server ({THERE}), as one" in (
        found.sentence
    )


NOT_SEEN = (
    f"Whether development's login {LOGIN} may change a database of an environment it may not read on the same server "
    f"({THERE}) could not be looked at: "
)


def test_what_could_not_be_looked_at_for_the_moment_is_not_passed_over(
    production: psycopg.Connection, postgres: Postgres
) -> None:
    """A failure to enter is no proof that nobody enters: only a refusal is."""
    production.execute(f"ALTER DATABASE {THERE} CONNECTION LIMIT 0")
    found = reached(postgres)
    assert found is not None
    assert found.sentence == f"{NOT_SEEN}all its connections are taken. Ask again when some are free."
    assert str(ReachesProtected(found)).startswith(f"{found.sentence} Give development a login without that right")
    production.execute(f"ALTER DATABASE {THERE} CONNECTION LIMIT -1")
    assert reached(postgres) is None


def test_what_is_not_understood_there_is_not_passed_over(production: psycopg.Connection, postgres: Postgres) -> None:
    production.execute("ALTER TABLE twokey_environment DROP protected")
    found = reached(postgres)
    assert found is not None
    assert found.sentence == (
        f'{NOT_SEEN}The server of development refused (42703): column "protected" does not exist. '
        "Remove the cause, or wait until it passes, then ask again."
    )


def test_who_may_become_one_who_may_enter_is_not_known_to_reach_nothing(
    production: psycopg.Connection, postgres: Postgres
) -> None:
    production.execute(f"REVOKE CONNECT ON DATABASE {THERE} FROM PUBLIC; {MADE_ONE}")
    assert reached(postgres) is None
    production.execute(f"GRANT CONNECT ON DATABASE {THERE} TO {OTHER}")
    found = reached(postgres)
    assert found is not None
    assert found.sentence == (f"{NOT_SEEN}the role may not enter it. Grant it CONNECT, or correct the address.")


def test_an_owner_reaches_what_it_may_not_enter(production: psycopg.Connection, postgres: Postgres) -> None:
    production.execute(f"ALTER DATABASE {THERE} OWNER TO {OTHER}; {MADE_ONE}")
    production.execute(f"REVOKE CONNECT ON DATABASE {THERE} FROM PUBLIC, {OTHER}")
    found = reached(postgres)
    assert found is not None
    assert found.sentence.endswith(f"({THERE}), as its owner: by a migration of development one person alone could.")


def test_one_that_was_dropped_while_others_were_looked_at_is_gone(postgres: Postgres) -> None:
    with open_session(Database("test", protected=False, dsn=postgres.url()), purpose="twokey test") as session:
        assert list(reach._reached(session, reach.Neighbour("gone", owned=True, open=True))) == []


def test_what_was_dropped_half_way_is_entered_by_nobody(production: psycopg.Connection, postgres: Postgres) -> None:
    half = f"UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{THERE}'"
    production.execute(half.encode())
    assert reached(postgres) is None
    production.execute(half.replace("-2", "-1").encode())


def test_the_first_of_the_server_is_told(production: psycopg.Connection, postgres: Postgres) -> None:
    with open_session(Database("test", protected=False, dsn=postgres.url()), purpose="twokey test") as session:
        found = reach.protected(session)
    assert found is not None
    assert (found.environment, found.login) == ("test", "postgres")
