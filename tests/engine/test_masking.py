"""A message may be shown when no value is left in it."""

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from engine import masking


@pytest.mark.parametrize(
    ("sqlstate", "message", "shown"),
    [
        ("22P02", 'invalid input syntax for type integer: "4111 1111"', "invalid input syntax for type integer: …"),
        ("22007", 'invalid "date": "a" or "b"', "invalid …"),
        ("42P01", 'relation "nope" does not exist', 'relation "nope" does not exist'),
        ("23505", 'duplicate key breaks "users_pkey"', 'duplicate key breaks "users_pkey"'),
        ("42883", "function f('it''s', 'b') is not there", "function f(…) is not there"),
        ("42601", "syntax error at or near \"'secret'\"", "syntax error at or near …"),
        ("42601", 'syntax error at or near "4711"', "syntax error at or near …"),
        ("42601", 'syntax error at or near "tabel"', 'syntax error at or near "tabel"'),
        ("42601", 'unterminated at or near "\'se\ncret"', "unterminated at or near …"),
        ("58P01", 'odd "half', "odd …"),
        ("42P01", "relation « x »\nn'existe pas", "relation …"),
        (
            "22P02",
            "ungültige Eingabesyntax für Typ integer: »hunter two«",
            "ungültige Eingabesyntax für Typ integer: …",
        ),
        ("42703", "Spalte »geheim« existiert nicht", "Spalte …"),
        ("22P02", "入力構文が不正です: 「秘密」", "入力構文が不正です: …"),
        ("22P05", "character with byte sequence 0xe2 0x98 has none", "character with byte sequence … … has none"),
        ("22003", "a\nb", "a b"),
        ("22030", "duplicate JSON object key value: hunter", "duplicate JSON object key value: …"),
        ("22030", "キーの値が重複しています：秘密", "キーの値が重複しています：…"),
        ("42703", "列〝秘密〞がありません", "列…"),
        ("42703", "欄位﹁秘密﹂不存在", "欄位…"),
        ("42703", "列＂秘密＂不存在", "列…"),
        ("42703", "列【秘密】不存在", "列…"),
    ],
)
def test_literals_are_masked_and_names_are_kept(sqlstate: str, message: str, shown: str) -> None:
    assert masking.mask(message, sqlstate=sqlstate) == shown


@pytest.mark.parametrize(
    ("sqlstate", "message", "shown"),
    [
        ("42P01", 'relation "Towns" does not exist', 'relation "Towns" does not exist'),
        ("42P01", 'relation "public.towns" does not exist', 'relation "public.towns" does not exist'),
        ("42P01", 'relation "ann" does not exist', "relation … does not exist"),
        ("42P01", 'relation "towns.ann" does not exist', "relation … does not exist"),
        ("42601", 'syntax error at or near "ann"', "syntax error at or near …"),
        ("23505", 'duplicate key breaks "towns_pkey"', 'duplicate key breaks "towns_pkey"'),
    ],
)
def test_a_name_that_is_not_in_the_file_may_be_a_rows_value(sqlstate: str, message: str, shown: str) -> None:
    assert masking.mask(message, sqlstate=sqlstate, text="ALTER TABLE towns …") == shown


def test_of_messages_about_values_numbers_are_values() -> None:
    out = "setval: value 4111 is out of bounds for sequence … (1..9)"
    assert masking.mask(out, sqlstate="22003") == out.replace("4111", "…")
    long = "value too long for type character varying(1000)"
    assert masking.mask(long, sqlstate="22001") == long


@pytest.mark.parametrize(
    ("sqlstate", "raised"), [("P0001", False), ("38000", False), ("39000", False), ("23505", True)]
)
def test_what_a_function_wrote_is_withheld(sqlstate: str, raised: bool) -> None:
    assert masking.mask("card 4111", sqlstate=sqlstate, raised=raised) == (
        "the message was written by a function in the database and is withheld, since it may hold rows' values"
    )


@pytest.mark.parametrize(
    ("function", "file", "shown"),
    [
        ("exec_stmt_raise", "pl_exec.c", masking.WITHHELD),
        ("pgfdw_report_error", "connection.c", masking.WITHHELD),
        ("dblink_res_error", "dblink.c", masking.WITHHELD),
        ("PLy_elog_impl", "plpy_elog.c", masking.WITHHELD),
        ("rethrow", "plv8.cc", masking.WITHHELD),
        ("report", "lib.rs", masking.WITHHELD),
        ("_bt_check_unique", "nbtinsert.c", "bob is known already"),
        ("base_yyerror", "scan.l", "bob is known already"),
        (None, None, "bob is known already"),
    ],
)
def test_what_others_wrote_under_a_code_of_the_servers_is_withheld(
    function: str | None, file: str | None, shown: str
) -> None:
    class Known(psycopg.errors.UniqueViolation):
        @property
        def diag(self) -> Any:
            return SimpleNamespace(message_primary="bob is known already", source_function=function, source_file=file)

    assert masking.of(Known()) == shown


def test_where_no_server_spoke_the_errors_class_is_told() -> None:
    assert masking.of(psycopg.OperationalError("password=hunter2")) == "OperationalError"


@pytest.mark.parametrize("sqlstate", ["XX000", "HV000", "F0000", "U0001", ""])
def test_what_need_not_quote_a_value_is_withheld(sqlstate: str) -> None:
    assert masking.mask("couldn't project point (181 91 0)", sqlstate=sqlstate) == (
        "the message is of a kind that may hold rows' values and is withheld; the server's log has it"
    )


def test_a_long_message_is_cut() -> None:
    assert masking.mask("x" * 400, sqlstate="22000") == "x" * 300 + "…"


@pytest.mark.parametrize(
    ("definition", "shown"),
    [
        ("text default 'hunter2'::text not null", "text default '…'::text not null"),
        ("CHECK ((a = ANY (ARRAY['it''s'::text, 'b'])))", "CHECK ((a = ANY (ARRAY['…'::text, '…'])))"),
        ("btree (\"o'brien\") WHERE (b = 'x')", "btree (\"o'brien\") WHERE (b = '…')"),
        ("default E'a\\\\b'::text", "default E'…'::text"),
        ("default 'never ends", "default '…'"),
        ("numeric(9,2) default 0", "numeric(9,2) default 0"),
    ],
)
def test_a_definitions_literals_are_masked(definition: str, shown: str) -> None:
    assert masking.literals(definition) == shown
